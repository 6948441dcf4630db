import { InvalidValueError } from '../model/invalid.ts';
import type { Prefix } from '../model/ip.ts';
import {
  formatIpAddress,
  formatPrefix,
  parseInterfaceAddress,
  parsePrefix,
  prefixesOverlap,
  prefixOf,
  sameAddress,
} from '../model/ip.ts';
import type { BgpFilter } from './bgp-filter.ts';
import type { BgpPeer } from './bgp-peer.ts';
import type { GlobalNetworkPolicy } from './global-network-policy.ts';
import { InvalidResourceError } from './invalid-resource.ts';
import type { IpPool } from './ip-pool.ts';
import type { NetworkPolicy } from './network-policy.ts';
import type { Node } from './node.ts';
import type { AnyResource, ResourceByKind } from './table.ts';
import { kindTable, resourceId } from './table.ts';
import type { Tier } from './tier.ts';
import { isBuiltInTier } from './tier.ts';

/** The resources that a new one may collide with, or needs. */
export interface Neighbours {
  readonly pools: readonly IpPool[];
  readonly nodes: readonly Node[];
  readonly filters: readonly BgpFilter[];
  readonly tiers: readonly Tier[];
}

type Policy = NetworkPolicy | GlobalNetworkPolicy;

/** Which kinds have rules that look beyond the resource itself. */
export type NeighbouredResource = IpPool | Node | BgpPeer | Policy;

/** The kinds that decide about one. */
const NEIGHBOURS = {
  IPPool: ['IPPool', 'Node'],
  Node: ['IPPool', 'Node'],
  BGPPeer: ['BGPFilter'],
  NetworkPolicy: ['Tier'],
  GlobalNetworkPolicy: ['Tier'],
} as const satisfies { readonly [K in NeighbouredResource['kind']]: readonly (keyof ResourceByKind)[] };

export const hasNeighbours = (resource: AnyResource): resource is NeighbouredResource =>
  Object.hasOwn(NEIGHBOURS, resource.kind);

export const neighbourKinds = ({ kind }: NeighbouredResource): readonly (keyof ResourceByKind)[] => NEIGHBOURS[kind];

/** Throws InvalidResourceError where an immutable field differs from what is stored. */
export function checkImmutable(resource: AnyResource, previous: AnyResource): void {
  const fields = kindTable[resource.kind].immutable ?? [];
  const before = previous.spec as Readonly<Record<string, unknown>>;
  const after = resource.spec as Readonly<Record<string, unknown>>;
  const faults = fields
    .filter((field) => before[field] !== after[field])
    .map((field) => {
      const reason = `cannot be changed after creation, it is '${String(before[field])}'`;
      return new InvalidValueError(`spec.${field}`, after[field], reason);
    });
  if (faults.length > 0) throw new InvalidResourceError(faults);
}

/**
 * Throws InvalidResourceError where pools overlap each other or the subnet of a node, two nodes have one address, a
 * BGPPeer names a filter or a policy a tier that is not there. A resource that collided before it was changed may still be
 * changed elsewhere.
 */
export function checkNeighbours(resource: NeighbouredResource, neighbours: Neighbours): void {
  const faults = neighbourFaults(resource, neighbours);
  if (faults.length > 0) throw new InvalidResourceError(faults);
}

function neighbourFaults(resource: NeighbouredResource, neighbours: Neighbours): readonly InvalidValueError[] {
  switch (resource.kind) {
    case 'IPPool':
      return poolFaults(resource, neighbours);
    case 'Node':
      return nodeFaults(resource, neighbours);
    case 'BGPPeer':
      return peerFaults(resource, neighbours);
    case 'NetworkPolicy':
    case 'GlobalNetworkPolicy':
      return tierFaults(resource, neighbours);
  }
}

/** Calico's own tiers need not be stored. */
function tierFaults({ spec: { tier } }: Policy, { tiers }: Neighbours): readonly InvalidValueError[] {
  if (isBuiltInTier(tier) || tiers.some(({ metadata }) => metadata.name === tier)) return [];
  return [new InvalidValueError('spec.tier', tier, 'is not there: a tier is made before its policies')];
}

