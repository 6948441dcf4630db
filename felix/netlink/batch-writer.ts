/**
 * Writes requests one after the other into one datagram, with no object between: what 100,000 routes are made with.
 * The octets are those of header.ts and attribute.ts.
 */
import type { IpAddress } from '../../src/model/ip.ts';
import { LITTLE_ENDIAN, aligned, viewOf } from './attribute.ts';
import { FLAG } from './constants.ts';
import { HEADER_OCTETS } from './header.ts';
import type { Request } from './header.ts';

/** So that the verdicts on a batch, were all refusals, fit into the receive buffer. */
const BATCH_OCTETS = 32 << 10;
/** Room for one request more, of a usual size. */
const FIRST_OCTETS = BATCH_OCTETS + 1024;
/** No batch holds so many: a request has its header and a route's twelve octets at least. */
export const MAX_REQUESTS = Math.ceil(BATCH_OCTETS / 28) + 1;

/** A datagram of requests, numbered in a row from `first`; the kernel answers refusals and the last one. */
export interface Batch {
  readonly octets: Uint8Array<ArrayBuffer>;
  readonly first: number;
  readonly count: number;
}

export class BatchWriter {
  readonly #first: number;
  #octets = new Uint8Array(FIRST_OCTETS);
  #view = viewOf(this.#octets);
  #at = 0;
  #start = 0;
  #count = 0;

  /** Its requests are numbered from `first`, MAX_REQUESTS at most. */
  constructor(first: number) {
    this.#first = first;
  }

  get count(): number {
    return this.#count;
  }

  /** One more may be begun. */
  get hasRoom(): boolean {
    return this.#at < BATCH_OCTETS;
  }

  begin(type: number, flags: number): void {
    this.#start = this.#at;
    this.#reserve(HEADER_OCTETS);
    const view = this.#view;
    view.setUint16(this.#start + 4, type, LITTLE_ENDIAN);
    view.setUint16(this.#start + 6, flags | FLAG.request, LITTLE_ENDIAN);
    view.setUint32(this.#start + 8, this.#first + this.#count, LITTLE_ENDIAN);
    this.#count++;
  }

  /** The request is whole: its length is known now. */
  end(): void {
    this.#view.setUint32(this.#start, this.#at - this.#start, LITTLE_ENDIAN);
    this.#at = aligned(this.#at);
  }

  /** One that was encoded elsewhere. */
  request({ type, flags, body }: Request): void {
    this.begin(type, flags);
    const at = this.#reserve(body.length);
    this.#octets.set(body, at);
    this.end();
  }

  u8(value: number): void {
    const at = this.#reserve(1);
    this.#octets[at] = value;
  }

  u16(value: number): void {
    const at = this.#reserve(2);
    this.#view.setUint16(at, value, LITTLE_ENDIAN);
  }

  u32(value: number): void {
    const at = this.#reserve(4);
    this.#view.setUint32(at, value, LITTLE_ENDIAN);
  }

  address({ words }: IpAddress): void {
    const at = this.#reserve(words.length * 4);
    for (let i = 0; i < words.length; i++) this.#view.setUint32(at + i * 4, words[i]!);
  }

  attributeU32(type: number, value: number): void {
    this.u16(8);
    this.u16(type);
    this.u32(value);
  }

  attributeAddress(type: number, address: IpAddress): void {
    this.u16(4 + address.words.length * 4);
    this.u16(type);
    this.address(address);
  }

  /** Begins what has its length in its first 16 bits: an attribute, a next hop. `close` takes what this returns. */
  open(): number {
    const at = this.#at;
    this.u16(0);
    return at;
  }

  close(openedAt: number): void {
    this.#view.setUint16(openedAt, this.#at - openedAt, LITTLE_ENDIAN);
    this.#reserve(aligned(this.#at) - this.#at);
  }

  /** The last one is acknowledged. Nothing can be written after this. */
  finish(): Batch {
    const flagsAt = this.#start + 6;
    if (this.#count > 0)
      this.#view.setUint16(flagsAt, this.#view.getUint16(flagsAt, LITTLE_ENDIAN) | FLAG.ack, LITTLE_ENDIAN);
    return { octets: this.#octets.subarray(0, this.#at), first: this.#first, count: this.#count };
  }

  /** Where `octets` more may be written. */
  #reserve(octets: number): number {
    const at = this.#at;
    this.#at += octets;
    if (this.#at > this.#octets.length) this.#grow();
    return at;
  }

  #grow(): void {
    const larger = new Uint8Array(this.#octets.length * 2);
    larger.set(this.#octets);
    this.#octets = larger;
    this.#view = viewOf(larger);
  }
}
