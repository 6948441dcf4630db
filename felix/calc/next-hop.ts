/** One next hop of a learned route: which way packets take to it, why, and what stands against it. */
import type { IpAddress, IpFamily, Prefix } from '../../src/model/ip.ts';
import { formatIpAddress, formatPrefix, prefixContainsAddress, samePrefix } from '../../src/model/ip.ts';
import type { Hop, RouteClass } from '../desired.ts';
import type { ClusterNode, Pool } from '../inputs.ts';
import { addressOf } from '../inputs.ts';
import { encapDecision, isSameSubnet, TUNNEL_LINKS } from './encap.ts';
import type { TunnelName } from './encap.ts';
import type { HostView, NextHop } from './host-view.ts';
import { linkTrouble, parentOf } from './host-view.ts';
import type { Meanwhile } from './planned-route.ts';
import { isOwnAddress } from './surroundings.ts';
import type { Surroundings } from './surroundings.ts';
import { peerLinkLocal, tunnelMac } from './tunnel-mac.ts';

/** One next hop of a learned route, decided. */
export interface PlannedHop {
  readonly class: RouteClass;
  readonly reason: string;
  readonly hop?: Hop;
  readonly unresolved?: string;
  /** Wrong in itself; waiting would not help. */
  readonly isRefused?: true;
  /** Of a tunnel: where its outer packets go. */
  readonly outer?: IpAddress;
  readonly meanwhile?: Meanwhile;
}

export interface HopContext {
  readonly prefix: Prefix;
  readonly pool: Pool | undefined;
  /** The block of ours that the prefix lies in. */
  readonly block: Prefix | undefined;
  readonly around: Surroundings;
}

/** Of the prefix only the family and the context's pool and block count, so equal contexts give equal plans. */
export function planHop(nextHop: NextHop, { prefix, pool, block, around }: HopContext): PlannedHop {
  const text = formatIpAddress(nextHop.address);
  const { family } = prefix.address;
  if (isOwnAddress(nextHop.address, around)) return refuseHop(text, `next hop ${text} is this node itself`);
  if (family === 6 && nextHop.address.family === 4) {
    return refuseHop(text, `next hop ${text} is IPv4, and the kernel reaches IPv6 through IPv6 alone`);
  }
  const node = around.nodes.get(text);
  // A node may hold a borrowed address of our block; anybody else who claims a part of it is wrong.
  if (block !== undefined && (node === undefined || samePrefix(block, prefix))) {
    return refuseHop(text, `loses to local-block: block ${formatPrefix(block)} is this node's own`);
  }
  const remote = node && addressOf(node, family);
  const own = around.own[family];
  if (pool === undefined || node === undefined || remote === undefined || own === undefined) {
    return planExternal(nextHop, pool, around);
  }
  const { kind, reason } = encapDecision(pool, { address: own }, { address: remote });
  const way = { node, remote: remote.address, nextHop, reason, pool, around, family };
  if (kind === 'direct') return planDirect(way);
  return kind === 'ipip' ? planIpip(way) : planVxlan(way);
}

const refuseHop = (nextHop: string, unresolved: string): PlannedHop => ({
  class: 'external',
  reason: `next hop ${nextHop}`,
  unresolved,
  isRefused: true,
});

function planExternal(nextHop: NextHop, pool: Pool | undefined, around: Surroundings): PlannedHop {
  const what = pool === undefined ? 'no ippool holds it' : `in ippool ${pool.name}, but the next hop is no node`;
  const resolution = around.resolve(nextHop);
  if ('error' in resolution) return { class: 'external', reason: what, unresolved: resolution.error };
  return { class: 'external', reason: `${what}, and ${resolution.reason}`, hop: resolution.hop };
}

/** A way to a node, where encapsulation is decided. */
interface WayToNode {
  readonly node: ClusterNode;
  /** The node's BGP address of the route's family. */
  readonly remote: IpAddress;
  readonly nextHop: NextHop;
  readonly reason: string;
  readonly pool: Pool;
  readonly around: Surroundings;
  readonly family: IpFamily;
}

