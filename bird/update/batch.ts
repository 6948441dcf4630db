/** What is told in one pass: rows sorted by what is said about them, then packed into UPDATEs. */
import { ABSENT } from '../rib/int-table.ts';
import type { PrefixTable } from '../rib/prefix-table.ts';
import { UpdateWriter } from '../wire.ts';
import type { CodecContext } from '../wire.ts';
import { maxOctets, updateKind } from './pack.ts';
import type { EncodedSet } from './encoded-set.ts';

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
  /** Encoded once per set and group of peers, whoever asks. */
  readonly encodedSet: (attributes: number) => EncodedSet;
}

/** Rows about which the same is said to the same peers, as a list through `#next`. */
interface Bucket {
  /** The attribute set, or ABSENT: withdraw. */
  readonly target: number;
  readonly except: number;
  readonly first: number;
  last: number;
}

const END = -1;
const MAX_PEERS = 2 ** 20;

/** Holds each prefix from `add` on until it is encoded. Used again and again, by one pass at a time. */
export class Batch {
  readonly #prefixOf = new Int32Array(BATCH_ROWS);
  readonly #next = new Int32Array(BATCH_ROWS);
  readonly #buckets = new Map<number, Bucket>();
  #lastKey = -1;
  #lastBucket: Bucket | undefined;
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
  add(prefix: number, target: number, except: number): void {
    const row = this.#size++;
    this.#prefixOf[row] = prefix;
    this.#next[row] = END;
    const key = (target + 1) * MAX_PEERS + except;
    const bucket = key === this.#lastKey ? this.#lastBucket! : this.#buckets.get(key);
    if (bucket === undefined) {
      this.#lastBucket = { target, except, first: row, last: row };
      this.#buckets.set(key, this.#lastBucket);
    } else {
      this.#next[bucket.last] = row;
      bucket.last = row;
      this.#lastBucket = bucket;
    }
    this.#lastKey = key;
  }

  /** Empties it. */
  encode(view: BatchView): Messages {
    const exceptions = new Map<number, number[]>();
    let failure: Error | undefined;
    const write = (bucket: Bucket): void => {
      try {
        this.#write(bucket, view, exceptions);
      } catch (error) {
        failure ??= error as Error;
      }
    };
    for (const bucket of this.#buckets.values()) if (bucket.target === ABSENT) write(bucket);
    for (const bucket of this.#buckets.values()) if (bucket.target !== ABSENT) write(bucket);
    this.#clear(view);
    return { octets: this.#writer.take(), exceptions, ...(failure !== undefined && { failure }) };
  }

  #clear({ prefixes }: BatchView): void {
    for (let row = 0; row < this.#size; row++) prefixes.release(this.#prefixOf[row]!);
    this.#size = 0;
    this.#buckets.clear();
    this.#lastKey = -1;
    this.#lastBucket = undefined;
  }

  #write({ target, except, first }: Bucket, view: BatchView, exceptions: Map<number, number[]>): void {
    const writer = this.#writer;
    const { prefixes, send } = view;
    const from = writer.length;
    // First, for it may throw, and then nothing is begun.
    const kind = updateKind(prefixes.family, target === ABSENT ? undefined : view.encodedSet(target));
    writer.begin(kind, maxOctets(send));
    for (let row = first; row !== END; row = this.#next[row]!) {
      const prefix = this.#prefixOf[row]!;
      const [w0, w1] = [prefixes.word(prefix, 0), prefixes.word(prefix, 1)];
      writer.prefix(w0, w1, prefixes.word(prefix, 2), prefixes.word(prefix, 3), prefixes.length(prefix));
    }
    writer.end();
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
