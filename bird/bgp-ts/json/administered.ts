/** Route distinguishers and the route targets beside them: an administrator and a number of its own. */
import { copyOf, readU16, readU32 } from '../reader.ts';
import { formatHex, formatIpv4, parseHex, parseIpv4 } from './address.ts';
import type { JsonCodec } from './codec.ts';
import { written } from './codec.ts';

/**
 * Six octets as `65000:100` (type 0: an AS of two octets), `192.0.2.1:100` (type 1) or `70000:100` (type 2: an AS of four
 * octets; `65000L:100` where two would do, so that text tells the types apart). Undefined for other types. RFC 4364 §4.2.
 */
export function formatAdministered(type: number, octets: Uint8Array): string | undefined {
  if (type === 0) return `${readU16(octets, 0)}:${readU32(octets, 2)}`;
  if (type === 1) return `${formatIpv4(readU32(octets, 0))}:${readU16(octets, 4)}`;
  if (type !== 2) return undefined;
  const asn = readU32(octets, 0);
  return `${asn}${asn > 0xffff ? '' : 'L'}:${readU16(octets, 4)}`;
}

/** The opposite. */
export function parseAdministered(text: string): { readonly type: number; readonly octets: Uint8Array } | undefined {
  const [, administrator = '', long = '', digits = ''] = /^([\d.]{1,15})(L?):(\d{1,10})$/.exec(text) ?? [];
  if (digits === '') return undefined;
  const number = Number(digits);
  const address = administrator.includes('.') ? parseIpv4(administrator) : undefined;
  if (address !== undefined) return long === '' ? packed(1, [address, 4], [number, 2]) : undefined;
  if (!/^\d{1,10}$/.test(administrator)) return undefined;
  const asn = Number(administrator);
  return long === 'L' || asn > 0xffff ? packed(2, [asn, 4], [number, 2]) : packed(0, [asn, 2], [number, 4]);
}

type Field = readonly [value: number, octets: number];

function packed(
  type: number,
  ...fields: readonly Field[]
): { readonly type: number; readonly octets: Uint8Array } | undefined {
  if (fields.some(([value, octets]) => value >= 256 ** octets)) return undefined;
  const octets = fields.flatMap(([value, width]) =>
    Array.from({ length: width }, (_, i) => Math.floor(value / 256 ** (width - 1 - i)) % 256),
  );
  return { type, octets: Uint8Array.from(octets) };
}

/** `65000:100`; a type that RFC 4364 does not know is `0x` and sixteen hex digits. */
export const formatRouteDistinguisher = (octets: Uint8Array): string =>
  formatAdministered(readU16(octets, 0), copyOf(octets, 2)) ?? `0x${formatHex(octets)}`;

/** Eight octets, or undefined. */
export function parseRouteDistinguisher(text: string): Uint8Array | undefined {
  if (text.startsWith('0x')) {
    const octets = parseHex(text.slice(2));
    return octets?.length === 8 ? octets : undefined;
  }
  const parsed = parseAdministered(text);
  return parsed === undefined ? undefined : Uint8Array.of(0, parsed.type, ...parsed.octets);
}

export const routeDistinguisher: JsonCodec<Uint8Array> = written(
  'a route distinguisher',
  formatRouteDistinguisher,
  parseRouteDistinguisher,
);
