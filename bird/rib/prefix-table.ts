import type { IpFamily, Prefix } from '../../src/model/ip.ts';
import { longerOctets, longerWords } from './columns.ts';
import { mix, slotsFor } from './hash.ts';

/** What has no id. */
export const NO_PREFIX = -1;

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

const FREE = 0;

/**
 * Prefixes of one family as small integers, which is how all RIBs name them. Columns over typed arrays and an
 * open-addressing index; a prefix lives as long as somebody retains it, then its id is used again.
 */
export class PrefixTable {
  readonly family: IpFamily;
  readonly #seed: number;
  readonly #width: number;
  /** Slot → id + 1, or FREE. */
  #index = new Int32Array(16);
  #words: Uint32Array<ArrayBuffer>;
  #lengths = new Uint8Array(8);
  #holders = new Uint32Array(8);
  #freeIds: number[] = [];
  #used = 0;

  /** `seed` makes the places of prefixes unpredictable for those who would choose them to collide. */
  constructor(family: IpFamily, seed: number) {
    this.family = family;
    this.#seed = seed | 0;
    this.#width = family === 4 ? 1 : 4;
    this.#words = new Uint32Array(8 * this.#width);
  }

  get size(): number {
    return this.#used - this.#freeIds.length;
  }

  /** One more than the largest id in use: how long a column of the caller's must be. */
  get capacity(): number {
    return this.#lengths.length;
  }

  /** The id of a prefix that somebody retains, else NO_PREFIX. IPv4 is all in `w0`. */
  find(w0: number, w1: number, w2: number, w3: number, length: number): number {
    return this.#index[this.#slotOf(w0, w1, w2, w3, length)]! - 1;
  }

  /** The id of a prefix, new where it is not there yet; the caller must retain it, or it may be given away again. */
  intern(w0: number, w1: number, w2: number, w3: number, length: number): number {
    const slot = this.#slotOf(w0, w1, w2, w3, length);
    const found = this.#index[slot]!;
    if (found !== FREE) return found - 1;
    const id = this.#add(slot, w0, length);
    if (this.#width === 4) {
      const at = id * 4;
      this.#words[at + 1] = w1;
      this.#words[at + 2] = w2;
      this.#words[at + 3] = w3;
    }
    if (this.size * 2 > this.#index.length) this.#rehash();
    return id;
  }

  /** `find` in the table of IPv4. */
  findIpv4(word: number, length: number): number {
    return this.#index[this.#slotOfIpv4(word, length)]! - 1;
  }

  /** `intern` in the table of IPv4. */
  internIpv4(word: number, length: number): number {
    const slot = this.#slotOfIpv4(word, length);
    const found = this.#index[slot]!;
    if (found !== FREE) return found - 1;
    const id = this.#add(slot, word, length);
    if (this.size * 2 > this.#index.length) this.#rehash();
    return id;
  }

  internPrefix(prefix: Prefix): number {
    const { w0, w1, w2, w3, length } = packPrefix(prefix);
    return this.intern(w0, w1, w2, w3, length);
  }

  retain(id: number): void {
    this.#holders[id] = this.#holders[id]! + 1;
  }

  release(id: number): void {
    const left = this.#holders[id]! - 1;
    this.#holders[id] = left;
    if (left === 0) this.#remove(id);
  }

  /** Word `i` of the address, unsigned. IPv4 has only word 0; the others read as 0. */
  word(id: number, i: number): number {
    return i < this.#width ? this.#words[id * this.#width + i]! : 0;
  }

  length(id: number): number {
    return this.#lengths[id]!;
  }

  packed(id: number): PackedPrefix {
    const [w0, w1, w2, w3] = [this.word(id, 0), this.word(id, 1), this.word(id, 2), this.word(id, 3)];
    return { w0, w1, w2, w3, length: this.#lengths[id]! };
  }

  /** The object form, for the borders. */
  prefix(id: number): Prefix {
    const words = [...this.#words.subarray(id * this.#width, (id + 1) * this.#width)];
    return { address: { family: this.family, words }, length: this.#lengths[id]! };
  }

  #hash(w0: number, w1: number, w2: number, w3: number, length: number): number {
    const first = mix(mix(this.#seed, length), w0);
    return this.#width === 1 ? first : mix(mix(mix(first, w1), w2), w3);
  }

  #hashOf(id: number): number {
    if (this.#width === 1) return mix(mix(this.#seed, this.#lengths[id]!), this.#words[id]!);
    return this.#hash(this.word(id, 0), this.word(id, 1), this.word(id, 2), this.word(id, 3), this.#lengths[id]!);
  }

  #slotOf(w0: number, w1: number, w2: number, w3: number, length: number): number {
    const mask = this.#index.length - 1;
    let slot = this.#hash(w0, w1, w2, w3, length) & mask;
    for (let entry = this.#index[slot]!; entry !== FREE; entry = this.#index[slot]!) {
      if (this.#isAt(entry - 1, w0, w1, w2, w3, length)) return slot;
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  #slotOfIpv4(word: number, length: number): number {
    const index = this.#index;
    const mask = index.length - 1;
    let slot = mix(mix(this.#seed, length), word) & mask;
    for (let entry = index[slot]!; entry !== FREE; entry = index[slot]!) {
      if (this.#words[entry - 1] === word && this.#lengths[entry - 1] === length) return slot;
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  /** The other words of IPv6 are the caller's to fill in. */
  #add(slot: number, word: number, length: number): number {
    const id = this.#freeIds.pop() ?? this.#used++;
    if (id >= this.#lengths.length) this.#growColumns();
    this.#words[id * this.#width] = word;
    this.#lengths[id] = length;
    this.#holders[id] = 0;
    this.#index[slot] = id + 1;
    return id;
  }

  #isAt(id: number, w0: number, w1: number, w2: number, w3: number, length: number): boolean {
    const at = id * this.#width;
    if (this.#words[at] !== w0 || this.#lengths[id] !== length) return false;
    if (this.#width === 1) return true;
    return this.#words[at + 1] === w1 && this.#words[at + 2] === w2 && this.#words[at + 3] === w3;
  }

  #remove(id: number): void {
    const mask = this.#index.length - 1;
    let hole = this.#hashOf(id) & mask;
    while (this.#index[hole] !== id + 1) hole = (hole + 1) & mask;
    for (let slot = (hole + 1) & mask; this.#index[slot] !== FREE; slot = (slot + 1) & mask) {
      const home = this.#hashOf(this.#index[slot]! - 1) & mask;
      if (((slot - home) & mask) < ((slot - hole) & mask)) continue;
      this.#index[hole] = this.#index[slot]!;
      hole = slot;
    }
    this.#index[hole] = FREE;
    this.#freeIds.push(id);
  }

  #growColumns(): void {
    this.#lengths = longerOctets(this.#lengths, this.#lengths.length + 1);
    const rows = this.#lengths.length;
    this.#words = longerWords(this.#words, rows * this.#width);
    this.#holders = longerWords(this.#holders, rows);
  }

  #rehash(): void {
    const old = this.#index;
    this.#index = new Int32Array(slotsFor(this.size + 1));
    const mask = this.#index.length - 1;
    for (const entry of old) {
      if (entry === FREE) continue;
      let slot = this.#hashOf(entry - 1) & mask;
      while (this.#index[slot] !== FREE) slot = (slot + 1) & mask;
      this.#index[slot] = entry;
    }
  }
}