/** A filter may be deleted while peers name it; naming one that is not there is a slip. */
function peerFaults({ spec }: BgpPeer, { filters }: Neighbours): readonly InvalidValueError[] {
  const missing = (spec.filters ?? []).filter((name) => !filters.some(({ metadata }) => metadata.name === name));
  return missing.length === 0
    ? []
    : [new InvalidValueError('spec.filters', spec.filters, `BGPFilter(s) not found: ${missing.join(', ')}`)];
}

function poolFaults(pool: IpPool, { pools, nodes }: Neighbours): readonly InvalidValueError[] {
  const cidr = parsePrefix(pool.spec.cidr);
  const otherPools = pools.filter(({ metadata }) => metadata.name !== pool.metadata.name);
  const taken = [...otherPools.map(poolRange), ...nodes.flatMap((node) => subnets(node).map(({ range }) => range))];
  return taken
    .filter(({ prefix }) => prefixesOverlap(prefix, cidr))
    .map(({ owner }) => new InvalidValueError('spec.cidr', pool.spec.cidr, `${poolId(pool)} overlaps ${owner}`));
}

function nodeFaults(node: Node, { pools, nodes }: Neighbours): readonly InvalidValueError[] {
  const others = nodes.filter(({ metadata }) => metadata.name !== node.metadata.name);
  return subnets(node).flatMap(({ field, text, range }) => {
    const { address } = parseInterfaceAddress(text);
    const twin = others.find((other) =>
      subnets(other).some((s) => sameAddress(parseInterfaceAddress(s.text).address, address)),
    );
    const collisions = pools.map(poolRange).filter(({ prefix }) => prefixesOverlap(prefix, range.prefix));
    return [
      ...(twin === undefined ? [] : [`${formatIpAddress(address)} is already the address of ${nodeId(twin)}`]),
      ...collisions.map(({ owner }) => `the subnet of ${nodeId(node)} overlaps ${owner}`),
    ].map((reason) => new InvalidValueError(field, text, reason));
  });
}

interface Range {
  readonly prefix: Prefix;
  readonly owner: string;
}

const poolId = ({ metadata }: IpPool): string => resourceId('IPPool', metadata.name);
const nodeId = ({ metadata }: Node): string => resourceId('Node', metadata.name);

const poolRange = (pool: IpPool): Range => ({
  prefix: parsePrefix(pool.spec.cidr),
  owner: `${poolId(pool)} ${pool.spec.cidr}`,
});

function subnets(node: Node): readonly { readonly field: string; readonly text: string; readonly range: Range }[] {
  return (['ipv4Address', 'ipv6Address'] as const).flatMap((name) => {
    const text = node.spec.bgp?.[name];
    if (text === undefined) return [];
    const { address, length } = parseInterfaceAddress(text);
    const prefix = prefixOf(address, length);
    return [
      {
        field: `spec.bgp.${name}`,
        text,
        range: { prefix, owner: `the subnet ${formatPrefix(prefix)} of ${nodeId(node)}` },
      },
    ];
  });
}

/** Whether the fields that `checkNeighbours` looks at are still what they were. */
export const isSettled = (resource: NeighbouredResource, previous?: AnyResource): boolean =>
  JSON.stringify(lookedAt(resource)) ===
  (previous === undefined || !hasNeighbours(previous) ? '[]' : JSON.stringify(lookedAt(previous)));

function lookedAt(resource: NeighbouredResource): readonly (string | undefined)[] {
  switch (resource.kind) {
    case 'IPPool':
      return [resource.spec.cidr];
    case 'Node':
      return [resource.spec.bgp?.ipv4Address, resource.spec.bgp?.ipv6Address];
    case 'BGPPeer':
      return resource.spec.filters ?? [];
    case 'NetworkPolicy':
    case 'GlobalNetworkPolicy':
      return [resource.spec.tier];
  }
}

/** Throws InvalidResourceError where policies are in the tier: without it they would be decided after all others. */
export function checkTierIsEmpty(name: string, policies: readonly Policy[]): void {
  const first = policies.find(({ spec }) => spec.tier === name);
  if (first === undefined) return;
  const id = resourceId(first.kind, first.metadata.name, first.metadata.namespace);
  throw new InvalidResourceError([
    new InvalidValueError('metadata.name', name, `is not an empty tier: ${id} is in it`),
  ]);
}
