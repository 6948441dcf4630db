/** What is told in one pass: rows sorted by what is said about them, then packed into UPDATEs. */
import { mix } from '../rib/hash.ts';
import { ABSENT } from '../rib/int-table.ts';
import type { PrefixTable } from '../rib/prefix-table.ts';
import { UpdateWriter } from '../wire.ts';
import type { CodecContext } from '../wire.ts';
import { maxOctets, updateKind } from './pack.ts';
import type { EncodedSet } from './encoded-set.ts';
import type { Told } from './told-sets.ts';

/** How many rows one pass takes: some 64 KB of IPv4 prefixes, and a millisecond or two. */
export const BATCH_ROWS = 16_384;

/** In the place of a peer: nobody, for no peer has this index. */
export const NO_PEER = 0;

/** Whole UPDATEs one behind the other, withdrawals first. */
export interface Messages {
  readonly octets: Uint8Array;
  /** By peer that must not have some of them: where these begin and end, ascending. */
  readonly exceptions: ReadonlyMap<number, readonly number[]>;
  /** What the encoding of an attribute set threw, a bug: its rows are left out. */
  readonly failure?: Error;
}

export interface BatchView {
  readonly prefixes: PrefixTable;
  readonly send: CodecContext;
  /** Stands until the next is asked for. */
  readonly encodedSet: (told: Told) => EncodedSet;
}

const END = -1;
/** Slots of the index: at most half of them are taken. A power of two. */
const SLOTS = 2 * BATCH_ROWS;
const FREE = 0;

/**
 * Holds each prefix from `add` on until it is encoded. Used again and again, by one pass at a time. Rows about which the same
 * is said to the same peers are a bucket, a list through `#next`; nothing here is an object, for a full table has some
 * 200,000 buckets.
 */
export class Batch {
  readonly #prefixOf = new Int32Array(BATCH_ROWS);
  readonly #next = new Int32Array(BATCH_ROWS);
  /** By bucket: what is told, or ABSENT: withdraw; who is not told; its first and last row. */
  readonly #targets = new Int32Array(BATCH_ROWS);
  readonly #excepts = new Int32Array(BATCH_ROWS);
  readonly #firsts = new Int32Array(BATCH_ROWS);
  readonly #lasts = new Int32Array(BATCH_ROWS);
  /** Slot → bucket + 1, or FREE. */
  readonly #index = new Int32Array(SLOTS);
  /** By bucket: its slot. */
  readonly #slots = new Int32Array(BATCH_ROWS);
  #buckets = 0;
  /** Of the last row: neighboring prefixes mostly have the same attributes. */
  #lastBucket = 0;
  #size = 0;
  readonly #writer = new UpdateWriter();

  get size(): number {
    return this.#size;
  }

  get isEmpty(): boolean {
    return this.#size === 0;
  }

  get isFull(): boolean {
    return this.#size === BATCH_ROWS;
  }

  /** Takes over a hold on the prefix. `target` ABSENT: withdraw. All peers but `except` are told. */
  add(prefix: number, target: Told, except: number): void {
    const row = this.#size++;
    this.#prefixOf[row] = prefix;
    this.#next[row] = END;
    let bucket = this.#lastBucket;
    if (row === 0 || this.#targets[bucket] !== target || this.#excepts[bucket] !== except) {
      bucket = this.#bucketOf(target, except);
      this.#lastBucket = bucket;
    }
    if (this.#firsts[bucket] === END) this.#firsts[bucket] = row;
    else this.#next[this.#lasts[bucket]!] = row;
    this.#lasts[bucket] = row;
  }

  /** Empties it. */
  encode(view: BatchView): Messages {
    const exceptions = new Map<number, number[]>();
    let failure: Error | undefined;
    const write = (bucket: number): void => {
      try {
        this.#write(bucket, view, exceptions);
      } catch (error) {
        failure ??= error as Error;
      }
    };
    for (let bucket = 0; bucket < this.#buckets; bucket++) if (this.#targets[bucket] === ABSENT) write(bucket);
    for (let bucket = 0; bucket < this.#buckets; bucket++) if (this.#targets[bucket] !== ABSENT) write(bucket);
    this.#clear(view);
    return { octets: this.#writer.take(), exceptions, ...(failure !== undefined && { failure }) };
  }

  /** New, and empty, where there is none yet. */
  #bucketOf(target: Told, except: number): number {
    let slot = mix(except, target) & (SLOTS - 1);
    for (let entry = this.#index[slot]!; entry !== FREE; entry = this.#index[slot]!) {
      const bucket = entry - 1;
      if (this.#targets[bucket] === target && this.#excepts[bucket] === except) return bucket;
      slot = (slot + 1) & (SLOTS - 1);
    }
    const bucket = this.#buckets++;
    this.#targets[bucket] = target;
    this.#excepts[bucket] = except;
    this.#firsts[bucket] = END;
    this.#index[slot] = bucket + 1;
    this.#slots[bucket] = slot;
    return bucket;
  }

  #clear({ prefixes }: BatchView): void {
    for (let row = 0; row < this.#size; row++) prefixes.release(this.#prefixOf[row]!);
    this.#size = 0;
    for (let bucket = 0; bucket < this.#buckets; bucket++) this.#index[this.#slots[bucket]!] = FREE;
    this.#buckets = 0;
  }

  #write(bucket: number, view: BatchView, exceptions: Map<number, number[]>): void {
    const writer = this.#writer;
    const { prefixes, send } = view;
    const from = writer.length;
    const target = this.#targets[bucket]!;
    // First, for it may throw, and then nothing is begun.
    const kind = updateKind(prefixes.family, target === ABSENT ? undefined : view.encodedSet(target));
    writer.begin(kind, maxOctets(send));
    for (let row = this.#firsts[bucket]!; row !== END; row = this.#next[row]!) {
      const prefix = this.#prefixOf[row]!;
      const w0 = prefixes.word(prefix, 0);
      const w1 = prefixes.word(prefix, 1);
      writer.prefix(w0, w1, prefixes.word(prefix, 2), prefixes.word(prefix, 3), prefixes.length(prefix));
    }
    writer.end();
    const except = this.#excepts[bucket]!;
    if (except === NO_PEER) return;
    const ranges = exceptions.get(except);
    if (ranges === undefined) exceptions.set(except, [from, writer.length]);
    else ranges.push(from, writer.length);
  }
}

/** What of the messages a peer is to have: all of them, but for what is not for it. */
export function partsFor({ octets, exceptions }: Messages, peer: number): readonly Uint8Array[] {
  const ranges = exceptions.get(peer);
  if (ranges === undefined) return [octets];
  const parts: Uint8Array[] = [];
  let from = 0;
  for (let at = 0; at < ranges.length; at += 2) {
    if (ranges[at]! > from) parts.push(octets.subarray(from, ranges[at]));
    from = ranges[at + 1]!;
  }
  if (from < octets.length) parts.push(octets.subarray(from));
  return parts;
}
