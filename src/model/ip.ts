import ipnum from 'ip-num';
import { InvalidValueError } from './invalid.ts';

export type IpFamily = 4 | 6;

/** An address as big-endian 32-bit words, unsigned: one for IPv4, four for IPv6. */
export interface IpAddress {
  readonly family: IpFamily;
  readonly words: readonly number[];
}

/** A network in CIDR notation; the host bits of `address` are zero by construction. */
export interface Prefix {
  readonly address: IpAddress;
  readonly length: number;
}

/** An address on an interface: the address as it is, and the length of its subnet's prefix. */
export interface InterfaceAddress {
  readonly address: IpAddress;
  readonly length: number;
}

const WORD = 32n;
const WORD_MASK = 0xffff_ffffn;

export const addressBits = (family: IpFamily): number => (family === 4 ? 32 : 128);

/** Parses `10.0.0.1` or `2001:db8::1`. Throws InvalidValueError. */
export function parseIpAddress(text: string, field = 'address'): IpAddress {
  const word = plainIpv4(text);
  if (word !== undefined) return ipv4Address(word);
  try {
    if (!text.includes(':')) return ipv4Address(Number(new ipnum.IPv4(text).getValue()));
    const value = new ipnum.IPv6(text).getValue();
    return { family: 6, words: [3n, 2n, 1n, 0n].map((word) => Number((value >> (word * WORD)) & WORD_MASK)) };
  } catch {
    throw new InvalidValueError(field, text, 'is not an IP address');
  }
}

const [ZERO, NINE, DOT] = [0x30, 0x39, 0x2e];

/**
 * Four decimal numbers without a leading zero, as nearly every address stands: a file, a datastore and a kernel have them by
 * the thousand, and ip-num takes 20 µs for the first of them. Undefined: it is for ip-num to judge.
 */
function plainIpv4(text: string): number | undefined {
  let word = 0;
  let octet: number | undefined;
  let dots = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === DOT && octet !== undefined) {
      word = word * 256 + octet;
      octet = undefined;
      dots++;
    } else if (code >= ZERO && code <= NINE && octet !== 0) {
      octet = (octet ?? 0) * 10 + code - ZERO;
      if (octet > 255) return undefined;
    } else return undefined;
  }
  return dots === 3 && octet !== undefined ? word * 256 + octet : undefined;
}

export const ipv4Address = (word: number): IpAddress => ({ family: 4, words: [word >>> 0] });

export function formatIpAddress({ family, words }: IpAddress): string {
  if (family === 4) return formatIpv4(words[0]!);
  return formatIpv6(words);
}

/** Dotted decimal of one unsigned 32-bit word. */
export const formatIpv4 = (word: number): string =>
  `${word >>> 24}.${(word >>> 16) & 255}.${(word >>> 8) & 255}.${word & 255}`;

/** RFC 5952: lower case, the longest run of two or more zero groups (the first of equals) as `::`. */
function formatIpv6(words: readonly number[]): string {
  const groups = words.flatMap((word) => [word >>> 16, word & 0xffff]);
  let best = { start: -1, length: 1 };
  for (let start = 0; start < groups.length; start++) {
    let length = 0;
    while (groups[start + length] === 0) length++;
    if (length > best.length) best = { start, length };
  }
  const text = (part: readonly number[]): string => part.map((group) => group.toString(16)).join(':');
  if (best.start < 0) return text(groups);
  return `${text(groups.slice(0, best.start))}::${text(groups.slice(best.start + best.length))}`;
}

/** fe80::/10, RFC 4291 §2.5.6. */
export const isIpv6LinkLocal = ({ family, words }: IpAddress): boolean => family === 6 && words[0]! >>> 22 === 0x3fa;

export function sameAddress(a: IpAddress, b: IpAddress): boolean {
  if (a.family !== b.family) return false;
  for (let i = 0; i < a.words.length; i++) if (a.words[i] !== b.words[i]) return false;
  return true;
}

/** Numeric order; IPv4 before IPv6. */
export function compareAddresses(a: IpAddress, b: IpAddress): number {
  if (a.family !== b.family) return a.family - b.family;
  for (const [i, word] of a.words.entries()) {
    const other = b.words[i]!;
    if (word !== other) return word < other ? -1 : 1;
  }
  return 0;
}

