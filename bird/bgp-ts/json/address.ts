/** Addresses, prefixes and bytes as text: what people read, and what JSON holds. */
import { readU32 } from '../reader.ts';
import type { JsonCodec } from './codec.ts';
import { written } from './codec.ts';

/** `192.0.2.1` of one unsigned word. */
export const formatIpv4 = (word: number): string =>
  `${word >>> 24}.${(word >>> 16) & 255}.${(word >>> 8) & 255}.${word & 255}`;

/** Undefined for anything but four decimal octets without leading zeros. */
export function parseIpv4(text: string): number | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  let word = 0;
  for (const part of parts) {
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return undefined;
    word = word * 256 + Number(part);
  }
  return word;
}

/**
 * Four unsigned words as RFC 5952 §4 writes them: the first of the longest runs of zero groups becomes `::`, and an IPv4
 * address that is mapped is one (§5): `::ffff:192.0.2.1`.
 */
export function formatIpv6(words: readonly number[]): string {
  if (words[0] === 0 && words[1] === 0 && words[2] === 0xffff) return `::ffff:${formatIpv4(words[3]!)}`;
  const groups = words.flatMap((word) => [word >>> 16, word & 0xffff]);
  let [best, length] = [0, 1];
  for (let start = 0; start < groups.length; start++) {
    let end = start;
    while (end < groups.length && groups[end] === 0) end++;
    if (end - start > length) [best, length] = [start, end - start];
  }
  const hexOf = (part: readonly number[]): string => part.map((group) => group.toString(16)).join(':');
  return length === 1 ? hexOf(groups) : `${hexOf(groups.slice(0, best))}::${hexOf(groups.slice(best + length))}`;
}

/** Four unsigned words, or undefined. Takes `::` once, and an IPv4 address as the last two groups (RFC 4291 §2.2). */
export function parseIpv6(text: string): readonly number[] | undefined {
  const [head = '', tail, ...more] = text.split('::');
  if (more.length > 0) return undefined;
  const front = groupsOf(head, tail === undefined);
  const back = tail === undefined ? [] : groupsOf(tail, true);
  if (front === undefined || back === undefined) return undefined;
  const zeros = 8 - front.length - back.length;
  if (tail === undefined ? zeros !== 0 : zeros < 1) return undefined;
  const groups = [...front, ...Array<number>(zeros).fill(0), ...back];
  return [0, 2, 4, 6].map((i) => groups[i]! * 65536 + groups[i + 1]!);
}

function groupsOf(text: string, mayEndInIpv4: boolean): readonly number[] | undefined {
  if (text === '') return [];
  const parts = text.split(':');
  const ipv4 = mayEndInIpv4 && parts.at(-1)!.includes('.') ? parseIpv4(parts.pop()!) : undefined;
  if (text.includes('.') && ipv4 === undefined) return undefined;
  if (!parts.every((part) => /^[0-9a-f]{1,4}$/i.test(part))) return undefined;
  const groups = parts.map((part) => Number.parseInt(part, 16));
  return ipv4 === undefined ? groups : [...groups, ipv4 >>> 16, ipv4 & 0xffff];
}

/** `10.0.0.0/24` of one word, `2001:db8::/32` of four. */
export const formatPrefix = (words: readonly number[], length: number): string =>
  `${words.length === 1 ? formatIpv4(words[0]!) : formatIpv6(words)}/${length}`;

/** Words and length, or undefined where `text` is no prefix of `bits` bits or has host bits. */
export function parsePrefix(
  text: string,
  bits: 32 | 128,
): { readonly words: readonly number[]; readonly length: number } | undefined {
  const [address = '', length = '', ...more] = text.split('/');
  if (more.length > 0 || !/^(0|[1-9]\d{0,2})$/.test(length) || Number(length) > bits) return undefined;
  const ipv4 = bits === 32 ? parseIpv4(address) : undefined;
  const words = bits === 32 ? (ipv4 === undefined ? undefined : [ipv4]) : parseIpv6(address);
  if (words === undefined || hasHostBits(words, Number(length))) return undefined;
  return { words, length: Number(length) };
}

const hasHostBits = (words: readonly number[], length: number): boolean =>
  words.some((word, i) => {
    const kept = Math.min(32, Math.max(0, length - i * 32));
    return kept < 32 && (word << kept) >>> 0 !== 0;
  });

/** The address in `bytes`: 4 octets for IPv4, 16 for IPv6. */
export const formatAddress = (bytes: Uint8Array): string =>
  bytes.length === 4 ? formatIpv4(readU32(bytes, 0)) : formatIpv6([0, 4, 8, 12].map((at) => readU32(bytes, at)));

/** 4 or 16 octets, or undefined. */
export function parseAddress(text: string): Uint8Array | undefined {
  const ipv4 = parseIpv4(text);
  const words = ipv4 === undefined ? parseIpv6(text) : [ipv4];
  return words === undefined ? undefined : octetsOf(words);
}

/** Unsigned words in network order. */
const octetsOf = (words: readonly number[]): Uint8Array =>
  Uint8Array.from(words.flatMap((word) => [word >>> 24, (word >>> 16) & 255, (word >>> 8) & 255, word & 255]));

export const formatHex = (bytes: Uint8Array): string =>
  Array.from(bytes, (octet) => octet.toString(16).padStart(2, '0')).join('');

/** Undefined for anything but pairs of hex digits. */
export function parseHex(text: string): Uint8Array | undefined {
  // One class and no group: a repeated group overflows the stack on megabytes.
  if (text.length % 2 !== 0 || /[^0-9a-f]/i.test(text)) return undefined;
  return Uint8Array.from({ length: text.length / 2 }, (_, i) => Number.parseInt(text.slice(2 * i, 2 * i + 2), 16));
}

/** Bytes as hex digits; `octets` fixes how many. */
export const hex = (octets?: number): JsonCodec<Uint8Array> =>
  written(octets === undefined ? 'an even number of hex digits' : `${2 * octets} hex digits`, formatHex, (value) => {
    const bytes = parseHex(value);
    return octets === undefined || bytes?.length === octets ? bytes : undefined;
  });

/** An IPv4 address, BGP Identifier or cluster id, held as one word. */
export const ipv4: JsonCodec<number> = written('an IPv4 address', formatIpv4, parseIpv4);

/** An address of either family, held as its octets. */
export const address: JsonCodec<Uint8Array> = written('an IPv4 or IPv6 address', formatAddress, parseAddress);
