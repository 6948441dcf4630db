import { ByteQueue } from '../byte-queue.ts';
import { MRT_HEADER_OCTETS, readMrtHeader } from './header.ts';

const INITIAL_OCTETS = 65536;

/** Far above what a full table needs for one prefix; far below what a file of noise asks for. */
export const MAX_RECORD_OCTETS = 16 * 1024 * 1024;

/** The next whole record, or why no further one can be found. */
export type MrtFrame =
  { readonly kind: 'frame'; readonly bytes: Uint8Array } | { readonly kind: 'malformed'; readonly text: string };

/** Cuts a file into whole records, whatever the chunks. Drained after each push, it holds one record and one chunk at most. */
export class MrtReader {
  readonly #queue = new ByteQueue(INITIAL_OCTETS);
  readonly #maxOctets: number;
  #fault: string | undefined;

  /** `maxOctets`: of one record with its header. */
  constructor(maxOctets = MAX_RECORD_OCTETS) {
    this.#maxOctets = maxOctets;
  }

  /** Copies `chunk`; the caller may use its memory again. After a record that is too long nothing is taken any more. */
  push(chunk: Uint8Array): void {
    if (this.#fault === undefined) this.#queue.push(chunk);
  }

  /**
   * Undefined until the next record has all arrived. A frame is for decodeMrt, a view that holds until the next push. A
   * record longer than allowed is said once, and nothing comes behind it.
   */
  next(): MrtFrame | undefined {
    const { bytes, head, left } = this.#queue;
    if (this.#fault !== undefined || left < MRT_HEADER_OCTETS) return undefined;
    const octets = MRT_HEADER_OCTETS + readMrtHeader(bytes, head).bodyOctets;
    if (octets > this.#maxOctets) {
      this.#fault = `a record of ${octets} octets is longer than ${this.#maxOctets}`;
      return { kind: 'malformed', text: this.#fault };
    }
    return octets > left ? undefined : { kind: 'frame', bytes: this.#queue.take(octets) };
  }

  /** At the end of the file: why not all of it came out of `next`, or undefined: all of it did. */
  end(): string | undefined {
    const { left } = this.#queue;
    return this.#fault ?? (left === 0 ? undefined : `the file ends within a record, ${left} octets of it are there`);
  }
}
