import type { IpFamily, Prefix } from '../../src/model/ip.ts';
import { mix } from './hash.ts';
import type { PrefixBatch } from './prefix-batch.ts';
import { NO_PREFIX, PrefixColumns, UNUSED } from './prefix-columns.ts';
import { FREE, PrefixIndex } from './prefix-index.ts';

export { NO_PREFIX } from './prefix-columns.ts';

/** Unsigned words of the address, IPv4 all in `w0`, and the length. */
export interface PackedPrefix {
  readonly w0: number;
  readonly w1: number;
  readonly w2: number;
  readonly w3: number;
  readonly length: number;
}

export function packPrefix({ address, length }: Prefix): PackedPrefix {
  const [w0 = 0, w1 = 0, w2 = 0, w3 = 0] = address.words;
  return { w0, w1, w2, w3, length };
}

/** Rows that are moved with each prefix that comes: all are, long before the new index is full. */
const MOVED_AT_ONCE = 8;
/** Prefixes that nobody holds, and that may stay. */
const FEW = 1024;

/**
 * Prefixes of one family as small integers, which is how all RIBs name them: columns, and an index. A prefix that nobody
 * holds any more keeps its id, for to take it out of the index costs as much as to look it up, and it often comes back.
 * When the index is full, or somebody has time (`tidy`), it is made anew without them, some rows with each prefix that
 * comes: no turn of the loop goes through a million. Then an id is used again.
 */
export class PrefixTable {
  readonly family: IpFamily;
  readonly #columns: PrefixColumns;
  /** By length of prefix, what the hash begins with. */
  readonly #hashes: Int32Array;
  #index = new PrefixIndex(8, 0);
  /** While the index is made anew, the one before; what of it counts is still to be moved. */
  #before: PrefixIndex | undefined;
  /** Prefixes that have an id, and that somebody holds. */
  #known = 0;
  #held = 0;

  /** `seed` makes the places of prefixes unpredictable for those who would choose them to collide. */
  constructor(family: IpFamily, seed: number) {
    this.family = family;
    this.#columns = new PrefixColumns(family);
    this.#hashes = Int32Array.from({ length: 129 }, (_, length) => mix(seed | 0, length));
  }

  /** Prefixes that somebody holds. */
  get size(): number {
    return this.#held;
  }

  /** One more than the largest id in use: how long a column of the caller's must be. */
  get capacity(): number {
    return this.#columns.rows;
  }

  /** Octets of index and columns. */
  get octets(): number {
    return this.#columns.octets + this.#index.slots.byteLength + (this.#before?.slots.byteLength ?? 0);
  }

  /** The id of a prefix that somebody retains, else NO_PREFIX. IPv4 is all in `w0`. */
  find(w0: number, w1: number, w2: number, w3: number, length: number): number {
    return this.#ifHeld(this.#search(this.#hash(w0, w1, w2, w3, length), w0, w1, w2, w3, length));
  }

  /**
   * The id of a prefix, new where it is not there yet; the caller must retain it before anybody interns another, or it may be
   * given away again.
   */
  intern(w0: number, w1: number, w2: number, w3: number, length: number): number {
    this.#makeRoom(1);
    const hash = this.#hash(w0, w1, w2, w3, length);
    const found = this.#search(hash, w0, w1, w2, w3, length);
    return found === NO_PREFIX ? this.#add(hash, w0, w1, w2, w3, length) : found;
  }

  internPrefix(prefix: Prefix): number {
    const { w0, w1, w2, w3, length } = packPrefix(prefix);
    return this.intern(w0, w1, w2, w3, length);
  }

  /** `find` for each of a batch. */
  findAll(batch: PrefixBatch): void {
    const { ids, size } = batch;
    this.#touch(batch);
    for (let i = 0; i < size; i++) ids[i] = this.#ifHeld(this.#searchRow(batch, i));
  }

  /** `intern` for each of a batch; all are to be retained before anybody interns another. */
  internAll(batch: PrefixBatch): void {
    const { ids, size } = batch;
    this.#makeRoom(size);
    this.#touch(batch);
    for (let i = 0; i < size; i++) {
      const found = this.#searchRow(batch, i);
      ids[i] = found === NO_PREFIX ? this.#addRow(batch, i) : found;
    }
  }

  retain(id: number): void {
    const { holders } = this.#columns;
    const before = holders[id]!;
    holders[id] = before + 1;
    if (before === 0) this.#held++;
  }

  /** What nobody holds any more keeps its id until somebody interns a prefix, or calls `tidy`. */
  release(id: number): void {
    const { holders } = this.#columns;
    const left = holders[id]! - 1;
    holders[id] = left;
    if (left === 0) this.#held--;
  }

