import type { Family } from './context.ts';
import type { ErrorCode } from './error.ts';
import { BgpError } from './error.ts';
import { decodeUtf8 } from './utf8.ts';

/** Reads big-endian fields from `bytes[start, end)`. Past the end it throws BgpError with the code it was made with. */
export class Reader {
  readonly bytes: Uint8Array;
  readonly #overrun: ErrorCode;
  #at: number;
  #end: number;

  constructor(bytes: Uint8Array, [start, end]: readonly [number, number], overrun: ErrorCode) {
    this.bytes = bytes;
    this.#overrun = overrun;
    this.#at = start;
    this.#end = end;
  }

  get left(): number {
    return this.#end - this.#at;
  }

  /** The place in `bytes` of the next octet. */
  get at(): number {
    return this.#at;
  }

  /** Aims the same reader at another range. */
  reset(start: number, end: number): this {
    this.#at = start;
    this.#end = end;
    return this;
  }

  /** Refuses a value whose length is not `octets`. */
  exactly(octets: number): this {
    if (this.left !== octets) throw new BgpError(`length ${this.left} is not ${octets}`, this.#overrun);
    return this;
  }

  /** Refuses a value whose length is not a whole number of `octets`. */
  multipleOf(octets: number): this {
    if (this.left % octets !== 0) {
      throw new BgpError(`length ${this.left} is not a multiple of ${octets}`, this.#overrun);
    }
    return this;
  }

  u8(): number {
    return this.bytes[this.#take(1)]!;
  }

  u16(): number {
    const at = this.#take(2);
    return (this.bytes[at]! << 8) | this.bytes[at + 1]!;
  }

  u32(): number {
    const at = this.#take(4);
    return readU32(this.bytes, at);
  }

  u64(): bigint {
    return (BigInt(this.u32()) << 32n) | BigInt(this.u32());
  }

  /** AFI in two octets, SAFI in one: RFC 4760 §3. */
  family(): Family {
    return { afi: this.u16(), safi: this.u8() };
  }

  /** Passes over `octets` and returns the place in `bytes` where they begin. */
  skip(octets: number): number {
    return this.#take(octets);
  }

  /** A copy: the buffer of a frame is used again, what is decoded stays. */
  take(octets: number): Uint8Array {
    const at = this.#take(octets);
    return copyOf(this.bytes, at, at + octets);
  }

  rest(): Uint8Array {
    return this.take(this.left);
  }

  /** UTF-8 behind its length in one octet. Octets that are no UTF-8 are malformed. */
  prefixedText(): string {
    const text = decodeUtf8(this.take(this.u8()));
    if (text === undefined) throw new BgpError('the text is no UTF-8', this.#overrun);
    return text;
  }

  /** No copy: for what is read at once and not kept. */
  restView(): Uint8Array {
    const at = this.#take(this.left);
    return this.bytes.subarray(at, this.#end);
  }

  /** A reader of the next `octets`, which this one then skips. */
  part(octets: number): Reader {
    const at = this.#take(octets);
    return new Reader(this.bytes, [at, at + octets], this.#overrun);
  }

  #take(octets: number): number {
    const at = this.#at;
    if (octets > this.#end - at) {
      throw new BgpError(`${octets} octets wanted, ${this.left} left`, this.#overrun);
    }
    this.#at = at + octets;
    return at;
  }
}

/** The unsigned 32-bit field at `at`; the caller has checked the bounds. */
export const readU32 = (bytes: Uint8Array, at: number): number =>
  ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;

export const readU16 = (bytes: Uint8Array, at: number): number => (bytes[at]! << 8) | bytes[at + 1]!;

/** A copy of `bytes[start, end)`. Not `slice`, which for a Buffer is a view. */
export const copyOf = (bytes: Uint8Array, start = 0, end = bytes.length): Uint8Array =>
  new Uint8Array(bytes.subarray(start, end));
