import type { KernelRoute } from './kernel.ts';

/**
 * The mark by which a process with an empty memory knows its routes: rtnetlink's `protocol`, 80 as in felix.
 * Routes with any other protocol are not ours: never deleted, and replaced only by a route that an IP pool asks for.
 */
export const OUR_PROTOCOL = 80;

export const isOurs = ({ protocol }: Pick<KernelRoute, 'protocol'>): boolean => protocol === OUR_PROTOCOL;

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
