import type { Fault } from '../error.ts';
import { updateError } from '../iana.ts';
import { readU16 } from '../reader.ts';
import { EXTENDED_LENGTH } from './spec.ts';

/** Steps through the headers of an attribute block. The one place that knows how an attribute is framed. RFC 4271 §4.3. */
export class AttributeWalk {
  readonly bytes: Uint8Array;
  readonly #end: number;
  /** Of the current attribute: its first octet (the flags), and its value as a half-open range. */
  start: number;
  valueStart: number;
  valueEnd: number;
  flags = 0;
  code = 0;
  /** Set where the list ends badly: what follows cannot be told apart, RFC 7606 §4. */
  fault: Fault | undefined;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.bytes = bytes;
    this.#end = end;
    this.start = start;
    this.valueStart = start;
    this.valueEnd = start;
  }

  /** Moves to the next attribute; false at the end and at a framing fault. */
  next(): boolean {
    const { bytes } = this;
    const left = this.#end - this.valueEnd;
    if (left === 0 || this.fault !== undefined) return false;
    this.start = this.valueEnd;
    const flags = bytes[this.start]!;
    const headerOctets = (flags & EXTENDED_LENGTH) === 0 ? 3 : 4;
    if (left < headerOctets) return this.#refuse(`${left} octets are left over behind the last attribute`);
    const valueStart = this.start + headerOctets;
    const octets = headerOctets === 3 ? bytes[valueStart - 1]! : readU16(bytes, valueStart - 2);
    const code = bytes[this.start + 1]!;
    if (octets > this.#end - valueStart) {
      return this.#refuse(`attribute ${code} of ${octets} octets runs past the end, ${this.#end - valueStart} left`);
    }
    this.flags = flags;
    this.code = code;
    this.valueStart = valueStart;
    this.valueEnd = valueStart + octets;
    return true;
  }

  #refuse(text: string): false {
    this.fault = { text, code: updateError.malformedAttributeList, data: new Uint8Array() };
    return false;
  }
}
