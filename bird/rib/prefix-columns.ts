import type { IpFamily } from '../../src/model/ip.ts';
import { longerOctets, longerWords } from './columns.ts';

const FEW_ROWS = 8;

/** By id, which prefix of one family it names, and how many hold it. */
export class PrefixColumns {
  /** Words of an address. */
  readonly width: number;
  words: Uint32Array<ArrayBuffer>;
  lengths = new Uint8Array(FEW_ROWS);
  holders = new Uint32Array(FEW_ROWS);

  constructor(family: IpFamily) {
    this.width = family === 4 ? 1 : 4;
    this.words = new Uint32Array(FEW_ROWS * this.width);
  }

  get rows(): number {
    return this.lengths.length;
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

  /** Held by nobody so far. */
  put(id: number, w0: number, w1: number, w2: number, w3: number, length: number): void {
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
  }

  /** Rows from `used` on are not used any more. */
  shorten(used: number): void {
    const rows = Math.max(FEW_ROWS, used);
    this.lengths = this.lengths.slice(0, rows);
    this.words = this.words.slice(0, rows * this.width);
    this.holders = this.holders.slice(0, rows);
  }

  #grow(): void {
    this.lengths = longerOctets(this.lengths, this.rows + 1);
    this.words = longerWords(this.words, this.rows * this.width);
    this.holders = longerWords(this.holders, this.rows);
  }
}