  /**
   * `tidy` has something to do: more prefixes are held by nobody than by somebody, and not only a few; or those few keep
   * columns long that could be short.
   */
  get isUntidy(): boolean {
    const idle = this.#known - this.#held;
    if (this.#before !== undefined || idle > Math.max(FEW, this.#held)) return true;
    return idle > 0 && this.#columns.rows > 4 * Math.max(FEW, this.#known);
  }

  /**
   * Gives back what prefixes took that nobody holds, where these are many: goes through at most `rows` rows, and answers
   * whether there is more to do. To be called where there is nothing else to do.
   */
  tidy(rows: number): boolean {
    if (!this.isUntidy) return false;
    if (this.#before === undefined) this.#renew(0);
    this.#move(rows);
    return this.isUntidy;
  }

  /** Word `i` of the address, unsigned. IPv4 has only word 0; the others read as 0. */
  word(id: number, i: number): number {
    const { width, words } = this.#columns;
    return i < width ? words[id * width + i]! : 0;
  }

  length(id: number): number {
    return this.#columns.lengths[id]!;
  }

  packed(id: number): PackedPrefix {
    const [w0, w1, w2, w3] = [this.word(id, 0), this.word(id, 1), this.word(id, 2), this.word(id, 3)];
    return { w0, w1, w2, w3, length: this.length(id) };
  }

  /** The object form, for the borders. */
  prefix(id: number): Prefix {
    const { width, words } = this.#columns;
    return {
      address: { family: this.family, words: [...words.subarray(id * width, (id + 1) * width)] },
      length: this.length(id),
    };
  }

  #ifHeld(id: number): number {
    return id === NO_PREFIX || this.#columns.holders[id] === 0 ? NO_PREFIX : id;
  }

  #hash(w0: number, w1: number, w2: number, w3: number, length: number): number {
    const first = mix(this.#hashes[length]!, w0);
    return this.#columns.width === 1 ? first : mix(mix(mix(first, w1), w2), w3);
  }

  /**
   * Works out the hashes and reads the slot of each: nothing here waits for anything else, so the processor fetches many slots
   * at the same time, where one search after the other waits for memory each time.
   */
  #touch({ words, lengths, hashes, ids, size, width }: PrefixBatch): void {
    const { slots } = this.#index;
    const mask = slots.length - 1;
    for (let i = 0; i < size; i++) {
      const at = width * i;
      const hash =
        width === 1
          ? mix(this.#hashes[lengths[i]!]!, words[i]!)
          : this.#hash(words[at]!, words[at + 1]!, words[at + 2]!, words[at + 3]!, lengths[i]!);
      hashes[i] = hash;
      // Kept, or the compiler leaves the read out.
      ids[i] = slots[hash & mask]!;
    }
  }

  #searchRow({ words, lengths, hashes, width }: PrefixBatch, i: number): number {
    if (width === 1) return this.#searchIpv4(hashes[i]!, words[i]!, lengths[i]!);
    const at = width * i;
    return this.#search(hashes[i]!, words[at]!, words[at + 1]!, words[at + 2]!, words[at + 3]!, lengths[i]!);
  }

  /** What the search of that row has not found. */
  #addRow({ words, lengths, hashes, width }: PrefixBatch, i: number): number {
    if (width === 1) return this.#add(hashes[i]!, words[i]!, 0, 0, 0, lengths[i]!);
    const at = width * i;
    return this.#add(hashes[i]!, words[at]!, words[at + 1]!, words[at + 2]!, words[at + 3]!, lengths[i]!);
  }

  /** The id of a prefix, held or not, else NO_PREFIX. */
  #search(hash: number, w0: number, w1: number, w2: number, w3: number, length: number): number {
    const columns = this.#columns;
    const id = this.#index.search(columns, hash, w0, w1, w2, w3, length);
    if (id !== NO_PREFIX || this.#before === undefined) return id;
    return this.#before.search(columns, hash, w0, w1, w2, w3, length);
  }

  /** `PrefixIndex.search`, here because that is faster. */
  #searchIpv4(hash: number, word: number, length: number): number {
    const index = this.#index;
    const { slots, idBits } = index;
    const { words, lengths } = this.#columns;
    const mask = slots.length - 1;
    let slot = hash & mask;
    for (let entry = slots[slot]!; entry !== FREE; entry = slots[slot]!) {
      const id = (entry & idBits) - 1;
      if (((entry ^ hash) & ~idBits) === 0 && words[id] === word && lengths[id] === length) return id;
      slot = (slot + 1) & mask;
    }
    index.end = slot;
    if (this.#before === undefined) return NO_PREFIX;
    return this.#before.search(this.#columns, hash, word, 0, 0, 0, length);
  }

  /** In the slot at which the search has ended. */
  #add(hash: number, w0: number, w1: number, w2: number, w3: number, length: number): number {
    const id = this.#columns.add(w0, w1, w2, w3, length);
    this.#index.addAtEnd(hash, id);
    this.#known++;
    return id;
  }

  /** For so many prefixes that are new, or come back. */
  #makeRoom(count: number): void {
    if (this.#before !== undefined) this.#move(count * MOVED_AT_ONCE);
    const { slots, idBits } = this.#index;
    if (this.#before !== undefined) return;
    if ((this.#known + count) * 2 <= slots.length && this.#columns.used + count <= idBits) return;
    this.#renew(count);
    this.#move(count * MOVED_AT_ONCE);
  }

  /** Begins an index anew: for what is held, and for all that may come while rows are moved. */
  #renew(count: number): void {
    const columns = this.#columns;
    const coming = Math.ceil(columns.used / MOVED_AT_ONCE) + count;
    this.#before = this.#index;
    this.#before.below = columns.used;
    columns.forgetUnused();
    this.#index = new PrefixIndex(this.#held + coming + 1, columns.used + coming);
  }

  /** From the last row to the first, so that the ids which are given out next are the lowest, and the last ones can go. */
  #move(rows: number): void {
    const columns = this.#columns;
    const { holders, lengths } = columns;
    const before = this.#before!;
    const end = Math.max(0, before.below - rows);
    for (let id = before.below - 1; id >= end; id--) {
      if (holders[id] === 0) this.#known--;
      if (holders[id] === 0 || holders[id] === UNUSED) {
        columns.giveAway(id);
        continue;
      }
      const hash = this.#hash(this.word(id, 0), this.word(id, 1), this.word(id, 2), this.word(id, 3), lengths[id]!);
      this.#index.add(hash, id);
    }
    before.below = end;
    if (end > 0) return;
    this.#before = undefined;
    if (columns.used * 4 < columns.rows) columns.shorten();
  }
}
