/**
 * A pod's interface, as Calico's CNI plugin makes it: a veth pair whose pod side is born in the pod's namespace,
 * and whose host side answers ARP for everything (proxy_arp), so that the pod needs no subnet: its gateway is 169.254.1.1,
 * an address that nobody has.
 */
import type { WorkloadInterface } from './contract.ts';
import { KernelError } from './kernel.ts';
import { MAIN_TABLE, SCOPE } from './routes/kernel-route.ts';
import type { Kernel, KernelLink, SysctlChange } from './kernel.ts';
import type { KernelHop, KernelRoute } from './routes/kernel-route.ts';
import { OUR_PROTOCOL } from './ownership.ts';
import { formatPrefix, hostPrefix, parseIpAddress, parsePrefix, samePrefix } from '../src/model/ip.ts';
import type { IpAddress, IpFamily, Prefix } from '../src/model/ip.ts';

/** The same on every host, so that a pod's ARP entry stays right wherever it lives. */
export const HOST_MAC = 'ee:ee:ee:ee:ee:ee';
export const IPV4_GATEWAY = '169.254.1.1';
/** What IPv6 makes of HOST_MAC (EUI-64, RFC 4291 appendix A): the pod's IPv6 gateway. */
export const HOST_LINK_LOCAL = 'fe80::ecee:eeff:feee:eeee';
/** Of `lo`, in every network namespace (LOOPBACK_IFINDEX). */
const LOOPBACK_INDEX = 1;
/** What a new interface begins with; a pod's gets it, as Calico's felix reads it once at its start. */
export const RP_FILTER_DEFAULT = 'net/ipv4/conf/default/rp_filter';

export interface WorkloadPorts {
  readonly host: Kernel;
  /** The kernel inside a network namespace; closed by the one who opened it. */
  readonly openNamespace: (netns: string) => Kernel;
}

/** What making an interface needs beside them. */
export interface ConnectPorts extends WorkloadPorts {
  /** Resolves once the host's kernel has the routes to the pod's addresses over that link. */
  readonly routeOver: (hostSide: KernelLink) => Promise<void>;
}

interface Made {
  readonly mac: string;
  readonly mtu: number;
}

/**
 * Makes the pair and the routes to it, or finishes what is half made; a second call changes nothing. A host interface of that
 * name that belongs to another pod is replaced. Returns the pod side's MAC and MTU.
 * Rejects with KernelError, which names the interface and the namespace; a pair made by a call that failed is removed again.
 */
export async function addWorkloadInterface(workload: WorkloadInterface, ports: ConnectPorts): Promise<Made> {
  const { hostInterface, netns } = workload;
  try {
    const pod = ports.openNamespace(netns);
    try {
      return await connect(workload, pod, ports);
    } finally {
      // Nobody need wait for it.
      pod.close().catch(() => undefined);
    }
  } catch (error) {
    if (!(error instanceof KernelError)) throw error;
    throw new KernelError(`interface ${hostInterface} of the pod in ${netns}: ${error.message}`, error.code);
  }
}

/** By the name of its host side; the kernel removes the pod's side and every route over either. Success where there is none. */
export async function removeWorkloadInterface(hostInterface: string, host: Kernel): Promise<void> {
  await host.deleteLink(hostInterface);
}

interface Pair {
  readonly hostSide: KernelLink;
  readonly podSide: KernelLink;
}

export type Sides = { readonly [S in keyof Pair]: KernelLink | undefined };