/** The network of `length` that holds `address`: host bits cleared. */
export function prefixOf(address: IpAddress, length: number): Prefix {
  const words = address.words.map((word, i) => {
    const kept = Math.min(32, Math.max(0, length - i * 32));
    return kept === 0 ? 0 : (word & (0xffff_ffff << (32 - kept))) >>> 0;
  });
  return { address: { family: address.family, words }, length };
}

/** `10.0.0.1` as `10.0.0.1/32`. */
export const hostPrefix = (address: IpAddress): Prefix => ({ address, length: addressBits(address.family) });

export const isHostPrefix = ({ address, length }: Prefix): boolean => length === addressBits(address.family);

/** Parses `10.0.0.0/8`; a bare address means one host. Host bits that are set are an error. Throws InvalidValueError. */
export function parsePrefix(text: string, field = 'cidr'): Prefix {
  const { address, length } = parseInterfaceAddress(text, field);
  const prefix = prefixOf(address, length);
  if (!sameAddress(prefix.address, address)) {
    throw new InvalidValueError(field, text, `has host bits set; the network is ${formatPrefix(prefix)}`);
  }
  return prefix;
}

/** Parses `10.0.0.1/24` and keeps the host part; a bare address gets the full length. Throws InvalidValueError. */
export function parseInterfaceAddress(text: string, field = 'address'): InterfaceAddress {
  const [addressText = '', lengthText, ...rest] = text.split('/');
  if (rest.length > 0) throw new InvalidValueError(field, text, 'is not a CIDR (more than one "/")');
  const address = parseIpAddress(addressText, field);
  if (lengthText === undefined) return { address, length: addressBits(address.family) };
  const length = Number(lengthText);
  if (!/^\d{1,3}$/.test(lengthText) || length > addressBits(address.family)) {
    throw new InvalidValueError(field, text, `has no prefix length between 0 and ${addressBits(address.family)}`);
  }
  return { address, length };
}

export const formatPrefix = ({ address, length }: Prefix | InterfaceAddress): string =>
  `${formatIpAddress(address)}/${length}`;

export const samePrefix = (a: Prefix, b: Prefix): boolean => a.length === b.length && sameAddress(a.address, b.address);

export const comparePrefixes = (a: Prefix, b: Prefix): number =>
  compareAddresses(a.address, b.address) || a.length - b.length;

/** Word by word and without a value in between: a calculation over a full table asks this a million times. */
export function prefixContainsAddress({ address: network, length }: Prefix, address: IpAddress): boolean {
  if (network.family !== address.family) return false;
  for (let i = 0, left = length; left > 0; i++, left -= 32) {
    const differing = network.words[i]! ^ address.words[i]!;
    if ((left < 32 ? differing >>> (32 - left) : differing) !== 0) return false;
  }
  return true;
}

export const prefixContains = (outer: Prefix, inner: Prefix): boolean =>
  outer.length <= inner.length && prefixContainsAddress(outer, inner.address);

export const prefixesOverlap = (a: Prefix, b: Prefix): boolean => prefixContains(a, b) || prefixContains(b, a);

/** How many addresses, exact for IPv4 and up to 2^53 for IPv6. */
export const prefixSize = ({ address, length }: Prefix): number => 2 ** (addressBits(address.family) - length);

/** The address `offset` places after the first of `prefix`. */
export function addressAt(prefix: Prefix, offset: number): IpAddress {
  const words = [...prefix.address.words];
  let carry = offset;
  for (let i = words.length - 1; i >= 0 && carry > 0; i--) {
    const sum = words[i]! + (carry % 2 ** 32);
    words[i] = sum % 2 ** 32;
    carry = Math.floor(carry / 2 ** 32) + Math.floor(sum / 2 ** 32);
  }
  return { family: prefix.address.family, words };
}

/** How many places `address` lies after the first of `prefix`; the prefix must hold it, and be at most 2^53 wide. */
export function offsetIn(prefix: Prefix, address: IpAddress): number {
  return address.words.reduce((offset, word, i) => offset * 2 ** 32 + (word - prefix.address.words[i]!), 0);
}
