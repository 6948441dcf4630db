import { ByteQueue } from '../byte-queue.ts';
import { BMP_MAX_OCTETS, readBmpLength } from './header.ts';
import type { BmpMalformed } from './malformed.ts';
import { asResult } from './malformed.ts';

const INITIAL_OCTETS = 8192;

/** The next whole message, or the end of the stream: after a header that lies nobody knows where the next one begins. */
export type BmpFrame = { readonly kind: 'frame'; readonly bytes: Uint8Array } | BmpMalformed;

/** Cuts a byte stream into BMP messages, whatever the chunks. Drained after each push, it holds one message at most. */
export class BmpFramer {
  readonly #maxOctets: number;
  readonly #queue = new ByteQueue(INITIAL_OCTETS);
  #malformed: BmpMalformed | undefined;

  /** `maxOctets` of one message. */
  constructor(maxOctets = BMP_MAX_OCTETS) {
    this.#maxOctets = maxOctets;
  }

  /** Copies `chunk`; the caller may use its memory again. After a malformed header nothing is taken any more. */
  push(chunk: Uint8Array): void {
    if (this.#malformed === undefined) this.#queue.push(chunk);
  }

  /**
   * Undefined until the next message has all arrived. A frame is a view that holds until the next push. A malformed
   * header is said once, as soon as the octet that proves it is there, and nothing comes behind it.
   */
  next(): BmpFrame | undefined {
    if (this.#malformed !== undefined) return undefined;
    const { bytes, head, tail, left } = this.#queue;
    const length = asResult(() => readBmpLength(bytes, [head, tail], this.#maxOctets));
    if (typeof length === 'object') return (this.#malformed = length);
    if (length === undefined || length > left) return undefined;
    return { kind: 'frame', bytes: this.#queue.take(length) };
  }
}
