import type { IpFamily } from '../../src/model/ip.ts';
import { prefixWord } from '../wire.ts';

/** As many as a message of 4,096 octets mostly holds. */
const ROWS = 1024;
const IPV6_WORDS = 4;

/** Prefixes of one message on their way to their ids, as columns. */
export class PrefixBatch {
  /** Words of an address, which stand one behind the other in `words`. */
  readonly width: number;
  readonly words: Uint32Array<ArrayBuffer>;
  readonly lengths = new Uint8Array(ROWS);
  readonly ids = new Int32Array(ROWS);
  /** For `PrefixTable`. */
  readonly hashes = new Int32Array(ROWS);
  #size = 0;

  constructor(family: IpFamily) {
    this.width = family === 4 ? 1 : IPV6_WORDS;
    this.words = new Uint32Array(ROWS * this.width);
  }

  get size(): number {
    return this.#size;
  }

  /** Takes the prefixes of `octets[start, end)`, which were checked, in the place of what it has; answers how far there was room. */
  read(octets: Uint8Array, start: number, end: number): number {
    const { words, lengths, width } = this;
    let at = start;
    let size = 0;
    while (at < end && size < ROWS) {
      const length = octets[at]!;
      lengths[size] = length;
      if (width === 1) words[size] = prefixWord(octets, at + 1, length);
      else readIpv6(words, IPV6_WORDS * size, octets, at + 1, length);
      size++;
      at += 1 + ((length + 7) >>> 3);
    }
    this.#size = size;
    return at;
  }
}

function readIpv6(words: Uint32Array, to: number, octets: Uint8Array, at: number, length: number): void {
  words[to] = prefixWord(octets, at, length);
  words[to + 1] = prefixWord(octets, at + 4, length - 32);
  words[to + 2] = prefixWord(octets, at + 8, length - 64);
  words[to + 3] = prefixWord(octets, at + 12, length - 96);
}
