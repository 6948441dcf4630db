import { ByteQueue } from '../byte-queue.ts';
import { MRT_HEADER_OCTETS, readMrtHeader } from './header.ts';

const INITIAL_OCTETS = 65536;

/** Far above what a full table needs for one prefix; far below what a file of noise asks for. */
export const MAX_RECORD_OCTETS = 16 * 1024 * 1024;

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
   * The next whole record for decodeMrt, a view that holds until the next push. Undefined while it has not all arrived,
   * and from a record on that is longer than allowed: ask `end` where nothing more comes.
   */
  next(): Uint8Array | undefined {
    const octets = this.#nextOctets();
    return octets === undefined || octets > this.#queue.left ? undefined : this.#queue.take(octets);
  }

  /** Why not all of the file came out of `next`: a record too long, or the end within one. Undefined: all of it did. */
  end(): string | undefined {
    if (this.#fault !== undefined) return this.#fault;
    const { left } = this.#queue;
    return left === 0 ? undefined : `the file ends within a record, ${left} octets of it are there`;
  }

  #nextOctets(): number | undefined {
    if (this.#fault !== undefined || this.#queue.left < MRT_HEADER_OCTETS) return undefined;
    const octets = MRT_HEADER_OCTETS + readMrtHeader(this.#queue.bytes, this.#queue.head).bodyOctets;
    if (octets <= this.#maxOctets) return octets;
    this.#fault = `a record of ${octets} octets is longer than ${this.#maxOctets}`;
    return undefined;
  }
}
