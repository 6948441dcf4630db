import type { CodecContext, Family } from '../context.ts';
import { familyKey } from '../context.ts';
import { afis, safis } from '../iana.ts';
import type { JsonCodec } from '../json/codec.ts';
import { written } from '../json/codec.ts';
import type { NlriKind } from './nlri.ts';

/** One row per family that has a name here. */
export interface FamilyRow {
  readonly name: string;
  readonly family: Family;
  /** How its NLRI are written; `bytes`: nobody here knows, and nothing in them is judged. */
  readonly kind: NlriKind | 'bytes';
  /** Of an address; 0 where there is none. */
  readonly bits: 32 | 128 | 0;
  /** Lengths of the next hop in MP_REACH, RFC 4760 §3, RFC 2545 §3, RFC 4364 §4.3.2. Absent: any. */
  readonly nextHopOctets?: readonly number[];
  /** Lengths that are legal too where RFC 8950 was negotiated for the family. */
  readonly extendedNextHopOctets?: readonly number[];
}

const IPV4 = { name: 'IPv4', afi: afis.ipv4, bits: 32 } as const;
const IPV6 = { name: 'IPv6', afi: afis.ipv6, bits: 128 } as const;

const rows: readonly FamilyRow[] = [IPV4, IPV6].flatMap(({ name, afi, bits }): readonly FamilyRow[] => {
  const plain = bits === 32 ? [4] : [16, 32];
  const extended = bits === 32 ? [16, 32] : [4];
  // The next hop of a VPN route is an address behind a route distinguisher of zeros.
  const vpn = bits === 32 ? [12] : [24, 48];
  const extendedVpn = bits === 32 ? [24, 48] : [12];
  const row = (safi: number, word: string, kind: FamilyRow['kind']): FamilyRow => ({
    name: `${name} ${word}`,
    family: { afi, safi },
    kind,
    bits,
  });
  const addressed = { nextHopOctets: plain, extendedNextHopOctets: extended };
  return [
    { ...row(safis.unicast, 'unicast', 'prefix'), ...addressed },
    { ...row(safis.multicast, 'multicast', 'prefix'), ...addressed },
    { ...row(safis.labeledUnicast, 'labeled unicast', 'labeled'), ...addressed },
    { ...row(safis.vpn, 'VPN', 'vpn'), nextHopOctets: vpn, extendedNextHopOctets: extendedVpn },
    // RFC 8955 §4: no next hop, and whatever is there is ignored.
    row(safis.flowspec, 'FlowSpec', 'flow'),
    row(safis.flowspecVpn, 'FlowSpec VPN', 'flow'),
    row(5, 'multicast VPN', 'bytes'),
    row(73, 'SR policy', 'bytes'),
    row(85, 'MUP', 'bytes'),
    row(129, 'VPN multicast', 'bytes'),
    row(132, 'route target constraint', 'bytes'),
  ];
});

const others: readonly FamilyRow[] = [
  { name: 'L2VPN VPLS', family: { afi: 25, safi: 65 }, kind: 'bytes', bits: 0 },
  { name: 'L2VPN EVPN', family: { afi: 25, safi: 70 }, kind: 'bytes', bits: 0 },
  { name: 'BGP-LS', family: { afi: 16388, safi: 71 }, kind: 'bytes', bits: 0 },
  { name: 'BGP-LS VPN', family: { afi: 16388, safi: 72 }, kind: 'bytes', bits: 0 },
];

export const familyRows: readonly FamilyRow[] = [...rows, ...others];

/** By number, as the hot path asks for it: no text is made. */
const numberOf = ({ afi, safi }: Family): number => afi * 65536 + safi;
const byNumber: ReadonlyMap<number, FamilyRow> = new Map(familyRows.map((row) => [numberOf(row.family), row]));

/** 32 or 128 for a family whose NLRI are plain prefixes, 0 for any other. */
export function prefixBits(family: Family): number {
  const row = familyRow(family);
  return row?.kind === 'prefix' ? row.bits : 0;
}

/** 1/1: the family of the UPDATE's own fields. */
export const IPV4_UNICAST: Family = { afi: afis.ipv4, safi: safis.unicast };
/** 2/1. */
export const IPV6_UNICAST: Family = { afi: afis.ipv6, safi: safis.unicast };

export const isIpv4Unicast = ({ afi, safi }: Family): boolean => afi === afis.ipv4 && safi === safis.unicast;

export const familyRow = (family: Family): FamilyRow | undefined => byNumber.get(numberOf(family));

/** `IPv4 unicast`; a family without a row is its numbers, `25/65`. */
export const familyName = (family: Family): string => familyRow(family)?.name ?? familyKey(family);

/** The opposite of `familyName`; undefined where the text names no family. RFC 8950 writes SAFI in two octets. */
export function parseFamily(text: string): Family | undefined {
  const named = familyRows.find(({ name }) => name === text);
  if (named !== undefined) return named.family;
  const [, afi = '', safi = ''] = /^(\d{1,5})\/(\d{1,5})$/.exec(text) ?? [];
  return afi === '' || Number(afi) > 0xffff || Number(safi) > 0xffff
    ? undefined
    : { afi: Number(afi), safi: Number(safi) };
}

/** A family by its name, `IPv6 unicast`, or its numbers, `25/65`. */
export const family: JsonCodec<Family> = written('an address family', familyName, parseFamily);

/** Whether MP_REACH may carry a next hop of `octets` for `family`. Families without a row may have any. */
export function isNextHopLength(family: Family, octets: number, context: CodecContext): boolean {
  const { nextHopOctets, extendedNextHopOctets = [] } = familyRow(family) ?? {};
  if (nextHopOctets === undefined || nextHopOctets.includes(octets)) return true;
  return extendedNextHopOctets.includes(octets) && context.extendedNextHop.has(familyKey(family));
}
