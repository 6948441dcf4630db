/** A pod's interface as the kernel has it now, for whoever checks it: nothing is changed. */
import type { WorkloadNames, WorkloadSight } from './contract.ts';
import { KernelError } from './kernel.ts';
import type { Kernel, KernelLink } from './kernel.ts';
import { SCOPE } from './routes/kernel-route.ts';
import type { WorkloadPorts } from './workload-interface.ts';
import { HOST_LINK_LOCAL, isPair } from './workload-interface.ts';
import { parseIpAddress, sameAddress } from '../src/model/ip.ts';
import type { IpAddress } from '../src/model/ip.ts';

export async function lookAtWorkloadInterface(
  { netns, containerInterface, hostInterface }: WorkloadNames,
  addresses: readonly IpAddress[],
  { host, openNamespace }: WorkloadPorts,
): Promise<WorkloadSight> {
  const pod = openNamespace(netns);
  try {
    const [hostSide, podSide] = await Promise.all([host.getLink(hostInterface), pod.getLink(containerInterface)]);
    const isPaired = isPair({ hostSide, podSide });
    return {
      ...(hostSide && { host: { ...(await seenHostSide(host, hostSide)), isPaired } }),
      ...(podSide && { pod: await seenPodSide(pod, podSide) }),
      reached: hostSide === undefined ? [] : await reachedBy(host, hostSide, addresses),
    };
  } finally {
    await pod.close();
  }
}

async function seenHostSide(host: Kernel, { name, index, mac, up }: KernelLink) {
  const [proxyArp] = await host.readSysctls([`net/ipv4/conf/${name}/proxy_arp`]);
  const gateway = parseIpAddress(HOST_LINK_LOCAL);
  const hasLinkLocal = (await host.listAddresses()).some(
    ({ ifindex, address }) => ifindex === index && sameAddress(address.address, gateway),
  );
  return { mac, up, hasProxyArp: proxyArp === '1', hasLinkLocal };
}

async function seenPodSide(
  pod: Kernel,
  { index, mac, mtu, up }: KernelLink,
): Promise<NonNullable<WorkloadSight['pod']>> {
  const addresses = await pod.listAddresses();
  const routes = [...(await pod.listRoutes())].flatMap(({ prefix, hops }) => {
    const hop = hops.find(({ ifindex }) => ifindex === index);
    return hop === undefined ? [] : [{ prefix, ...(hop.gateway && { gateway: hop.gateway }) }];
  });
  return {
    ...{ mac, mtu, up, routes },
    addresses: addresses
      .filter(({ ifindex, scope }) => ifindex === index && scope === SCOPE.universe)
      .map(({ address }) => address),
  };
}

/** As the kernel would send to them now, whoever made the route. */
async function reachedBy(
  host: Kernel,
  { index }: KernelLink,
  addresses: readonly IpAddress[],
): Promise<readonly IpAddress[]> {
  const reached: IpAddress[] = [];
  for (const address of addresses) {
    const way = await host.resolve(address).catch((error: unknown) => {
      // A family that this kernel does not speak.
      if (error instanceof KernelError) return undefined;
      throw error;
    });
    if (way?.type === 'unicast' && way.ifindex === index && way.gateway === undefined) reached.push(address);
  }
  return reached;
}
