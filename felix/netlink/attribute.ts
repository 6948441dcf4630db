/**
 * Attributes: what follows a netlink message's fixed part, and nests in itself.
 *
 *      0                   1                   2                   3
 *     +-------------------------------+-------------------------------+
 *     |     length (with header)      |      type (and two flags)     |
 *     +-------------------------------+-------------------------------+
 *     |  value, padded to four octets ...                             |
 *     +---------------------------------------------------------------+
 *
 * Numbers are in the host's byte order; addresses and ports in the network's.
 */
import { InvalidValueError } from '../../src/model/invalid.ts';
import type { IpAddress } from '../../src/model/ip.ts';

const HEADER_OCTETS = 4;
/** NLA_F_NESTED and NLA_F_NET_BYTEORDER share the field with the type. */
const TYPE_MASK = 0x3fff;

export const LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

export type Attribute = readonly [type: number, value: Uint8Array];
export type Attributes = ReadonlyMap<number, Uint8Array>;

/** Lengths in netlink are exact, but everything begins at a multiple of four. */
export const aligned = (octets: number): number => (octets + 3) & ~3;

export const viewOf = (octets: Uint8Array): DataView =>
  new DataView(octets.buffer, octets.byteOffset, octets.byteLength);

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export function encodeAttributes(attributes: readonly Attribute[]): Uint8Array {
  const size = attributes.reduce((sum, [, value]) => sum + HEADER_OCTETS + aligned(value.length), 0);
  const octets = new Uint8Array(size);
  const view = viewOf(octets);
  let at = 0;
  for (const [type, value] of attributes) {
    view.setUint16(at, HEADER_OCTETS + value.length, LITTLE_ENDIAN);
    view.setUint16(at + 2, type, LITTLE_ENDIAN);
    octets.set(value, at + HEADER_OCTETS);
    at += HEADER_OCTETS + aligned(value.length);
  }
  return octets;
}

/** By type; of a type that repeats, the last. Throws where a length leads outside. */
export function decodeAttributes(octets: Uint8Array): Attributes {
  const attributes = new Map<number, Uint8Array>();
  const view = viewOf(octets);
  for (let at = 0; at + HEADER_OCTETS <= octets.length;) {
    const length = view.getUint16(at, LITTLE_ENDIAN);
    if (length < HEADER_OCTETS || at + length > octets.length) {
      throw new Error(`netlink attribute at octet ${at} says ${length} octets, ${octets.length - at} are left`);
    }
    const type = view.getUint16(at + 2, LITTLE_ENDIAN) & TYPE_MASK;
    attributes.set(type, octets.subarray(at + HEADER_OCTETS, at + length));
    at += aligned(length);
  }
  return attributes;
}

export function u32(value: number): Uint8Array {
  const octets = new Uint8Array(4);
  viewOf(octets).setUint32(0, value, LITTLE_ENDIAN);
  return octets;
}

export const u8 = (value: number): Uint8Array => Uint8Array.of(value);

/** In network byte order, as ports are. */
export const portOctets = (port: number): Uint8Array => Uint8Array.of(port >>> 8, port & 255);

export const readU32 = (octets: Uint8Array): number => viewOf(octets).getUint32(0, LITTLE_ENDIAN);

export const readPort = (octets: Uint8Array): number => viewOf(octets).getUint16(0);

/** With the zero that ends it. */
export const textOctets = (text: string): Uint8Array => new TextEncoder().encode(`${text}\0`);

export function readText(octets: Uint8Array): string {
  const end = octets.indexOf(0);
  return new TextDecoder().decode(end < 0 ? octets : octets.subarray(0, end));
}

export function addressOctets({ words }: IpAddress): Uint8Array {
  const octets = new Uint8Array(words.length * 4);
  const view = viewOf(octets);
  for (const [i, word] of words.entries()) view.setUint32(i * 4, word);
  return octets;
}

/** Four octets are IPv4, sixteen IPv6. Throws at any other length. */
export function readAddress(octets: Uint8Array): IpAddress {
  const view = viewOf(octets);
  if (octets.length === 4) return { family: 4, words: [view.getUint32(0)] };
  if (octets.length !== 16) throw new Error(`an address of ${octets.length} octets is neither IPv4 nor IPv6`);
  return { family: 6, words: [view.getUint32(0), view.getUint32(4), view.getUint32(8), view.getUint32(12)] };
}

/** `aa:bb:cc:dd:ee:ff`; empty where it is not an Ethernet address. */
export const readMac = (octets: Uint8Array | undefined): string =>
  octets?.length === 6 ? Array.from(octets, (octet) => octet.toString(16).padStart(2, '0')).join(':') : '';

/** Throws InvalidValueError where the text is not six pairs of hexadecimal digits. */
export function macOctets(mac: string): Uint8Array {
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(mac)) {
    throw new InvalidValueError('mac', mac, 'is not an Ethernet address such as 66:00:0a:0b:0c:0d');
  }
  return Uint8Array.from(mac.split(':'), (pair) => parseInt(pair, 16));
}
