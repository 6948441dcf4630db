import type { InterfaceAddress, IpAddress, Prefix } from '../../src/model/ip.ts';
import {
  compareAddresses,
  formatIpAddress,
  formatPrefix,
  prefixContains,
  sameAddress,
  samePrefix,
} from '../../src/model/ip.ts';
import type { LearnedRoute } from '../../src/model/route.ts';
import type { Hop, RouteClass } from '../desired.ts';
import { ROUTE_CLASSES } from '../desired.ts';
import type { ClusterNode, DataplaneInputs, Pool } from '../inputs.ts';
import { encapDecision, isSameSubnet } from './encap.ts';
import type { HostView, Resolution } from './host-view.ts';
import { linkTrouble, ownAddress, resolveNextHop } from './host-view.ts';
import type { ForeignByPrefix } from './refusal.ts';
import { foreignByPrefix, refusePrefix, refuseTunnelLoop } from './refusal.ts';
import type { PlannedRoute } from './planned-route.ts';
import { TUNNEL_LINKS } from './tunnels.ts';

/** One next hop of a learned route, decided. */
interface PlannedHop {
  readonly class: RouteClass;
  readonly reason: string;
  readonly hop?: Hop;
  readonly unresolved?: string;
  /** Wrong in itself; waiting would not help. */
  readonly isRefused?: true;
}

/** What does not depend on the single route; made once for all of them. */
interface Surroundings {
  readonly host: HostView;
  readonly own: InterfaceAddress;
  readonly localBlocks: readonly Prefix[];
  readonly pools: readonly Pool[];
  readonly nodes: ReadonlyMap<string, ClusterNode>;
  readonly foreign: ForeignByPrefix;
  /** Memory for one calculation; a full table has few next hops. */
  readonly resolve: (nextHop: IpAddress) => Resolution;
}

/** Routes that bird learned. Nothing is dropped in silence: what cannot be is there with the reason. */
export function planLearnedRoutes(inputs: DataplaneInputs, host: HostView): readonly PlannedRoute[] {
  const base = {
    host,
    own: ownAddress(inputs.local.address, host.parent),
    localBlocks: inputs.localBlocks,
    pools: inputs.pools,
    nodes: new Map(inputs.nodes.map((node) => [formatIpAddress(node.address.address), node])),
    foreign: foreignByPrefix(host),
  };
  const onLink = { ...base, resolve: memoised((nextHop) => resolveNextHop(host, nextHop)) };
  const isNeighbour = (nextHop: IpAddress): boolean => {
    const resolution = onLink.resolve(nextHop);
    return 'hop' in resolution && resolution.isOnLink;
  };
  if (inputs.learned.every(({ nextHops }) => nextHops.every(isNeighbour))) {
    return inputs.learned.map((learned) => planLearned(learned, onLink));
  }
  // A next hop may be reachable only through a route that a ToR told us. Routes whose own next hop is a neighbour are
  // safe to resolve through: they cannot depend on the route in question.
  const ways = inputs.learned
    .flatMap((learned) => neighbourWay(learned, onLink))
    .sort((a, b) => compareAddresses(a.hops[0].gateway, b.hops[0].gateway));
  const recursive = { ...base, resolve: memoised((nextHop) => resolveNextHop(host, nextHop, ways)) };
  return inputs.learned.map((learned) => planLearned(learned, recursive));
}

interface NeighbourWay {
  readonly prefix: Prefix;
  readonly hops: readonly [Hop, ...Hop[]];
}

function neighbourWay(learned: LearnedRoute, around: Surroundings): readonly NeighbourWay[] {
  const { prefix, nextHops } = learned;
  const isInPool = poolOf(prefix, around.pools) !== undefined;
  if (isInPool || refusePrefix(prefix, around.host, around.foreign) !== undefined) return [];
  const hops = [...nextHops].sort(compareAddresses).flatMap((nextHop) => {
    if (sameAddress(nextHop, around.own.address) || nextHop.family !== prefix.address.family) return [];
    const resolution = around.resolve(nextHop);
    return 'hop' in resolution && resolution.isOnLink ? [resolution.hop] : [];
  });
  const [first, ...rest] = hops;
  return first === undefined ? [] : [{ prefix, hops: [first, ...rest] }];
}

