import { ByteQueue } from './byte-queue.ts';
import { BgpError } from './error.ts';
import { readHeader } from './message/header.ts';

/** A session that says nothing but KEEPALIVEs holds no more; whatever comes in larger pieces makes it grow at once. */
const INITIAL_OCTETS = 256;

/**
 * Cuts a byte stream into messages, whatever the chunks. Incomplete is `undefined`, malformed is a BgpError (1/x),
 * thrown as soon as the octet that proves it is there. Drained after each push, it holds one message at most.
 */
export class Framer {
  readonly #queue = new ByteQueue(INITIAL_OCTETS);
  #maxOctets: number;
  #fault: BgpError | undefined;

  /** `maxOctets`: 4096, or 65535 where we sent RFC 8654's capability. */
  constructor(maxOctets: number) {
    this.#maxOctets = maxOctets;
  }

  set maxOctets(maxOctets: number) {
    this.#maxOctets = maxOctets;
  }

  /** Copies `chunk`; the caller may use its memory again. After a fault nothing is taken any more. */
  push(chunk: Uint8Array): void {
    if (this.#fault === undefined) this.#queue.push(chunk);
  }

  /** The next whole message, a view that holds until the next push. Throws BgpError; the same one ever after. */
  next(): Uint8Array | undefined {
    if (this.#fault !== undefined) throw this.#fault;
    const length = this.#nextLength();
    return length === undefined || length > this.#queue.left ? undefined : this.#queue.take(length);
  }

  #nextLength(): number | undefined {
    const { bytes, head, tail } = this.#queue;
    try {
      return readHeader(bytes, [head, tail], this.#maxOctets)?.lengthOctets;
    } catch (error) {
      if (error instanceof BgpError) this.#fault = error;
      throw error;
    }
  }
}
