import type { CodecContext, FamilyKey } from '../../bird/bgp-ts/index.ts';

/**
 * What a piece of an input is. Items may be taken out, doubled, moved and swapped for another of their role; fields
 * have values that matter; a content has its length in front.
 */
export const roles = {
  gone: 0,
  message: 1,
  attribute: 2,
  parameter: 3,
  capability: 4,
  prefix: 5,
  segment: 6,
  word: 7,
  tlv: 8,
  content: 10,
  flags: 20,
  attributeCode: 21,
  capabilityCode: 22,
  afi: 23,
  safi: 24,
  prefixBits: 25,
  messageType: 26,
  segmentType: 27,
  octet: 28,
  number: 29,
  mrtType: 30,
  mrtSubtype: 31,
} as const;

export const isItem = (role: number): boolean => role >= roles.message && role <= roles.tlv;
export const isField = (role: number): boolean => role >= roles.flags;

/** One piece `[start, end)`. Its length stands at `lengthAt` (-1: nowhere) in `lengthOctets`, counted in `unit` octets. */
export interface Span {
  readonly role: number;
  readonly start: number;
  readonly end: number;
  readonly lengthAt: number;
  readonly lengthOctets: number;
  readonly unit: number;
}

/** Collects the pieces of valid bytes, parents before their children. It knows layouts only, and nothing of our codec. */
export class Dissection {
  readonly octets: Uint8Array;
  readonly spans: Span[] = [];
  readonly #session: CodecContext;

  constructor(octets: Uint8Array, session: CodecContext) {
    this.octets = octets;
    this.#session = session;
  }

  item(role: number, start: number, end: number): void {
    this.spans.push({ role, start, end, lengthAt: -1, lengthOctets: 0, unit: 1 });
  }

  /** A piece whose length stands somewhere else than in front of it. */
  measured(role: number, [start, end]: readonly [number, number], lengthAt: number): void {
    this.spans.push({ role, start, end, lengthAt, lengthOctets: 4, unit: 1 });
  }

  /** Length field of `lengthOctets` right in front of its content; returns the content's end. */
  content(start: number, lengthOctets: number, unit = 1): number {
    const end = Math.min(start + this.#uint(start - lengthOctets, lengthOctets) * unit, this.octets.length);
    this.spans.push({ role: roles.content, start, end, lengthAt: start - lengthOctets, lengthOctets, unit });
    return end;
  }

  /** RFC 4271 §4.1. Returns the end of the message. */
  message(start: number): number {
    const end = start + this.#uint(start + 16, 2);
    this.spans.push({ role: roles.message, start, end, lengthAt: start + 16, lengthOctets: 2, unit: 1 });
    this.item(roles.messageType, start + 18, start + 19);
    const body = start + 19;
    const type = this.octets[start + 18];
    if (type === 1) this.#open(body);
    else if (type === 2) this.#update(body, end);
    else if (type === 5) this.#family(body, 3);
    else this.#plain(body, end);
    return end;
  }

  /** RFC 4271 §4.3: flags, code, length, value; over and over. */
  attributes(start: number, end: number): void {
    for (let at = start; at + 3 <= end;) {
      const lengthOctets = (this.octets[at]! & 0x10) === 0 ? 1 : 2;
      const value = at + 2 + lengthOctets;
      const next = Math.min(value + this.#uint(value - lengthOctets, lengthOctets), end);
      this.item(roles.attribute, at, next);
      this.item(roles.flags, at, at + 1);
      this.item(roles.attributeCode, at + 1, at + 2);
      this.content(value, lengthOctets);
      this.#value(this.octets[at + 1]!, value, next);
      at = next;
    }
  }

  /** Prefixes of `family`; a family with another layout stays whole. */
  prefixes(family: FamilyKey, start: number, end: number): void {
    const afi = Number(family.split('/')[0]);
    const safi = Number(family.split('/')[1]);
    const pathId = this.#session.addPath.has(family) ? 4 : 0;
    const plain = afi <= 2 && [1, 2, 4, 128].includes(safi);
    const flow = afi <= 2 && (safi === 133 || safi === 134);
    for (let at = start; (plain || flow) && at + pathId < end;) {
      const size = this.octets[at + pathId]!;
      const next = Math.min(at + pathId + 1 + (plain ? (size + 7) >>> 3 : size), end);
      this.item(roles.prefix, at, next);
      if (plain) this.item(roles.prefixBits, at + pathId, at + pathId + 1);
      else this.content(at + pathId + 1, 1);
      at = next;
    }
  }

  /** Items of a fixed size. */
  words(octets: number, start: number, end: number): void {
    for (let at = start; at + octets <= end; at += octets) this.item(roles.word, at, at + octets);
  }

  #open(body: number): void {
    this.item(roles.octet, body, body + 1);
    for (const at of [body + 1, body + 3]) this.item(roles.number, at, at + 2);
    this.item(roles.number, body + 5, body + 9);
    const extended = this.octets[body + 10] === 255 && this.octets[body + 9] === 255;
    const lengthOctets = extended ? 2 : 1;
    const first = extended ? body + 13 : body + 10;
    const end = this.content(first, lengthOctets);
    for (let at = first; at + 1 + lengthOctets <= end;) {
      const value = at + 1 + lengthOctets;
      const next = Math.min(value + this.#uint(at + 1, lengthOctets), end);
      this.item(roles.parameter, at, next);
      this.item(roles.octet, at, at + 1);
      this.content(value, lengthOctets);
      this.#capabilities(value, next);
      at = next;
    }
  }

  #capabilities(start: number, end: number): void {
    for (let at = start; at + 2 <= end;) {
      const code = this.octets[at]!;
      const next = Math.min(at + 2 + this.octets[at + 1]!, end);
      this.item(roles.capability, at, next);
      this.item(roles.capabilityCode, at, at + 1);
      this.content(at + 2, 1);
      if (code === 1) this.#family(at + 2, 3);
      if (code === 5) this.words(6, at + 2, next);
      if (code === 64) this.words(4, at + 4, next);
      if (code === 69) this.words(4, at + 2, next);
      if (code === 71) this.words(7, at + 2, next);
      if (code === 73 || code === 75) this.content(at + 3, 1);
      at = next;
    }
  }

  #update(body: number, end: number): void {
    const withdrawnEnd = this.content(body + 2, 2);
    this.prefixes('1/1', body + 2, withdrawnEnd);
    const attributesEnd = this.content(withdrawnEnd + 2, 2);
    this.attributes(withdrawnEnd + 2, attributesEnd);
    this.prefixes('1/1', attributesEnd, end);
  }