function planDirect({ nextHop, reason, pool, around }: WayToNode): PlannedHop {
  const isCrossSubnet = pool.ipipMode !== 'Never' || pool.vxlanMode !== 'Never';
  const routeClass = isCrossSubnet ? 'same-subnet' : 'no-encap';
  const { address: gateway } = nextHop;
  // The way goes by the next hop's own family: an IPv4 route may have an IPv6 one, RFC 8950.
  const own = around.own[gateway.family];
  if (own === undefined || !isSameSubnet(own, gateway)) {
    const resolution = around.resolve(nextHop);
    if ('error' in resolution) return { class: routeClass, reason, unresolved: resolution.error };
    return { class: routeClass, reason: `${reason}, and ${resolution.reason}`, hop: resolution.hop };
  }
  const parent = parentOf(around.host, gateway.family);
  if (parent === undefined) {
    const unresolved = `no interface of this host carries this node's address ${formatIpAddress(own.address)}`;
    return { class: routeClass, reason, unresolved };
  }
  const interfaceName = parent.link.name;
  const trouble = linkTrouble(around.host, interfaceName);
  // onlink as in Calico: the mask that decides may be the setting's, and the kernel knows only the interface's.
  const hop = { gateway, interfaceName, onlink: true };
  return { class: routeClass, reason, hop, ...(trouble !== undefined && { unresolved: trouble }) };
}

/** Without a tunnel address the other node may not have its tunl0 up yet, and what arrives before is lost. */
function planIpip(way: WayToNode): PlannedHop {
  const { node, remote, reason, around } = way;
  const planned = planTunnel('ipip', around.host, {
    gateway: remote,
    interfaceName: TUNNEL_LINKS.ipip,
    outer: remote,
    reason,
  });
  if (node.ipipTunnelAddress !== undefined) return planned;
  const older = [planDirect(way), planVxlan(way)].flatMap(({ hop }) => (hop === undefined ? [] : [hop]));
  const targets = older.map((hop) => ({ kind: 'via', hops: [hop] }) as const);
  return { ...planned, meanwhile: { targets, reason: `node ${node.name} has no IPIP tunnel address yet` } };
}

function planVxlan({ node, remote, reason, around, family }: WayToNode): PlannedHop {
  const tunnelAddress = family === 4 ? node.vxlanTunnelAddress : node.ipv6?.vxlanTunnelAddress;
  if (tunnelAddress === undefined) {
    return { class: 'vxlan', reason, unresolved: `node ${node.name} has no VXLAN tunnel address yet` };
  }
  // Departs from Calico in IPv6: the kernel refuses a gateway that another route leads to over another link, as it
  // does while a change of mode is under way, but for a link-local one.
  const gateway = family === 4 ? tunnelAddress : peerLinkLocal(tunnelMac(node, family));
  const interfaceName = family === 4 ? TUNNEL_LINKS.vxlan : TUNNEL_LINKS['vxlan-v6'];
  return planTunnel('vxlan', around.host, { gateway, interfaceName, outer: remote, reason });
}

interface TunnelHop {
  readonly gateway: IpAddress;
  readonly interfaceName: TunnelName;
  readonly outer: IpAddress;
  readonly reason: string;
}

function planTunnel(kind: 'ipip' | 'vxlan', host: HostView, tunnel: TunnelHop): PlannedHop {
  const { gateway, interfaceName, outer, reason } = tunnel;
  const hop = { gateway, interfaceName, onlink: true };
  const trouble = linkTrouble(host, interfaceName);
  return { class: kind, reason, hop, outer, ...(trouble !== undefined && { unresolved: trouble }) };
}

/** A tunnel whose inner route holds its own outer destination swallows itself. */
export function tunnelLoop(prefix: Prefix, planned: PlannedHop): PlannedHop {
  const { outer, hop } = planned;
  if (outer === undefined || hop === undefined || !prefixContainsAddress(prefix, outer)) return planned;
  const held = `${formatPrefix(prefix)} holds the other node’s address`;
  return { ...planned, unresolved: `${hop.interfaceName} would carry its own outer packets: ${held}`, isRefused: true };
}
