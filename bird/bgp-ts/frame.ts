import { BgpError } from './error.ts';
import { readHeader } from './message/header.ts';

const INITIAL_OCTETS = 8192;

/**
 * Cuts a byte stream into messages, whatever the chunks. Incomplete is `undefined`, malformed is a BgpError (1/x),
 * thrown as soon as the octet that proves it is there. Drained after each push, it holds one message at most.
 */
export class Framer {
  #bytes = new Uint8Array(INITIAL_OCTETS);
  #head = 0;
  #tail = 0;
  #maxOctets: number;
  #fault: BgpError | undefined;

  /** `maxOctets`: 4096, or 65535 once both sides sent RFC 8654's capability. */
  constructor(maxOctets: number) {
    this.#maxOctets = maxOctets;
  }

  set maxOctets(maxOctets: number) {
    this.#maxOctets = maxOctets;
  }

  /** Copies `chunk`; the caller may use its memory again. After a fault nothing is taken any more. */
  push(chunk: Uint8Array): void {
    if (this.#fault !== undefined) return;
    if (this.#head === this.#tail) this.#head = this.#tail = 0;
    if (this.#tail + chunk.length > this.#bytes.length) this.#makeRoom(chunk.length);
    this.#bytes.set(chunk, this.#tail);
    this.#tail += chunk.length;
  }

  /** The next whole message, a view that holds until the next push. Throws BgpError; the same one ever after. */
  next(): Uint8Array | undefined {
    if (this.#fault !== undefined) throw this.#fault;
    const length = this.#nextLength();
    if (length === undefined || length > this.#tail - this.#head) return undefined;
    const frame = this.#bytes.subarray(this.#head, this.#head + length);
    this.#head += length;
    return frame;
  }

  #nextLength(): number | undefined {
    try {
      return readHeader(this.#bytes, [this.#head, this.#tail], this.#maxOctets)?.lengthOctets;
    } catch (error) {
      if (error instanceof BgpError) this.#fault = error;
      throw error;
    }
  }

  /** Moves what is left to the front. At least half stays free, so that single octets do not move it each time. */
  #makeRoom(octets: number): void {
    const left = this.#tail - this.#head;
    const wanted = left + octets;
    let capacity = this.#bytes.length;
    while (capacity < wanted || capacity < 2 * left) capacity *= 2;
    if (capacity === this.#bytes.length) {
      this.#bytes.copyWithin(0, this.#head, this.#tail);
    } else {
      const larger = new Uint8Array(capacity);
      larger.set(this.#bytes.subarray(this.#head, this.#tail));
      this.#bytes = larger;
    }
    this.#head = 0;
    this.#tail = left;
  }
}
