import type { Family } from './context.ts';

/** Most messages and values are no longer, and V8 keeps arrays up to this size among its own objects, where they cost little. */
const INITIAL_OCTETS = 64;

/** A growing big-endian buffer. Lengths that come before their content are patched afterwards. */
export class Writer {
  #bytes = new Uint8Array(INITIAL_OCTETS);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Throws a plain Error that names `what` where `value` is no whole number of this width; so do the others. */
  u8(value: number, what?: string): void {
    if (value >>> 0 !== value || value > 0xff) throw misfit(value, 1, what);
    // Room first: it may put another buffer in the place of this one.
    const at = this.#room(1);
    this.#bytes[at] = value;
  }

  u16(value: number, what?: string): void {
    if (value >>> 0 !== value || value > 0xffff) throw misfit(value, 2, what);
    const at = this.#room(2);
    this.#bytes[at] = value >>> 8;
    this.#bytes[at + 1] = value;
  }

  u32(value: number, what?: string): void {
    if (value >>> 0 !== value) throw misfit(value, 4, what);
    const at = this.#room(4);
    this.#bytes[at] = value >>> 24;
    this.#bytes[at + 1] = value >>> 16;
    this.#bytes[at + 2] = value >>> 8;
    this.#bytes[at + 3] = value;
  }

  u64(value: bigint, what = 'value'): void {
    if (BigInt.asUintN(64, value) !== value) throw new Error(`${what} ${value.toString()} does not fit 8 octets`);
    this.u32(Number(value >> 32n));
    this.u32(Number(value & 0xffff_ffffn));
  }

  /** AFI in two octets, SAFI in one: RFC 4760 §3. */
  family({ afi, safi }: Family): void {
    this.u16(afi, 'AFI');
    this.u8(safi, 'SAFI');
  }

  bytes(value: Uint8Array): void {
    const at = this.#room(value.length);
    this.#bytes.set(value, at);
  }

  /** Throws a plain Error where there are not `octets` of them. */
  exactly(value: Uint8Array, octets: number, what = 'the value'): void {
    if (value.length !== octets) throw new Error(`${what} has ${value.length} octets, not ${octets}`);
    this.bytes(value);
  }

  /** Writes `content` behind its length in `octets` octets. Throws where the length does not fit. */
  prefixed(octets: 1 | 2, content: (out: Writer) => void): void {
    const at = this.#room(octets);
    content(this);
    const length = this.#length - at - octets;
    if (length >= 256 ** octets) throw new Error(`${length} octets do not fit a length field of ${octets}`);
    if (octets === 2) this.#bytes[at] = length >>> 8;
    this.#bytes[at + octets - 1] = length;
  }

  /** The same with a length of one octet where that does, else of two; `widened` is called then. */
  prefixedByFit(content: (out: Writer) => void, widened: () => void): void {
    const at = this.#room(1);
    content(this);
    const length = this.#length - at - 1;
    if (length > 0xff) {
      this.#room(1);
      this.#bytes.copyWithin(at + 2, at + 1, at + 1 + length);
      if (length > 0xffff) throw new Error(`${length} octets do not fit a length field of 2`);
      this.#bytes[at] = length >>> 8;
      this.#bytes[at + 1] = length;
      widened();
    } else this.#bytes[at] = length;
  }

  /** Sets bits in an octet that was written before. */
  setBits(at: number, bits: number): void {
    this.#bytes[at]! |= bits;
  }

  /** A copy of what was written. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }

  #room(octets: number): number {
    const at = this.#length;
    const length = at + octets;
    if (length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(length, this.#bytes.length * 2));
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#length = length;
    return at;
  }
}

const misfit = (value: number, octets: number, what = 'the value'): Error =>
  new Error(`${what} ${value} does not fit ${octets} octets`);