  #value(code: number, start: number, end: number): void {
    if (code === 2 || code === 17) this.#segments(start, end, code === 17 || this.#session.fourOctetAs ? 4 : 2);
    else if (code === 8 || code === 10) this.words(4, start, end);
    else if (code === 16) this.words(8, start, end);
    else if (code === 25) this.words(20, start, end);
    else if (code === 32) this.words(12, start, end);
    else if (code === 14 || code === 15) this.#multiprotocol(code, start, end);
    else if (code === 26 || code === 23) this.tlvs(start, end, code === 26 ? 1 : 2);
    else if (end - start === 1) this.item(roles.octet, start, end);
    else if (end - start >= 4) this.item(roles.number, start, start + 4);
  }

  #segments(start: number, end: number, asOctets: number): void {
    for (let at = start; at + 2 <= end;) {
      const next = Math.min(at + 2 + this.octets[at + 1]! * asOctets, end);
      this.item(roles.segment, at, next);
      this.item(roles.segmentType, at, at + 1);
      this.content(at + 2, 1, asOctets);
      this.words(asOctets, at + 2, next);
      at = next;
    }
  }

  #multiprotocol(code: number, start: number, end: number): void {
    if (end - start < 3) return;
    const family: FamilyKey = `${this.#uint(start, 2)}/${this.octets[start + 2]!}`;
    this.#family(start, 2);
    const prefixes = code === 14 ? this.content(start + 4, 1) + 1 : start + 3;
    this.prefixes(family, prefixes, end);
  }

  /** Type, length, value; over and over. AIGP's types have one octet, and its lengths count the head. */
  tlvs(start: number, end: number, typeOctets: number): void {
    for (let at = start; at + typeOctets + 2 <= end;) {
      const value = at + typeOctets + 2;
      const next = Math.min(typeOctets === 1 ? at + this.#uint(at + 1, 2) : value + this.#uint(value - 2, 2), end);
      if (next <= at) return;
      this.item(roles.tlv, at, next);
      if (typeOctets === 2) this.content(value, 2);
      at = next;
    }
  }

  #family(start: number, safiAt: number): void {
    this.item(roles.afi, start, start + 2);
    this.item(roles.safi, start + safiAt, start + safiAt + 1);
  }

  #plain(start: number, end: number): void {
    for (let at = start; at < Math.min(end, start + 3); at++) this.item(roles.octet, at, at + 1);
  }

  #uint(at: number, octets: number): number {
    let value = 0;
    for (let i = 0; i < octets; i++) value = value * 256 + (this.octets[at + i] ?? 0);
    return value;
  }
}
