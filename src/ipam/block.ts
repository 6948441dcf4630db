import type { IpAddress, Prefix } from '../model/ip.ts';
import { addressAt, addressBits, offsetIn, prefixContainsAddress } from '../model/ip.ts';

/** Whose allocations these are. Equal attributes are kept once per block. */
export interface AllocationAttributes {
  /** Null once released and cooling down. */
  readonly handleId: string | null;
  /** Calico's keys: pod, namespace, node, timestamp, type. */
  readonly secondary: Readonly<Record<string, string>>;
  /** Calico's, of a virtual machine that moves: who gets the address next. Kept and shown. */
  readonly alternate?: Readonly<Record<string, string>>;
  /** ISO 8601; the address rests until IPAMConfig's ipCooldownSeconds have passed. */
  readonly releasedAt?: string;
}

/** One block of addresses. An ordinal is an address's place in it; each is allocated or unallocated, never both. */
export interface Block {
  readonly prefix: Prefix;
  /** `host:node-a1`, `virtual:load-balancer`, or null: nobody's, its allocations live on. */
  readonly affinity: string | null;
  readonly affinityClaimTime: string | null;
  /** By ordinal: the index into `attributes`, or null. */
  readonly allocations: readonly (number | null)[];
  /** First in, first out: an address that was just released is the last to be used again. */
  readonly unallocated: readonly number[];
  readonly attributes: readonly AllocationAttributes[];
  /** Grows with each write. */
  readonly sequenceNumber: number;
  /** By ordinal: the block's sequence number when it was allocated. A release that carries another one comes too late. */
  readonly sequenceNumberForAllocation: ReadonlyMap<number, number>;
  readonly deleted: boolean;
}

export interface Assignment {
  readonly address: IpAddress;
  readonly ordinal: number;
  readonly sequenceNumber: number;
  readonly attributes: AllocationAttributes;
}

export interface NewBlock {
  readonly prefix: Prefix;
  readonly affinity: string;
  readonly claimedAtMs: number;
}

export const blockOrdinals = ({ address, length }: Prefix): number => 2 ** (addressBits(address.family) - length);

export function newBlock({ prefix, affinity, claimedAtMs }: NewBlock): Block {
  const ordinals = blockOrdinals(prefix);
  return {
    prefix,
    affinity,
    affinityClaimTime: new Date(claimedAtMs).toISOString(),
    allocations: Array.from({ length: ordinals }, () => null),
    unallocated: Array.from({ length: ordinals }, (_, ordinal) => ordinal),
    attributes: [],
    // Calico starts from nanoseconds since 1970, which a double cannot count one by one; microseconds it can.
    sequenceNumber: Math.floor(claimedAtMs * 1000),
    sequenceNumberForAllocation: new Map(),
    deleted: false,
  };
}

export const isEmpty = (block: Block): boolean => block.allocations.every((index) => index === null);

/** No address is in use; some may rest. */
export const isUnused = (block: Block): boolean =>
  block.allocations.every((index) => index === null || block.attributes[index]?.releasedAt !== undefined);

/** By ordinal: places that are kept back. */
export type IsReserved = (ordinal: number) => boolean;

/** The queue without what is reserved, which stays in it where it is. */
export const freeOrdinals = (block: Block, isReserved: IsReserved): readonly number[] =>
  block.unallocated.filter((ordinal) => !isReserved(ordinal));

/** Takes up to `count` addresses from the head of the queue. Fewer, or none, where the block has no more. */
export const allocate = (
  block: Block,
  count: number,
  attributes: AllocationAttributes,
): readonly [Block, readonly Assignment[]] => allocateOrdinals(block, block.unallocated.slice(0, count), attributes);

/** Takes these places, all of which must be in the queue. */
export function allocateOrdinals(
  block: Block,
  ordinals: readonly number[],
  attributes: AllocationAttributes,
): readonly [Block, readonly Assignment[]] {
  if (ordinals.length === 0) return [block, []];
  const same = block.attributes.findIndex((candidate) => sameAttributes(candidate, attributes));
  const index = same >= 0 ? same : block.attributes.length;
  const allocations = [...block.allocations];
  const sequence = new Map(block.sequenceNumberForAllocation);
  for (const ordinal of ordinals) {
    allocations[ordinal] = index;
    sequence.set(ordinal, block.sequenceNumber);
  }
  const next: Block = {
    ...written(block),
    allocations,
    unallocated: block.unallocated.filter((ordinal) => allocations[ordinal] === null),
    attributes: same >= 0 ? block.attributes : [...block.attributes, attributes],
    sequenceNumberForAllocation: sequence,
  };
  return [next, ordinals.map((ordinal) => assignmentAt(next, ordinal)!)];
}

