import { mpReach } from '../attribute/mp-reach.ts';
import { mpUnreach } from '../attribute/mp-unreach.ts';
import { EXTENDED_LENGTH } from '../attribute/spec.ts';
import type { NextHopBytes } from '../attribute/path-attributes.ts';
import type { Family } from '../context.ts';
import { HEADER_OCTETS, messageTypes } from '../iana.ts';
import { nlriOctets, writeNlri } from '../nlri/walk.ts';

/** What UPDATEs say of prefixes, without path identifiers. */
export type UpdateKind =
  /** In the field of its own, IPv4 alone. */
  | { readonly kind: 'withdraw' }
  /** In MP_UNREACH_NLRI. */
  | { readonly kind: 'withdraw'; readonly family: Family }
  /** With NEXT_HOP among the attributes. */
  | ({ readonly kind: 'announce' } & Block)
  /** In MP_REACH_NLRI, in front of the other attributes: RFC 7606 §5.1. */
  | ({ readonly kind: 'announce'; readonly family: Family; readonly nextHop: NextHopBytes } & Block);

/** Attributes: the first `blockLength` octets of `block`, which may be a room that the next ones are written to, too. */
interface Block {
  readonly block: Uint8Array;
  readonly blockLength: number;
}

const START_OCTETS = 131_072;
const MARKER_OCTETS = 16;
/** From the start of the message: the length of the first field, of the attributes, and the attributes. */
const WITHDRAWN_LENGTH_AT = HEADER_OCTETS;
const ATTRIBUTES_LENGTH_AT = HEADER_OCTETS + 2;
const ATTRIBUTES_AT = HEADER_OCTETS + 4;
/** Of a multiprotocol attribute, which is the first and has an extended length, the length and the value. */
const MP_LENGTH_AT = ATTRIBUTES_AT + 2;
const MP_VALUE_AT = ATTRIBUTES_AT + 4;

/** UPDATEs one behind the other, as full as they go, written in place. RFC 4271 §4.3, RFC 4760 §3 and §4. */
export class UpdateWriter {
  #octets = new Uint8Array(START_OCTETS);
  #end = 0;
  #what: UpdateKind = { kind: 'withdraw' };
  #maxOctets = 0;
  /** Where the message begins, and where its prefixes must end. */
  #start = 0;
  #limit = 0;

  /** How many octets have been written. */
  get length(): number {
    return this.#end;
  }

  /** From here on, until `end`; `what` must stand until then. The attributes must leave room for a prefix in a message of `maxOctets`. */
  begin(what: UpdateKind, maxOctets: number): void {
    this.#what = what;
    this.#maxOctets = maxOctets;
    this.#open();
  }

  /** IPv4 all in `w0`. Goes on in another message like this one where it is full. */
  prefix(w0: number, w1: number, w2: number, w3: number, length: number): void {
    if (this.#end + nlriOctets(length, false) > this.#limit) {
      this.end();
      this.#open();
    }
    this.#end = writeNlri(this.#octets, this.#end, w0, w1, w2, w3, length);
  }

  /** Completes the message that was begun. */
  end(): void {
    const what = this.#what;
    const start = this.#start;
    if ('family' in what) {
      this.#lengthOf(MP_LENGTH_AT);
      if (what.kind === 'announce') this.#append(what.block, what.blockLength);
      this.#lengthOf(ATTRIBUTES_LENGTH_AT);
    } else if (what.kind === 'withdraw') {
      this.#lengthOf(WITHDRAWN_LENGTH_AT);
      this.#append(NOTHING, NOTHING.length);
    }
    this.#put16(start + MARKER_OCTETS, this.#end - start);
  }

  /** A copy of all that was written; then it begins anew. */
  take(): Uint8Array<ArrayBuffer> {
    const octets = this.#octets.slice(0, this.#end);
    this.#end = 0;
    return octets;
  }

  #open(): void {
    const start = this.#end;
    const what = this.#what;
    this.#reserve(start + this.#maxOctets);
    const octets = this.#octets;
    // Not by fill, which would be a call out of compiled code for each message.
    for (let at = start; at < start + MARKER_OCTETS; at++) octets[at] = 0xff;
    octets[start + MARKER_OCTETS + 2] = messageTypes.update;
    this.#start = start;
    this.#limit = start + this.#maxOctets;
    this.#put16(start + WITHDRAWN_LENGTH_AT, 0);
    if ('family' in what) {
      this.#openMultiprotocol(what);
    } else if (what.kind === 'announce') {
      this.#put16(start + ATTRIBUTES_LENGTH_AT, what.blockLength);
      this.#end = start + ATTRIBUTES_AT;
      this.#append(what.block, what.blockLength);
    } else {
      this.#end = start + WITHDRAWN_LENGTH_AT + 2;
      this.#limit -= NOTHING.length;
    }
  }

  #openMultiprotocol(what: Extract<UpdateKind, { readonly family: Family }>): void {
    const octets = this.#octets;
    const { code, flags } = what.kind === 'announce' ? mpReach : mpUnreach;
    octets[this.#start + ATTRIBUTES_AT] = flags | EXTENDED_LENGTH;
    octets[this.#start + ATTRIBUTES_AT + 1] = code;
    let at = this.#start + MP_VALUE_AT;
    this.#put16(at, what.family.afi);
    octets[at + 2] = what.family.safi;
    at += 3;
    if (what.kind === 'announce') {
      octets[at++] = what.nextHop.length;
      for (const octet of what.nextHop) octets[at++] = octet;
      // Reserved, RFC 4760 §3.
      octets[at++] = 0;
      this.#limit -= what.blockLength;
    }
    this.#end = at;
  }

  /** What stands behind a length, up to the end, is so long. */
  #lengthOf(at: number): void {
    this.#put16(this.#start + at, this.#end - this.#start - at - 2);
  }

  #append(from: Uint8Array, length: number): void {
    const octets = this.#octets;
    const end = this.#end;
    for (let i = 0; i < length; i++) octets[end + i] = from[i]!;
    this.#end = end + length;
  }

  #put16(at: number, value: number): void {
    this.#octets[at] = value >>> 8;
    this.#octets[at + 1] = value;
  }

  #reserve(octets: number): void {
    if (octets <= this.#octets.length) return;
    const longer = new Uint8Array(Math.max(octets, this.#octets.length * 2));
    longer.set(this.#octets.subarray(0, this.#end));
    this.#octets = longer;
  }
}

/** The length of attributes that are not there. */
const NOTHING = new Uint8Array(2);
