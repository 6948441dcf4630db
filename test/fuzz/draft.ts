import { roles } from './dissect.ts';
import type { Span } from './dissect.ts';

const MAX_OCTETS = 70_000;

/** A seed: valid octets, their pieces. */
export interface Pieces {
  readonly octets: Uint8Array;
  readonly spans: readonly Span[];
}

/** An input in the making: octets, and pieces that move with them, so that lengths can be put right at the end. */
export class Draft {
  readonly bytes = new Uint8Array(MAX_OCTETS);
  length = 0;
  count = 0;
  roles = new Uint8Array(64);
  starts = new Int32Array(64);
  ends = new Int32Array(64);
  #lengthAts = new Int32Array(64);
  #lengthOctets = new Uint8Array(64);
  #units = new Uint8Array(64);
  /** What a length field shall say in place of the truth; -1 is the truth. */
  #lies = new Float64Array(64);

  load({ octets, spans }: Pieces): void {
    this.bytes.set(octets);
    this.length = octets.length;
    this.count = spans.length;
    if (spans.length > this.roles.length) this.#grow(spans.length * 2);
    for (let i = 0; i < spans.length; i++) {
      const span = spans[i]!;
      this.roles[i] = span.role;
      this.starts[i] = span.start;
      this.ends[i] = span.end;
      this.#lengthAts[i] = span.lengthAt;
      this.#lengthOctets[i] = span.lengthOctets;
      this.#units[i] = span.unit;
      this.#lies[i] = -1;
    }
  }

  hasLength(span: number): boolean {
    return this.#lengthAts[span]! >= 0;
  }

  /** The true length of a piece, in the unit of its field. */
  trueLength(span: number): number {
    return Math.floor((this.ends[span]! - this.starts[span]!) / this.#units[span]!);
  }

  lie(span: number, value: number): void {
    this.#lies[span] = value;
  }

  /** Puts `octets` in at `at`. In front of a piece (`before`), only what encloses that piece grows. */
  insert(at: number, octets: Uint8Array, before = -1): void {
    const added = octets.length;
    if (this.length + added > MAX_OCTETS) return;
    this.bytes.copyWithin(at + added, at, this.length);
    this.bytes.set(octets, at);
    this.length += added;
    const itemEnd = before < 0 ? at : this.ends[before]!;
    for (let i = 0; i < this.count; i++) {
      const start = this.starts[i]!;
      const end = this.ends[i]!;
      const encloses = before < 0 ? start < at && at < end : i < before && start <= at && end >= itemEnd;
      if (this.#lengthAts[i]! >= at) this.#lengthAts[i]! += added;
      if (i === 0 && start <= at) this.ends[i] = end + added;
      else if (encloses || (start < at && at < end)) this.ends[i] = end + added;
      else if (start >= at) {
        this.starts[i] = start + added;
        this.ends[i] = end + added;
      }
    }
  }

  /** Takes `[from, to)` out; pieces that lay within are gone. */
  remove(from: number, to: number): void {
    const cut = to - from;
    this.bytes.copyWithin(from, to, this.length);
    this.length -= cut;
    for (let i = 0; i < this.count; i++) {
      const lengthAt = this.#lengthAts[i]!;
      if (lengthAt >= to) this.#lengthAts[i] = lengthAt - cut;
      else if (lengthAt >= from) this.#lengthAts[i] = -1;
      if (this.starts[i]! >= from && this.ends[i]! <= to && this.ends[i]! > this.starts[i]!) this.roles[i] = roles.gone;
      this.starts[i] = moved(this.starts[i]!, from, to);
      this.ends[i] = moved(this.ends[i]!, from, to);
    }
  }

  /** Writes true lengths, or those of the first pieces alone, then the lies. */
  repair(pieces = this.count): void {
    for (let i = 0; i < Math.min(pieces, this.count); i++)
      if (this.#lengthAts[i]! >= 0) this.#write(i, this.trueLength(i));
    for (let i = 0; i < this.count; i++)
      if (this.#lies[i]! >= 0 && this.#lengthAts[i]! >= 0) this.#write(i, this.#lies[i]!);
  }

  finish(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }

  #write(span: number, value: number): void {
    const at = this.#lengthAts[span]!;
    let rest = value;
    for (let i = this.#lengthOctets[span]! - 1; i >= 0; i--) {
      if (at + i < this.length) this.bytes[at + i] = rest & 0xff;
      rest = Math.floor(rest / 256);
    }
  }

  #grow(size: number): void {
    this.roles = new Uint8Array(size);
    this.starts = new Int32Array(size);
    this.ends = new Int32Array(size);
    this.#lengthAts = new Int32Array(size);
    this.#lengthOctets = new Uint8Array(size);
    this.#units = new Uint8Array(size);
    this.#lies = new Float64Array(size);
  }
}

/** Where a place comes to lie when `[from, to)` goes. */
function moved(place: number, from: number, to: number): number {
  if (place <= from) return place;
  return place >= to ? place - (to - from) : from;
}
