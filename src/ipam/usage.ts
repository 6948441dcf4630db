/** How full pools and blocks are, who holds an address, and what is borrowed. Functions of what was read. */
import type { IpAddress, Prefix } from '../model/ip.ts';
import {
  addressAt,
  comparePrefixes,
  hostPrefix,
  offsetIn,
  prefixContains,
  prefixContainsAddress,
  prefixSize,
  prefixesOverlap,
  samePrefix,
} from '../model/ip.ts';
import type { Assignment, Block } from './block.ts';
import { assignmentOf } from './block.ts';

/** Numbers of addresses; `total` is the sum of the others. Beyond 2^53 they are as near as a double is. */
export interface Usage {
  readonly total: number;
  /** Assigned, or given back and not rested yet. */
  readonly inUse: number;
  /** Not in use, and an IPReservation keeps them from being given out. */
  readonly reserved: number;
  readonly free: number;
}

export interface BlockUsage extends Usage {
  readonly prefix: Prefix;
  readonly affinity: string | null;
}

export interface PoolUsage extends Usage {
  /** Undefined for blocks that lie in no pool any more; their addresses live on. */
  readonly pool?: NamedPool;
  /** By address. */
  readonly blocks: readonly BlockUsage[];
}

export interface NamedPool {
  readonly name: string;
  readonly cidr: Prefix;
}

/** By address of the pool; blocks outside of all pools come last, and only where there are any. */
export function usageOf(
  pools: readonly NamedPool[],
  blocks: readonly Block[],
  reservations: readonly Prefix[],
): readonly PoolUsage[] {
  const used = blocks
    .filter(({ deleted }) => !deleted)
    .toSorted((a, b) => comparePrefixes(a.prefix, b.prefix))
    .map((block) => ({ block, pool: poolOf(block.prefix, pools) }));
  const usages = pools
    .toSorted((a, b) => comparePrefixes(a.cidr, b.cidr))
    .map((pool): PoolUsage => {
      const own = used.filter((each) => each.pool === pool).map(({ block }) => block);
      return { pool, ...usage(pool.cidr, own, reservations), blocks: blockUsages(own, reservations) };
    });
  const orphans = used.flatMap(({ block, pool }) => (pool === undefined ? [block] : []));
  if (orphans.length === 0) return usages;
  const each = blockUsages(orphans, reservations);
  const sum = (key: keyof Usage): number => each.reduce((total, block) => total + block[key], 0);
  return [
    ...usages,
    { total: sum('total'), inUse: sum('inUse'), reserved: sum('reserved'), free: sum('free'), blocks: each },
  ];
}

/** The smallest pool that holds the prefix. */
const poolOf = <P extends NamedPool>(prefix: Prefix, pools: readonly P[]): P | undefined =>
  pools
    .filter(({ cidr }) => prefixContains(cidr, prefix))
    .toSorted((a, b) => b.cidr.length - a.cidr.length)
    .at(0);

const blockUsages = (blocks: readonly Block[], reservations: readonly Prefix[]): readonly BlockUsage[] =>
  blocks.map((block) => ({
    prefix: block.prefix,
    affinity: block.affinity,
    ...usage(block.prefix, [block], reservations),
  }));

function usage(range: Prefix, blocks: readonly Block[], reservations: readonly Prefix[]): Usage {
  const kept = disjoint(
    reservations
      .filter((reservation) => prefixesOverlap(range, reservation))
      .map((reservation) => (prefixContains(reservation, range) ? range : reservation)),
  );
  const addresses = blocks.flatMap(addressesInUse);
  const total = prefixSize(range);
  const inUse = addresses.length;
  const keptInUse = addresses.filter((address) => kept.some((each) => prefixContainsAddress(each, address))).length;
  const reserved = kept.reduce((size, each) => size + prefixSize(each), 0) - keptInUse;
  return { total, inUse, reserved, free: Math.max(0, total - inUse - reserved) };
}

/** Without those that lie in another one. */
const disjoint = (prefixes: readonly Prefix[]): readonly Prefix[] =>
  prefixes.filter(
    (prefix, i) =>
      !prefixes.some((other, k) => k !== i && prefixContains(other, prefix) && (!samePrefix(other, prefix) || k < i)),
  );

const addressesInUse = ({ prefix, allocations }: Block): readonly IpAddress[] =>
  allocations.flatMap((index, ordinal) => (index === null ? [] : [addressAt(prefix, ordinal)]));

/** Addresses that somebody has, in their order; none that rests. */
export const assignmentsIn = (block: Block): readonly Assignment[] =>
  addressesInUse(block).flatMap((address) => assignmentOf(block, address) ?? []);

/** An address that is in use on another node than the one whose block it is from. */
export interface Borrowed extends Assignment {
  readonly block: Prefix;
  /** The node that the block belongs to. */
  readonly owner: string;
  readonly borrower: string;
}

/** By address. Assignments that name no node, and blocks that are no node's, count as nobody's. */
export function borrowedAddresses(blocks: readonly Block[]): readonly Borrowed[] {
  return blocks
    .toSorted((a, b) => comparePrefixes(a.prefix, b.prefix))
    .flatMap((block) => {
      const owner = ownerOf(block);
      if (owner === undefined) return [];
      return assignmentsIn(block).flatMap((assignment) => {
        const borrower = assignment.attributes.secondary['node'];
        if (borrower === undefined || borrower === owner) return [];
        return [{ ...assignment, block: block.prefix, owner, borrower }];
      });
    });
}

/** The node that a block belongs to; undefined where it is nobody's, or no node's. */
export const ownerOf = ({ affinity }: Pick<Block, 'affinity'>): string | undefined =>
  affinity?.startsWith('host:') === true ? affinity.slice('host:'.length) : undefined;

/** What IPAM knows of one address. */
export interface AddressReport {
  readonly pool?: NamedPool;
  readonly block?: Block;
  readonly assignment?: Assignment;
  /** When it was given back, where it rests still: ISO 8601. */
  readonly releasedAt?: string;
  readonly reservation?: Prefix;
}

export function reportOf(address: IpAddress, { pools, blocks, reservations }: IpamRecords): AddressReport {
  const block = blocks.find((each) => !each.deleted && prefixContainsAddress(each.prefix, address));
  const assignment = block && assignmentOf(block, address);
  const releasedAt = block && restingSince(block, address);
  const pool = poolOf(hostPrefix(address), pools);
  const reservation = reservations.find((each) => prefixContainsAddress(each, address));
  return {
    ...(pool && { pool }),
    ...(block && { block }),
    ...(assignment && { assignment }),
    ...(releasedAt !== undefined && { releasedAt }),
    ...(reservation && { reservation }),
  };
}

export interface IpamRecords {
  readonly pools: readonly NamedPool[];
  readonly blocks: readonly Block[];
  readonly reservations: readonly Prefix[];
}

function restingSince({ prefix, allocations, attributes }: Block, address: IpAddress): string | undefined {
  const index = allocations[offsetIn(prefix, address)];
  return typeof index === 'number' ? attributes[index]?.releasedAt : undefined;
}
