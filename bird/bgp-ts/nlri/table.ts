import type { CodecContext, Family, FamilyKey } from '../context.ts';
import { familyKey } from '../context.ts';
import { afis, safis } from '../iana.ts';

/** A family whose NLRI are plain prefixes: a length in bits and as many octets as it needs, RFC 4271 §4.3. */
export interface PrefixFamily {
  readonly name: string;
  readonly family: Family;
  readonly bits: 32 | 128;
  /** Lengths of the next hop in MP_REACH, RFC 4760 §3, RFC 2545 §3. */
  readonly nextHopOctets: readonly number[];
  /** Lengths that are legal too where RFC 8950 was negotiated for the family. */
  readonly extendedNextHopOctets: readonly number[];
}

/** One row per family. A family without a row is kept as bytes, and nothing in it is judged. */
const rows: readonly PrefixFamily[] = [
  ipv4('IPv4 unicast', safis.unicast),
  ipv4('IPv4 multicast', safis.multicast),
  ipv6('IPv6 unicast', safis.unicast),
  ipv6('IPv6 multicast', safis.multicast),
];

const byKey: ReadonlyMap<FamilyKey, PrefixFamily> = new Map(rows.map((row) => [familyKey(row.family), row]));

export const IPV4_UNICAST: Family = { afi: afis.ipv4, safi: safis.unicast };
export const IPV6_UNICAST: Family = { afi: afis.ipv6, safi: safis.unicast };

export const prefixFamily = (family: Family): PrefixFamily | undefined => byKey.get(familyKey(family));

/** `IPv4 unicast`; a family without a row is its numbers, `25/65`. */
export const familyName = (family: Family): string => prefixFamily(family)?.name ?? familyKey(family);

/** Whether MP_REACH may carry a next hop of `octets` for `family`. Families without a row may have any. */
export function isNextHopLength(family: Family, octets: number, context: CodecContext): boolean {
  const row = prefixFamily(family);
  if (row === undefined || row.nextHopOctets.includes(octets)) return true;
  return row.extendedNextHopOctets.includes(octets) && context.extendedNextHop.has(familyKey(family));
}

function ipv4(name: string, safi: number): PrefixFamily {
  return { name, family: { afi: afis.ipv4, safi }, bits: 32, nextHopOctets: [4], extendedNextHopOctets: [16, 32] };
}

function ipv6(name: string, safi: number): PrefixFamily {
  return { name, family: { afi: afis.ipv6, safi }, bits: 128, nextHopOctets: [16, 32], extendedNextHopOctets: [4] };
}