async function connect(workload: WorkloadInterface, pod: Kernel, ports: ConnectPorts): Promise<Made> {
  const { host } = ports;
  const { hostInterface, containerInterface } = workload;
  const look = async (): Promise<Sides> => {
    const [hostSide, podSide] = await Promise.all([host.getLink(hostInterface), pod.getLink(containerInterface)]);
    return { hostSide, podSide };
  };
  const isNew = await makePair(workload, host, look);
  try {
    const [pair, rpFilter] = await Promise.all([look(), host.readSysctl(RP_FILTER_DEFAULT)]);
    if (!isPair(pair)) throw new KernelError('one side vanished while it was set up', 'ENODEV');
    if (!isNew) await removeOtherAddresses(workload.addresses, pod, pair.podSide);
    // The kernel does them in this order; each waits for the one before it there and not here, which would be a way between
    // two threads for each. The host's side is up first: the pod's then has its carrier as soon as it is up.
    await allOf([
      ...setUpHostSide(workload, host, { link: pair.hostSide, rpFilter }),
      ...setUpPodSide(workload, pod, pair.podSide),
      ports.routeOver(pair.hostSide),
    ]);
    return { mac: pair.podSide.mac, mtu: workload.mtu > 0 ? workload.mtu : pair.podSide.mtu };
  } catch (error) {
    // Nothing is left that a later call might take for a whole one; the first error is the one to tell.
    if (isNew) await host.deleteLink(hostInterface).catch(() => undefined);
    throw error;
  }
}

/** Whether it had to. Mostly it has, so it is tried before anything is looked at. */
async function makePair(workload: WorkloadInterface, host: Kernel, look: () => Promise<Sides>): Promise<boolean> {
  try {
    await createPair(workload, host);
    return true;
  } catch (error) {
    if (!(error instanceof KernelError) || error.code !== 'EEXIST') throw error;
  }
  const there = await look();
  if (isPair(there)) return false;
  if (there.hostSide !== undefined) await host.deleteLink(workload.hostInterface);
  await createPair(workload, host);
  return true;
}

/** Throws what the first of them, in this order, rejects with; all have ended by then. */
async function allOf(steps: readonly Promise<void>[]): Promise<void> {
  for (const outcome of await Promise.allSettled(steps)) if (outcome.status === 'rejected') throw outcome.reason;
}

/** This pod's, which is so if each side names the other as its peer. */
export function isPair(sides: Sides): sides is Pair {
  const { hostSide, podSide } = sides;
  if (hostSide?.kind !== 'veth' || podSide?.kind !== 'veth') return false;
  return hostSide.peerIndex === podSide.index && podSide.peerIndex === hostSide.index;
}

const createPair = (
  { hostInterface, containerInterface, netns, mtu }: WorkloadInterface,
  host: Kernel,
): Promise<void> =>
  host.createLink({
    kind: 'veth',
    name: hostInterface,
    mac: HOST_MAC,
    ...(mtu > 0 && { mtu }),
    peer: { name: containerInterface, netns },
  });

const wantsFamily = ({ addresses }: WorkloadInterface, family: IpFamily): boolean =>
  addresses.some((address) => address.family === family);

interface HostSide {
  readonly link: KernelLink;
  /** What a new interface begins with. */
  readonly rpFilter: string;
}

function setUpHostSide(
  workload: WorkloadInterface,
  host: Kernel,
  { link, rpFilter }: HostSide,
): readonly Promise<void>[] {
  const { name } = link;
  const wanted: readonly SysctlChange[] = [
    { path: `net/ipv4/conf/${name}/route_localnet`, value: '1' },
    { path: `net/ipv4/neigh/${name}/proxy_delay`, value: '0' },
    { path: `net/ipv4/conf/${name}/proxy_arp`, value: '1' },
    { path: `net/ipv4/conf/${name}/forwarding`, value: '1' },
    { path: `net/ipv4/conf/${name}/rp_filter`, value: rpFilter },
    ...(wantsFamily(workload, 6)
      ? [
          { path: `net/ipv6/conf/${name}/disable_ipv6`, value: '0' },
          { path: `net/ipv6/conf/${name}/accept_dad`, value: '0' },
          { path: `net/ipv6/conf/${name}/proxy_ndp`, value: '1' },
          { path: `net/ipv6/conf/${name}/forwarding`, value: '1' },
        ]
      : []),
  ];
  // A router advertisement from a pod must not change the host's routes; without IPv6 there is nothing to accept.
  const optional: SysctlChange = { path: `net/ipv6/conf/${name}/accept_ra`, value: '0' };
  const mtu = workload.mtu > 0 && workload.mtu !== link.mtu ? { mtu: workload.mtu } : {};
  // The kernel adds it too, but only once the link has a carrier.
  const linkLocal = { address: parseIpAddress(HOST_LINK_LOCAL), length: 64 };
  return [
    writeSysctls(host, wanted, optional),
    host.setLink(link.index, { up: true, ...(link.mac !== HOST_MAC && { mac: HOST_MAC }), ...mtu }),
    ...(wantsFamily(workload, 6)
      ? [host.addAddress({ ifindex: link.index, address: linkLocal, scope: SCOPE.link })]
      : []),
  ];
}

