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

/** `address` with a length: `172.30.1.11/24`. */
export function node(name: string, address: string, tunnels: { ipip?: string; vxlan?: string } = {}): ClusterNode {
  return {
    name,
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
}

/** node-a1's host: eth0 with 172.30.1.11/24, a default route through the ToR 172.30.1.1, and both tunnels up. */
export function host(words: HostWords = {}): HostView {
  const up = ['eth0', ...(words.up ?? ['tunl0', 'vxlan.calico'])];
  const names = [...up, ...(words.down ?? [])];
  const link = (name: string, i: number) => ({ name, index: i + 2, up: up.includes(name), mtu: 1500 });
  const links = new Map(names.map((name, i) => [name, link(name, i)]));
  const routes = ['172.30.1.0/24 dev eth0', '0.0.0.0/0 via 172.30.1.1 dev eth0', ...(words.routes ?? [])];
  const parent = { link: link('eth0', 0), address: nodeA1.address };
  return {
    links,
    ...(words.noParent === undefined && { parent }),
    foreignRoutes: routes.map(foreignRoute),
    linkErrors: new Map(Object.entries(words.linkErrors ?? {})),
  };
}

function foreignRoute(text: string): HostView['foreignRoutes'][number] {
  const [, prefix = '', gateway, interfaceName = ''] = /^(\S+)(?: via (\S+))? dev (\S+)$/.exec(text) ?? [];
  const hop = { interfaceName, ...(gateway !== undefined && { gateway: parseIpAddress(gateway) }) };
  return { prefix: parsePrefix(prefix), protocol: gateway === undefined ? 2 : 4, hops: [hop] };
}