function planLearned(learned: LearnedRoute, around: Surroundings): PlannedRoute {
  const { prefix } = learned;
  const pool = poolOf(prefix, around.pools);
  const refusal =
    refusePrefix(prefix, around.host, around.foreign) ??
    (pool === undefined ? refuseTakeover(prefix, around) : undefined);
  const hops = [...learned.nextHops]
    .sort(compareAddresses)
    .map((nextHop) => planHop(nextHop, { prefix, pool, around }));
  const usable = hops.filter((hop) => hop.unresolved === undefined);
  const shown = usable.length > 0 ? usable : hops;
  const route = {
    prefix,
    class: firstClass(shown.map((hop) => hop.class)),
    target: { kind: 'via', hops: distinctHops(shown.flatMap(({ hop }) => (hop === undefined ? [] : [hop]))) },
    reason: `${distinct(shown.map(({ reason }) => reason)).join('; ')} (learned from ${learned.learnedFrom})`,
    ...(pool !== undefined && { pool: pool.name }),
  } as const;
  if (refusal !== undefined)
    return { route, unresolved: `${formatPrefix(prefix)} is refused: ${refusal}`, isRefused: true };
  if (usable.length > 0) return { route };
  const troubles = distinct(hops.map(({ unresolved }) => unresolved ?? ''));
  const isRefused = hops.every((hop) => hop.isRefused === true);
  return { route, unresolved: troubles.join('; ') || 'it has no next hop', ...(isRefused && { isRefused }) };
}

/** A route outside the pools is one among the host's; one that somebody else set for the same prefix stays. */
function refuseTakeover(prefix: Prefix, { foreign, host }: Surroundings): string | undefined {
  const holder = foreign.get(formatPrefix(prefix));
  if (holder?.protocol === host.abandonedProtocol) return undefined;
  return holder && `the host has its own route for it (protocol ${holder.protocol})`;
}

interface HopContext {
  readonly prefix: Prefix;
  readonly pool: Pool | undefined;
  readonly around: Surroundings;
}

function planHop(nextHop: IpAddress, { prefix, pool, around }: HopContext): PlannedHop {
  const text = formatIpAddress(nextHop);
  if (sameAddress(nextHop, around.own.address)) {
    return refuseHop(text, `next hop ${text} is this node itself`);
  }
  if (nextHop.family !== prefix.address.family) {
    return refuseHop(text, `next hop ${text} is of another family`);
  }
  const node = around.nodes.get(text);
  const block = around.localBlocks.find((own) => prefixContains(own, prefix));
  // A node may hold a borrowed address of our block; anybody else who claims a part of it is wrong.
  if (block !== undefined && (node === undefined || samePrefix(block, prefix))) {
    return refuseHop(text, `loses to local-block: block ${formatPrefix(block)} is this node's own`);
  }
  if (pool === undefined || node === undefined) return planExternal(nextHop, pool, around);
  return planNode(node, { prefix, pool, around });
}

const refuseHop = (nextHop: string, unresolved: string): PlannedHop => ({
  class: 'external',
  reason: `next hop ${nextHop}`,
  unresolved,
  isRefused: true,
});

function planExternal(nextHop: IpAddress, pool: Pool | undefined, around: Surroundings): PlannedHop {
  const what = pool === undefined ? 'no ippool holds it' : `in ippool ${pool.name}, but the next hop is no node`;
  const resolution = around.resolve(nextHop);
  if ('error' in resolution) return { class: 'external', reason: what, unresolved: resolution.error };
  return { class: 'external', reason: `${what}, and ${resolution.reason}`, hop: resolution.hop };
}