/** Throws the first refusal; that the kernel does not have the optional one is none. */
async function writeSysctls(kernel: Kernel, wanted: readonly SysctlChange[], optional?: SysctlChange): Promise<void> {
  const results = await kernel.writeSysctls([...wanted, ...(optional === undefined ? [] : [optional])]);
  for (const [i, refusal] of results.entries()) {
    if (refusal !== undefined && (i < wanted.length || refusal.code !== 'ENOENT')) throw refusal;
  }
}

function setUpPodSide(workload: WorkloadInterface, pod: Kernel, link: KernelLink): readonly Promise<void>[] {
  const forwarding = workload.allowIpForwarding === true ? '1' : '0';
  const ipv6 = [
    ...['all', 'default', 'lo', link.name].map((name) => `net/ipv6/conf/${name}/disable_ipv6`),
    `net/ipv6/conf/${link.name}/accept_dad`,
  ];
  const sysctls = [
    { path: 'net/ipv4/ip_forward', value: forwarding },
    ...(wantsFamily(workload, 6)
      ? [
          ...ipv6.map((path) => ({ path, value: '0' })),
          // Last: the kernel has it overrule what an interface says of itself.
          { path: 'net/ipv6/conf/all/forwarding', value: forwarding },
        ]
      : []),
  ];
  const mtu = workload.mtu > 0 && workload.mtu !== link.mtu ? { mtu: workload.mtu } : {};
  const addresses = workload.addresses.map(hostPrefix);
  return [
    writeSysctls(pod, sysctls),
    pod.setLink(LOOPBACK_INDEX, { up: true }),
    pod.setLink(link.index, { up: true, ...mtu }),
    ...addresses.map((address) => pod.addAddress({ ifindex: link.index, address, scope: SCOPE.universe })),
    setRoutes(workload, pod, link),
  ];
}

/** The kernel's own link-local address stays. */
async function removeOtherAddresses(wanted: readonly IpAddress[], pod: Kernel, { index }: KernelLink): Promise<void> {
  const prefixes = wanted.map(hostPrefix);
  for (const present of await pod.listAddresses()) {
    const stays = present.scope !== SCOPE.universe || prefixes.some((one) => samePrefix(one, present.address));
    if (present.ifindex === index && !stays) await pod.removeAddress(present);
  }
}

async function setRoutes(workload: WorkloadInterface, pod: Kernel, { index }: KernelLink): Promise<void> {
  const route = (prefix: Prefix, hop: KernelHop): KernelRoute => ({
    prefix,
    table: MAIN_TABLE,
    protocol: OUR_PROTOCOL,
    type: 'unicast',
    scope: hop.gateway === undefined ? SCOPE.link : SCOPE.universe,
    metric: 0,
    hops: [hop],
  });
  const via = (text: string): KernelHop => ({ gateway: parseIpAddress(text), ifindex: index, onlink: false });
  const routes = [
    // First the gateway, or the kernel would not know the way to it.
    ...(wantsFamily(workload, 4)
      ? [
          route(hostPrefix(parseIpAddress(IPV4_GATEWAY)), { ifindex: index, onlink: false }),
          route(parsePrefix('0.0.0.0/0'), via(IPV4_GATEWAY)),
        ]
      : []),
    ...(wantsFamily(workload, 6) ? [route(parsePrefix('::/0'), via(HOST_LINK_LOCAL))] : []),
  ];
  const results = await pod.writeRoutes(routes.map((one) => ({ op: 'replace', route: one })));
  const failed = results.findIndex((error) => error !== undefined);
  const error = results[failed];
  if (error !== undefined) {
    throw new KernelError(`route ${formatPrefix(routes[failed]!.prefix)} inside the pod: ${error.message}`, error.code);
  }
}