/** Until when a released address rests, milliseconds since 1970; undefined where it does not. */
export function restsUntil(block: Block, address: IpAddress, cooldownSeconds: number): number | undefined {
  const releasedAt = assignmentAt(block, offsetIn(block.prefix, address))?.attributes.releasedAt;
  return releasedAt === undefined ? undefined : Date.parse(releasedAt) + cooldownSeconds * 1000;
}

/** Who holds an address; undefined where it is free, cooling down, or not of this block. */
export function assignmentOf(block: Block, address: IpAddress): Assignment | undefined {
  if (!prefixContainsAddress(block.prefix, address)) return undefined;
  const found = assignmentAt(block, offsetIn(block.prefix, address));
  return found?.attributes.releasedAt === undefined ? found : undefined;
}

export function assignmentsOfHandle(block: Block, handleId: string): readonly Assignment[] {
  return block.allocations.flatMap((index, ordinal) =>
    index !== null && block.attributes[index]?.handleId === handleId ? [assignmentAt(block, ordinal)!] : [],
  );
}

/**
 * Frees ordinals. Without a cooldown they go to the tail of the queue at once; with one they are marked `releasedAt`
 * and stay out of use until `collectCooled` finds them old enough.
 */
export function release(block: Block, ordinals: readonly number[], cooldown?: { readonly releasedAt: string }): Block {
  const held = ordinals.filter((ordinal) => typeof block.allocations[ordinal] === 'number');
  if (cooldown === undefined) return freed(block, held);
  const resting: AllocationAttributes = { handleId: null, secondary: {}, releasedAt: cooldown.releasedAt };
  const index = block.attributes.length;
  const allocations = block.allocations.map((old, ordinal) => (held.includes(ordinal) ? index : old));
  return pruned({ ...written(block), allocations, attributes: [...block.attributes, resting] });
}

/** Brings home what was released at least `cooldownSeconds` ago. The same block where there is nothing to do. */
export function collectCooled(block: Block, nowMs: number, cooldownSeconds: number): Block {
  const cooled = block.allocations.flatMap((index, ordinal) => {
    const releasedAt = index === null ? undefined : block.attributes[index]?.releasedAt;
    return releasedAt !== undefined && Date.parse(releasedAt) + cooldownSeconds * 1000 <= nowMs ? [ordinal] : [];
  });
  return cooled.length === 0 ? block : freed(block, cooled);
}

/** The same block, written once more: whoever read it before must read it again. */
export const touched = (block: Block): Block => written(block);

/** The block without an owner; its allocations live on. */
export const disowned = (block: Block): Block => ({ ...written(block), affinity: null, affinityClaimTime: null });

function freed(block: Block, ordinals: readonly number[]): Block {
  const sequence = new Map(block.sequenceNumberForAllocation);
  for (const ordinal of ordinals) sequence.delete(ordinal);
  return pruned({
    ...written(block),
    allocations: block.allocations.map((index, ordinal) => (ordinals.includes(ordinal) ? null : index)),
    unallocated: [...block.unallocated, ...ordinals],
    sequenceNumberForAllocation: sequence,
  });
}

/** Attributes that nobody refers to any more go, and the others move up. */
function pruned(block: Block): Block {
  const used = [...new Set(block.allocations.filter((index) => index !== null))].sort((a, b) => a - b);
  const moved = new Map(used.map((index, place) => [index, place]));
  return {
    ...block,
    allocations: block.allocations.map((index) => (index === null ? null : moved.get(index)!)),
    attributes: used.map((index) => block.attributes[index]!),
  };
}

function assignmentAt(block: Block, ordinal: number): Assignment | undefined {
  const index = block.allocations[ordinal];
  if (index === null || index === undefined) return undefined;
  return {
    address: addressAt(block.prefix, ordinal),
    ordinal,
    sequenceNumber: block.sequenceNumberForAllocation.get(ordinal) ?? 0,
    attributes: block.attributes[index]!,
  };
}

const written = (block: Block): Block => ({ ...block, sequenceNumber: nextSequenceNumber(block.sequenceNumber) });

/** One more; beyond 2^53, where Calico's nanoseconds lie, the next number that a double can hold. */
export function nextSequenceNumber(current: number): number {
  let step = 1;
  while (current + step === current) step *= 2;
  return current + step;
}

const sameAttributes = (a: AllocationAttributes, b: AllocationAttributes): boolean =>
  a.handleId === b.handleId &&
  a.releasedAt === b.releasedAt &&
  sameFields(a.secondary, b.secondary) &&
  sameFields(a.alternate ?? {}, b.alternate ?? {});

function sameFields(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}

/** Addresses of the block in use on nodes other than `node`, which borrowed them. An assignment that names no node is nobody's. */
export const lentAddresses = (block: Block, node: string): readonly IpAddress[] =>
  block.allocations.flatMap((_, ordinal) => {
    const found = assignmentAt(block, ordinal);
    const holder = found?.attributes.releasedAt === undefined ? found?.attributes.secondary['node'] : undefined;
    return found === undefined || holder === undefined || holder === node ? [] : [found.address];
  });
