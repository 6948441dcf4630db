/** Which routes in the kernel are ours: said here, once. */
import { prefixContains } from '../src/model/ip.ts';
import type { Prefix } from '../src/model/ip.ts';
import { TUNNEL_LINKS } from './calc/encap.ts';
import type { KernelLink } from './kernel.ts';
import type { KernelRoute } from './routes/kernel-route.ts';

/**
 * The mark by which a process with an empty memory knows its routes: rtnetlink's `protocol`, 80 as in felix.
 * Routes with any other protocol are not ours: never deleted, and replaced only by a route that an IP pool asks for.
 */
export const OUR_PROTOCOL = 80;
export const BIRD_PROTOCOL = 12;
const BOOT_PROTOCOL = 3;

export type IsOurs = (route: KernelRoute) => boolean;

export const isOurs = ({ protocol }: Pick<KernelRoute, 'protocol'>): boolean => protocol === OUR_PROTOCOL;

/**
 * Where we take over from Calico, what it left is ours too. Its BIRD marks with 12 and leaves its routes when it ends
 * (`persist`): those through tunl0, the blackholes of this node's blocks, and the plain ones to other nodes' blocks. All but the
 * first lie in a pool, which tells them from those of a BIRD of the administrator's. On vxlan.calico older felixes wrote with
 * 3 (boot). Pod routes (boot, metric 1024) go with their link, and lose to ours until then.
 */
export function isOursOrCalicos(pools: readonly Prefix[], links: readonly KernelLink[]): IsOurs {
  const indexOf = (name: string): number | undefined => links.find((link) => link.name === name)?.index;
  const [tunl0, vxlan] = [indexOf(TUNNEL_LINKS.ipip), indexOf(TUNNEL_LINKS.vxlan)];
  const isOver = ({ hops }: KernelRoute, index: number | undefined): boolean =>
    hops.length > 0 && hops.every(({ ifindex }) => ifindex === index);
  return (route) => {
    if (isOurs(route)) return true;
    if (route.protocol === BOOT_PROTOCOL) return isOver(route, vxlan);
    if (route.protocol !== BIRD_PROTOCOL) return false;
    const isInPool = pools.some((pool) => prefixContains(pool, route.prefix));
    return isInPool || isOver(route, tunl0) || isOver(route, vxlan);
  };
}

/** rtnetlink's numbers under iproute2's names (rt_protos); whoever writes routes on a node is mostly one of these. */
const PROTOCOLS = new Map<number, string>([
  [1, 'redirect'],
  [2, 'kernel'],
  [3, 'boot'],
  [4, 'static'],
  [9, 'ra'],
  [11, 'zebra'],
  [12, 'bird'],
  [16, 'dhcp'],
  [17, 'kube-router'],
  [42, 'babel'],
  [OUR_PROTOCOL, 'ours'],
  [186, 'bgp'],
  [187, 'isis'],
  [188, 'ospf'],
  [189, 'rip'],
  [192, 'eigrp'],
]);

/** `12 (bird)`; the number alone where it has no name. */
export function protocolText(protocol: number): string {
  const name = PROTOCOLS.get(protocol);
  return name === undefined ? String(protocol) : `${protocol} (${name})`;
}
