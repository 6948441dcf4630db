import { prefixWord } from '../wire.ts';

/** As many as a message of 4,096 octets mostly holds. */
const ROWS = 1024;

/** IPv4 prefixes of one message on their way to their ids, as columns. */
export class PrefixBatch {
  readonly words = new Uint32Array(ROWS);
  readonly lengths = new Uint8Array(ROWS);
  readonly ids = new Int32Array(ROWS);
  /** For `PrefixTable`. */
  readonly hashes = new Int32Array(ROWS);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Takes the prefixes of `octets[start, end)`, which were checked, in the place of what it has; answers how far there was room. */
  read(octets: Uint8Array, start: number, end: number): number {
    let at = start;
    let size = 0;
    while (at < end && size < ROWS) {
      const length = octets[at]!;
      this.lengths[size] = length;
      this.words[size++] = prefixWord(octets, at + 1, length);
      at += 1 + ((length + 7) >>> 3);
    }
    this.#size = size;
    return at;
  }
}
