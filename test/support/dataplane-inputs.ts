/** Builders for the dataplane's inputs and host: text in, values out, so that a test shows only what it is about. */
import type { HostView } from '../../felix/calc/host-view.ts';
import type { ClusterNode, DataplaneInputs, EncapMode, Pool } from '../../felix/inputs.ts';
import { parseInterfaceAddress, parseIpAddress, parsePrefix } from '../../src/model/ip.ts';
import type { LearnedRoute } from '../../src/model/route.ts';

export const pool = (
  cidr: string,
  modes: { ipip?: EncapMode; vxlan?: EncapMode; nat?: boolean } = {},
  name = 'p',
): Pool => ({
  name,
  cidr: parsePrefix(cidr),
  ipipMode: modes.ipip ?? 'Never',
  vxlanMode: modes.vxlan ?? 'Never',
  natOutgoing: modes.nat ?? false,
});

interface NodeWords {
  readonly ipip?: string;
  readonly vxlan?: string;
  /** IPv6 BGP address with a length. */
  readonly ipv6?: string;
  readonly vxlan6?: string;
}

export type WithAddress = ClusterNode & Required<Pick<ClusterNode, 'address'>>;

/** `address` with a length: `172.30.1.11/24`. */
export function node(name: string, address: string, tunnels: NodeWords = {}): WithAddress {
  const vxlan6 = tunnels.vxlan6 === undefined ? {} : { vxlanTunnelAddress: parseIpAddress(tunnels.vxlan6) };
  return {
    name,
    ...(tunnels.ipv6 !== undefined && { ipv6: { address: parseInterfaceAddress(tunnels.ipv6), ...vxlan6 } }),
    address: parseInterfaceAddress(address),
    ...(tunnels.ipip !== undefined && { ipipTunnelAddress: parseIpAddress(tunnels.ipip) }),
    ...(tunnels.vxlan !== undefined && { vxlanTunnelAddress: parseIpAddress(tunnels.vxlan) }),
  };
}

export const learned = (prefix: string, ...nextHops: readonly string[]): LearnedRoute => ({
  prefix: parsePrefix(prefix),
  nextHops: nextHops.map((text) => parseIpAddress(text)),
  learnedFrom: nextHops[0] ?? 'nobody',
});

export const nodeA1 = node('node-a1', '172.30.1.11/24', { ipip: '192.168.1.1', vxlan: '192.168.1.2' });
export const nodeA2 = node('node-a2', '172.30.1.12/24', { ipip: '192.168.2.1', vxlan: '192.168.2.2' });
export const nodeB1 = node('node-b1', '172.30.2.11/24', { ipip: '192.168.3.1', vxlan: '192.168.3.2' });
export const nodeB2 = node('node-b2', '172.30.2.12/24', { ipip: '192.168.4.1', vxlan: '192.168.4.2' });

/** The same four nodes, each with an IPv6 address too: racks fd00:30:1::/64 and fd00:30:2::/64. */
const withIpv6 = (known: WithAddress, ipv6: string, vxlan6: string): WithAddress => ({
  ...known,
  ipv6: { address: parseInterfaceAddress(ipv6), vxlanTunnelAddress: parseIpAddress(vxlan6) },
});
export const dualA1 = withIpv6(nodeA1, 'fd00:30:1::11/64', 'fd10::41');
export const dualA2 = withIpv6(nodeA2, 'fd00:30:1::12/64', 'fd10::81');
export const dualB1 = withIpv6(nodeB1, 'fd00:30:2::11/64', 'fd10::c1');

export const inputs = (some: Partial<DataplaneInputs> = {}): DataplaneInputs => ({
  local: nodeA1,
  nodes: [nodeA2, nodeB1, nodeB2],
  pools: [pool('192.168.0.0/16', { ipip: 'CrossSubnet' })],
  localBlocks: [],
  endpoints: [],
  learned: [],
  learnedComplete: true,
  ...some,
});

interface HostWords {
  readonly up?: readonly string[];
  readonly down?: readonly string[];
  /** `10.0.0.0/8 via 172.30.1.1 dev eth0`, `10.9.0.0/24 dev eth1`; protocol 2 where there is no gateway, else 4. */
  readonly routes?: readonly string[];
  readonly linkErrors?: Readonly<Record<string, string>>;
  readonly noParent?: true;
  /** eth0 has fd00:30:1::11/64 too, a default route through fd00:30:1::1, and vxlan-v6.calico is up. */
  readonly ipv6?: true;
}

const IPV6_ROUTES = ['fd00:30:1::/64 dev eth0', '::/0 via fd00:30:1::1 dev eth0'];

/** node-a1's host: eth0 with 172.30.1.11/24, a default route through the ToR 172.30.1.1, and both tunnels up. */
export function host(words: HostWords = {}): HostView {
  const tunnels = ['tunl0', 'vxlan.calico', ...(words.ipv6 === true ? ['vxlan-v6.calico'] : [])];
  const up = ['eth0', ...(words.up ?? tunnels)];
  const names = [...up, ...(words.down ?? [])];
  const link = (name: string, i: number) => ({ name, index: i + 2, up: up.includes(name), mtu: 1500 });
  const links = new Map(names.map((name, i) => [name, link(name, i)]));
  const routes = ['172.30.1.0/24 dev eth0', '0.0.0.0/0 via 172.30.1.1 dev eth0', ...(words.routes ?? [])];
  if (words.ipv6 === true) routes.push(...IPV6_ROUTES);
  const parent = { link: link('eth0', 0), address: nodeA1.address };
  return {
    links,
    ...(words.noParent === undefined && { parent }),
    ...(words.ipv6 === true && { parent6: { link: parent.link, address: parseInterfaceAddress('fd00:30:1::11/64') } }),
    foreignRoutes: routes.map(foreignRoute),
    linkErrors: new Map(Object.entries(words.linkErrors ?? {})),
  };
}

function foreignRoute(text: string): HostView['foreignRoutes'][number] {
  const [, prefix = '', gateway, interfaceName = ''] = /^(\S+)(?: via (\S+))? dev (\S+)$/.exec(text) ?? [];
  const hop = { interfaceName, ...(gateway !== undefined && { gateway: parseIpAddress(gateway) }) };
  return { prefix: parsePrefix(prefix), protocol: gateway === undefined ? 2 : 4, hops: [hop] };
}