function planNode(node: ClusterNode, context: HopContext & { readonly pool: Pool }): PlannedHop {
  const { prefix, pool, around } = context;
  const { host } = around;
  const { kind, reason } = encapDecision(pool, { address: around.own }, node);
  switch (kind) {
    case 'direct':
      return planDirect(node, reason, context);
    case 'ipip':
      return planTunnel('ipip', node, { host, prefix, reason, gateway: node.address.address });
    case 'vxlan': {
      const gateway = node.vxlanTunnelAddress;
      if (prefix.address.family === 6) {
        return { class: 'vxlan', reason, unresolved: 'VXLAN between nodes carries IPv4 alone' };
      }
      if (gateway === undefined) {
        return { class: 'vxlan', reason, unresolved: `node ${node.name} has no VXLAN tunnel address yet` };
      }
      return planTunnel('vxlan', node, { host, prefix, reason, gateway });
    }
  }
}

function planDirect(node: ClusterNode, reason: string, { pool, around }: HopContext & { pool: Pool }): PlannedHop {
  const isCrossSubnet = pool.ipipMode !== 'Never' || pool.vxlanMode !== 'Never';
  const routeClass = isCrossSubnet ? 'same-subnet' : 'no-encap';
  const gateway = node.address.address;
  if (!isSameSubnet(around.own, node.address)) {
    const resolution = around.resolve(gateway);
    if ('error' in resolution) return { class: routeClass, reason, unresolved: resolution.error };
    return { class: routeClass, reason: `${reason}, and ${resolution.reason}`, hop: resolution.hop };
  }
  const { parent } = around.host;
  if (parent === undefined) {
    const unresolved = `no interface of this host carries this node's address ${formatIpAddress(around.own.address)}`;
    return { class: routeClass, reason, unresolved };
  }
  const interfaceName = parent.link.name;
  const trouble = linkTrouble(around.host, interfaceName);
  // onlink as in Calico: the mask that decides may be the setting's, and the kernel knows only the interface's.
  const hop = { gateway, interfaceName, onlink: true };
  return { class: routeClass, reason, hop, ...(trouble !== undefined && { unresolved: trouble }) };
}

interface TunnelHop {
  readonly host: HostView;
  readonly prefix: Prefix;
  readonly gateway: IpAddress;
  readonly reason: string;
}

function planTunnel(kind: 'ipip' | 'vxlan', node: ClusterNode, tunnel: TunnelHop): PlannedHop {
  const { prefix, gateway, reason, host } = tunnel;
  const interfaceName = TUNNEL_LINKS[kind];
  const hop = { gateway, interfaceName, onlink: true };
  const loop = refuseTunnelLoop(prefix, node.address.address, interfaceName);
  if (loop !== undefined) return { class: kind, reason, hop, unresolved: loop, isRefused: true };
  const trouble = linkTrouble(host, interfaceName);
  return { class: kind, reason, hop, ...(trouble !== undefined && { unresolved: trouble }) };
}

/** The smallest pool that holds the prefix. */
function poolOf(prefix: Prefix, pools: readonly Pool[]): Pool | undefined {
  return pools
    .filter((pool) => prefixContains(pool.cidr, prefix))
    .reduce<Pool | undefined>((best, pool) => (best && best.cidr.length >= pool.cidr.length ? best : pool), undefined);
}

const firstClass = (classes: readonly RouteClass[]): RouteClass =>
  ROUTE_CLASSES.find((name) => classes.includes(name)) ?? 'external';

const distinct = (texts: readonly string[]): readonly string[] => [...new Set(texts)];

/** Two nodes may resolve to one gateway; the kernel would count that gateway twice. */
function distinctHops(hops: readonly Hop[]): readonly Hop[] {
  const key = ({ gateway, interfaceName }: Hop): string => `${formatIpAddress(gateway)} ${interfaceName}`;
  return [...new Map(hops.map((hop) => [key(hop), hop])).values()];
}

function memoised(resolve: (nextHop: IpAddress) => Resolution): (nextHop: IpAddress) => Resolution {
  const known = new Map<string, Resolution>();
  return (nextHop) => {
    const key = formatIpAddress(nextHop);
    const found = known.get(key) ?? resolve(nextHop);
    known.set(key, found);
    return found;
  };
}
