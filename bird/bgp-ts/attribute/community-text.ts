import { formatHex, parseHex } from '../json/address.ts';
import { formatAdministered, parseAdministered } from '../json/administered.ts';
import type { JsonCodec } from '../json/codec.ts';
import { written } from '../json/codec.ts';
import { wellKnownCommunities } from '../iana.ts';
import type { LargeCommunity } from './path-attributes.ts';

/** `64512:100`. */
const formatCommunity = (value: number): string => `${value >>> 16}:${value & 0xffff}`;

function parseCommunity(text: string): number | undefined {
  const parts = numbers(text, 2, 0xffff);
  return parts === undefined ? undefined : parts[0]! * 65536 + parts[1]!;
}

/** `64512:100`, and `no-export` for what IANA has a name for. */
export const communityName = (value: number): string => wellKnownCommunities[value] ?? formatCommunity(value);

export const community: JsonCodec<number> = written('a community such as 64512:100', formatCommunity, parseCommunity);

/** `64512:1:2`, RFC 8092 §5. */
export const largeCommunity: JsonCodec<LargeCommunity> = written(
  'a large community such as 64512:1:2',
  (value) => value.join(':'),
  (text) => {
    const parts = numbers(text, 3, 0xffff_ffff);
    return parts === undefined ? undefined : [parts[0]!, parts[1]!, parts[2]!];
  },
);

function numbers(text: string, count: number, max: number): readonly number[] | undefined {
  const parts = text.split(':');
  if (parts.length !== count || !parts.every((part) => /^\d{1,10}$/.test(part) && Number(part) <= max))
    return undefined;
  return parts.map(Number);
}

/** Low octet of the type, RFC 4360 §4 and §5. */
const subtypes: Readonly<Record<number, string>> = { 2: 'target', 3: 'origin' };

/** `target:64512:100`, `origin:192.0.2.1:5`; any other type is `0x` and sixteen hex digits. */
export function formatExtendedCommunity(octets: Uint8Array): string {
  const word = subtypes[octets[1]!];
  const administered = word === undefined ? undefined : formatAdministered(octets[0]!, octets.slice(2));
  return administered === undefined ? `0x${formatHex(octets)}` : `${word!}:${administered}`;
}

function parseExtendedCommunity(text: string): Uint8Array | undefined {
  if (text.startsWith('0x')) {
    const octets = parseHex(text.slice(2));
    return octets?.length === 8 ? octets : undefined;
  }
  const [word = '', ...rest] = text.split(':');
  const subtype = Object.keys(subtypes).find((number) => subtypes[Number(number)] === word);
  const parsed = parseAdministered(rest.join(':'));
  if (subtype === undefined || parsed === undefined) return undefined;
  return Uint8Array.of(parsed.type, Number(subtype), ...parsed.octets);
}

export const extendedCommunity: JsonCodec<Uint8Array> = written(
  'an extended community such as target:64512:100 or 0x and 16 hex digits',
  formatExtendedCommunity,
  parseExtendedCommunity,
);
