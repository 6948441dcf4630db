import type { IpFamily } from '../../src/model/ip.ts';
import { longerOctets, longerWords } from './columns.ts';

/** What has no id. */
export const NO_PREFIX = -1;
/** In the place of how many hold an id that names no prefix; the first word of its address says which one is the next. */
export const UNUSED = 0xffff_ffff;
const FEW_ROWS = 8;

/** By id, which prefix of one family it names, and how many hold it; and the ids that name none. */
export class PrefixColumns {
  /** Words of an address. */
  readonly width: number;
  words: Uint32Array<ArrayBuffer>;
  lengths = new Uint8Array(FEW_ROWS);
  holders = new Uint32Array(FEW_ROWS);
  /** One more than the last row that may name a prefix. */
  #used = 0;
  /** The first of the ids below that name none. */
  #unused = NO_PREFIX;

  constructor(family: IpFamily) {
    this.width = family === 4 ? 1 : 4;
    this.words = new Uint32Array(FEW_ROWS * this.width);
  }

  get rows(): number {
    return this.lengths.length;
  }

  get used(): number {
    return this.#used;
  }

  get octets(): number {
    return this.words.byteLength + this.lengths.byteLength + this.holders.byteLength;
  }

  isAt(id: number, w0: number, w1: number, w2: number, w3: number, length: number): boolean {
    const at = id * this.width;
    if (this.words[at] !== w0 || this.lengths[id] !== length) return false;
    if (this.width === 1) return true;
    return this.words[at + 1] === w1 && this.words[at + 2] === w2 && this.words[at + 3] === w3;
  }

  /** Its id; held by nobody so far. */
  add(w0: number, w1: number, w2: number, w3: number, length: number): number {
    const id = this.#take();
    if (id >= this.rows) this.#grow();
    const at = id * this.width;
    this.words[at] = w0;
    if (this.width === 4) {
      this.words[at + 1] = w1;
      this.words[at + 2] = w2;
      this.words[at + 3] = w3;
    }
    this.lengths[id] = length;
    this.holders[id] = 0;
    return id;
  }

  /** All that is `UNUSED` is to be given away anew. */
  forgetUnused(): void {
    this.#unused = NO_PREFIX;
  }

  /**
   * The id names no prefix any more. From the last row to the first: nothing above it is free, so either it is the last row, or
   * some prefix above it is held.
   */
  giveAway(id: number): void {
    if (id === this.#used - 1) {
      this.#used = id;
      return;
    }
    this.holders[id] = UNUSED;
    this.words[id * this.width] = this.#unused;
    this.#unused = id;
  }

  /** Rows beyond those that are used go. */
  shorten(): void {
    const rows = Math.max(FEW_ROWS, this.#used);
    this.lengths = this.lengths.slice(0, rows);
    this.words = this.words.slice(0, rows * this.width);
    this.holders = this.holders.slice(0, rows);
  }

  #take(): number {
    const id = this.#unused;
    if (id === NO_PREFIX) return this.#used++;
    this.#unused = this.words[id * this.width]! | 0;
    return id;
  }

  #grow(): void {
    this.lengths = longerOctets(this.lengths, this.rows + 1);
    this.words = longerWords(this.words, this.rows * this.width);
    this.holders = longerWords(this.holders, this.rows);
  }
}
