import type { IpAddress, Prefix } from '../model/ip.ts';
import { addressBits, prefixContains, prefixesOverlap } from '../model/ip.ts';
import type { Block } from './block.ts';
import { isEmpty } from './block.ts';
import { hostOf } from './affinity.ts';
import type { Reservations } from './reservations.ts';

export interface IpamPool {
  readonly name: string;
  readonly cidr: Prefix;
  /** The prefix length of its blocks. */
  readonly blockSize: number;
}

/** A block that a node may claim: one that nobody made yet, or another host's that has stood empty. */
export type Candidate =
  | { readonly kind: 'new'; readonly prefix: Prefix }
  | { readonly kind: 'reclaim'; readonly prefix: Prefix; readonly host: string };

/** An empty block of another host is left alone for so long: its owner may be about to use it. */
export const MIN_RECLAIM_AGE_MS = 60_000;

/** How many blocks a pool has: up to 2^112, hence no number. */
export const blockCount = ({ cidr, blockSize }: IpamPool): bigint => 1n << BigInt(Math.max(0, blockSize - cidr.length));

/** The block at `index` of a pool. */
export function blockAt({ cidr, blockSize }: IpamPool, index: bigint): Prefix {
  const bits = addressBits(cidr.address.family);
  const value = toBigint(cidr.address) + (index << BigInt(bits - blockSize));
  return { address: fromBigint(value, cidr.address), length: blockSize };
}

export const indexOf = ({ cidr, blockSize }: IpamPool, block: Prefix): bigint =>
  (toBigint(block.address) - toBigint(cidr.address)) >> BigInt(addressBits(cidr.address.family) - blockSize);

/** Where a node begins to look: always the same place for the same node, different places for different nodes. */
export const startIndex = (node: string, pool: IpamPool): bigint => BigInt(spread(node)) % blockCount(pool);

/** FNV-1a, and a last mix so that names that differ in one character lie far apart. */
function spread(text: string): number {
  let hash = 0x811c9dc5;
  for (const octet of new TextEncoder().encode(text)) hash = Math.imul(hash ^ octet, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}

export interface Search {
  readonly node: string;
  readonly pools: readonly IpamPool[];
  /** All blocks there are. */
  readonly blocks: readonly Block[];
  /** Blocks that were tried in vain in this search, as `formatPrefix` writes them. */
  readonly isTried: (prefix: Prefix) => boolean;
  readonly nowMs: number;
  readonly reservations: Reservations;
}

/** The next block to claim: the first free place after the node's own start, else an empty one of another host. */
export function nextCandidate(search: Search): Candidate | undefined {
  for (const pool of search.pools) {
    const prefix = firstUnmade(pool, search);
    if (prefix !== undefined) return { kind: 'new', prefix };
  }
  for (const pool of search.pools) {
    for (const block of inOrder(pool, search)) {
      const host = hostOf(block.affinity);
      if (host === undefined || host === search.node || search.isTried(block.prefix)) continue;
      if (search.reservations.over(block.prefix) !== undefined) continue;
      if (isReclaimable(block, search.nowMs)) return { kind: 'reclaim', prefix: block.prefix, host };
    }
  }
  return undefined;
}

/** Looks at one place more than there are blocks in the pool, and leaps over what is reserved, so it ends soon in a pool of any size. */
function firstUnmade(pool: IpamPool, { node, blocks, isTried, reservations }: Search): Prefix | undefined {
  const made = blocks.filter(({ prefix }) => prefixesOverlap(prefix, pool.cidr));
  const taken = new Set(made.filter(({ prefix }) => isOf(pool, prefix)).map(({ prefix }) => indexOf(pool, prefix)));
  // Blocks of another size, from before the pool was made anew, must not overlap a block of ours.
  const odd = made.filter(({ prefix }) => !isOf(pool, prefix));
  const [count, start] = [blockCount(pool), startIndex(node, pool)];
  for (let step = 0n; step < count; step++) {
    const index = (start + step) % count;
    if (taken.has(index)) continue;
    const prefix = blockAt(pool, index);
    const reserved = reservations.over(prefix);
    if (reserved !== undefined) {
      if (prefixContains(reserved, pool.cidr)) return undefined;
      step += blocksIn(reserved, pool) - 1n - ((index - indexOf(pool, reserved)) % blocksIn(reserved, pool));
      continue;
    }
    if (!isTried(prefix) && !odd.some((other) => prefixesOverlap(other.prefix, prefix))) return prefix;
  }
  return undefined;
}

/** How many of the pool's blocks a network within the pool spans. */
const blocksIn = ({ length }: Prefix, { blockSize }: IpamPool): bigint => 1n << BigInt(blockSize - length);

/** Empty for long enough that its owner is not just about to use it. */
export function isReclaimable(block: Block, nowMs: number): boolean {
  const claimedAt = block.affinityClaimTime === null ? 0 : Date.parse(block.affinityClaimTime);
  return isEmpty(block) && nowMs - claimedAt >= MIN_RECLAIM_AGE_MS;
}

/** The pool's blocks, from the node's own start on, once around. */
export function inOrder(pool: IpamPool, { node, blocks }: Pick<Search, 'node' | 'blocks'>): readonly Block[] {
  const [count, start] = [blockCount(pool), startIndex(node, pool)];
  const distance = ({ prefix }: Block): bigint => (indexOf(pool, prefix) - start + count) % count;
  return blocks
    .filter(({ prefix }) => isOf(pool, prefix))
    .map((block) => ({ block, far: distance(block) }))
    .sort((a, b) => (a.far < b.far ? -1 : 1))
    .map(({ block }) => block);
}

const isOf = ({ cidr, blockSize }: IpamPool, prefix: Prefix): boolean =>
  prefix.length === blockSize && prefixContains(cidr, prefix);

const toBigint = ({ words }: IpAddress): bigint => words.reduce((value, word) => (value << 32n) | BigInt(word), 0n);

const fromBigint = (value: bigint, { family, words }: IpAddress): IpAddress => ({
  family,
  words: words.map((_, i) => Number((value >> BigInt(32 * (words.length - 1 - i))) & 0xffff_ffffn)),
});
