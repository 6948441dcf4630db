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
import { InvalidResourceError } from './invalid-resource.ts';
import type { IpPool } from './ip-pool.ts';
import type { Node } from './node.ts';
import type { AnyResource } from './table.ts';
import { kindTable, resourceId } from './table.ts';

/** The resources that a new one may collide with. */
export interface Neighbours {
  readonly pools: readonly IpPool[];
  readonly nodes: readonly Node[];
}

/** Which kinds have rules that look beyond the resource itself. */
export const hasNeighbours = (resource: AnyResource): resource is IpPool | Node =>
  resource.kind === 'IPPool' || resource.kind === 'Node';

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
 * Throws InvalidResourceError where pools overlap each other or the subnet of a node, or two nodes have one address.
 * A resource that collided before it was changed may still be changed elsewhere.
 */
export function checkNeighbours(resource: IpPool | Node, neighbours: Neighbours): void {
  const faults = resource.kind === 'IPPool' ? poolFaults(resource, neighbours) : nodeFaults(resource, neighbours);
  if (faults.length > 0) throw new InvalidResourceError(faults);
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
export function sameRanges(resource: IpPool | Node, previous: AnyResource): boolean {
  if (resource.kind === 'IPPool') return previous.kind === 'IPPool' && previous.spec.cidr === resource.spec.cidr;
  if (previous.kind !== 'Node') return false;
  const { bgp: before } = previous.spec;
  const { bgp: after } = resource.spec;
  return before?.ipv4Address === after?.ipv4Address && before?.ipv6Address === after?.ipv6Address;
}
