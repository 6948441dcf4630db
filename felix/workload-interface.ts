/**
 * A pod's interface, as Calico's CNI plugin makes it: a veth pair whose pod side is born in the pod's namespace,
 * and whose host side answers ARP for everything (proxy_arp), so that the pod needs no subnet: its gateway is 169.254.1.1,
 * an address that nobody has.
 */
import type { WorkloadInterface } from './contract.ts';
import { KernelError } from './kernel.ts';
import { MAIN_TABLE, SCOPE } from './routes/kernel-route.ts';
import type { Kernel, KernelLink } from './kernel.ts';
import type { KernelHop, KernelRoute } from './routes/kernel-route.ts';
import { OUR_PROTOCOL } from './ownership.ts';
import { formatPrefix, hostPrefix, parseIpAddress, parsePrefix, samePrefix } from '../src/model/ip.ts';
import type { IpAddress, IpFamily, Prefix } from '../src/model/ip.ts';

/** The same on every host, so that a pod's ARP entry stays right wherever it lives. */
const HOST_MAC = 'ee:ee:ee:ee:ee:ee';
const IPV4_GATEWAY = '169.254.1.1';
/** What IPv6 makes of HOST_MAC (EUI-64, RFC 4291 appendix A): the pod's IPv6 gateway. */
const HOST_LINK_LOCAL = 'fe80::ecee:eeff:feee:eeee';

export interface WorkloadPorts {
  readonly host: Kernel;
  /** The kernel inside a network namespace; closed by the one who opened it. */
  readonly openNamespace: (netns: string) => Kernel;
}

/**
 * Makes the pair, or finishes one that is half made; a second call changes nothing. A host interface of that name that belongs
 * to another pod is replaced. Returns the pod side's MAC. The host's route to the pod is the reconciler's business.
 * Rejects with KernelError, which names the interface and the namespace; a pair made by a call that failed is removed again.
 */
export async function addWorkloadInterface(
  workload: WorkloadInterface,
  { host, openNamespace }: WorkloadPorts,
): Promise<{ readonly mac: string }> {
  const { hostInterface, netns } = workload;
  try {
    const pod = openNamespace(netns);
    try {
      return await connect(workload, host, pod);
    } finally {
      await pod.close();
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

async function connect(workload: WorkloadInterface, host: Kernel, pod: Kernel): Promise<{ readonly mac: string }> {
  const existing = await existingPair(workload, host, pod);
  if (existing === undefined) {
    await host.deleteLink(workload.hostInterface);
    await createPair(workload, host);
  }
  try {
    const hostSide = await linkNamed(workload.hostInterface, host);
    const podSide = await linkNamed(workload.containerInterface, pod);
    await setUpHostSide(workload, host, hostSide);
    await setUpPodSide(workload, pod, podSide);
    return { mac: podSide.mac };
  } catch (error) {
    // Nothing is left that a later call might take for a whole one; the first error is the one to tell.
    if (existing === undefined) await host.deleteLink(workload.hostInterface).catch(() => undefined);
    throw error;
  }
}

/** The pair is this pod's if each side names the other as its peer. */
async function existingPair(workload: WorkloadInterface, host: Kernel, pod: Kernel): Promise<KernelLink | undefined> {
  const hostSide = (await host.listLinks()).find(({ name }) => name === workload.hostInterface);
  const podSide = (await pod.listLinks()).find(({ name }) => name === workload.containerInterface);
  if (hostSide?.kind !== 'veth' || podSide?.kind !== 'veth') return undefined;
  return hostSide.peerIndex === podSide.index && podSide.peerIndex === hostSide.index ? hostSide : undefined;
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

async function linkNamed(wanted: string, kernel: Kernel): Promise<KernelLink> {
  const link = (await kernel.listLinks()).find(({ name }) => name === wanted);
  if (link === undefined) throw new KernelError(`link ${wanted} vanished while it was set up`, 'ENODEV');
  return link;
}

const wantsFamily = ({ addresses }: WorkloadInterface, family: IpFamily): boolean =>
  addresses.some((address) => address.family === family);

async function setUpHostSide(workload: WorkloadInterface, host: Kernel, link: KernelLink): Promise<void> {
  const { name } = link;
  const settings: (readonly [path: string, value: string])[] = [
    [`net/ipv4/conf/${name}/route_localnet`, '1'],
    [`net/ipv4/neigh/${name}/proxy_delay`, '0'],
    [`net/ipv4/conf/${name}/proxy_arp`, '1'],
    [`net/ipv4/conf/${name}/forwarding`, '1'],
    [`net/ipv4/conf/${name}/rp_filter`, await host.readSysctl('net/ipv4/conf/default/rp_filter')],
  ];
  if (wantsFamily(workload, 6)) {
    settings.push(
      [`net/ipv6/conf/${name}/disable_ipv6`, '0'],
      [`net/ipv6/conf/${name}/accept_dad`, '0'],
      [`net/ipv6/conf/${name}/proxy_ndp`, '1'],
      [`net/ipv6/conf/${name}/forwarding`, '1'],
    );
  }
  for (const [path, value] of settings) await host.writeSysctl(path, value);
  // A router advertisement from a pod must not change the host's routes; without IPv6 there is nothing to accept.
  await ifThere(host.writeSysctl(`net/ipv6/conf/${name}/accept_ra`, '0'));
  const mtu = workload.mtu > 0 && workload.mtu !== link.mtu ? { mtu: workload.mtu } : {};
  await host.setLink(link.index, { up: true, ...(link.mac !== HOST_MAC && { mac: HOST_MAC }), ...mtu });
  if (wantsFamily(workload, 6)) {
    // The kernel adds it too, but only once the link has a carrier.
    const address = { address: parseIpAddress(HOST_LINK_LOCAL), length: 64 };
    await host.addAddress({ ifindex: link.index, address, scope: SCOPE.link });
  }
}

async function setUpPodSide(workload: WorkloadInterface, pod: Kernel, link: KernelLink): Promise<void> {
  await pod.writeSysctl('net/ipv4/ip_forward', '0');
  if (wantsFamily(workload, 6)) {
    for (const name of ['all', 'default', 'lo', link.name]) {
      await pod.writeSysctl(`net/ipv6/conf/${name}/disable_ipv6`, '0');
    }
    await pod.writeSysctl(`net/ipv6/conf/${link.name}/accept_dad`, '0');
  }
  const loopback = await linkNamed('lo', pod);
  await pod.setLink(loopback.index, { up: true });
  const mtu = workload.mtu > 0 && workload.mtu !== link.mtu ? { mtu: workload.mtu } : {};
  await pod.setLink(link.index, { up: true, ...mtu });
  await setAddresses(workload.addresses, pod, link);
  await setRoutes(workload, pod, link);
}

/** Exactly these; the kernel's own link-local address stays. */
async function setAddresses(wanted: readonly IpAddress[], pod: Kernel, { index }: KernelLink): Promise<void> {
  const prefixes = wanted.map(hostPrefix);
  for (const present of await pod.listAddresses()) {
    const stays = present.scope !== SCOPE.universe || prefixes.some((one) => samePrefix(one, present.address));
    if (present.ifindex === index && !stays) await pod.removeAddress(present);
  }
  for (const address of prefixes) await pod.addAddress({ ifindex: index, address, scope: SCOPE.universe });
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

/** A sysctl that this kernel does not have. */
async function ifThere(written: Promise<void>): Promise<void> {
  try {
    await written;
  } catch (error) {
    if (!(error instanceof KernelError && error.code === 'ENOENT')) throw error;
  }
}
