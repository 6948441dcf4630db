/** What a peer of a rehearsal says: the mix of lengths and attributes that the Internet has. Pure. */
import type { IpFamily } from '../../src/model/ip.ts';
import { familyOf } from '../peer/negotiate.ts';
import { attributeBlock, MAX_OCTETS, plainContext } from '../wire.ts';
import type { UpdateWriter } from '../wire.ts';

/** Of which table a peer tells, and how. */
export interface Told {
  readonly family: IpFamily;
  readonly asn: number;
  /** Others have other paths and attributes. */
  readonly edition: number;
}

/** Of all prefixes that there are in a rehearsal, by number. */
export interface Range {
  readonly first: number;
  readonly end: number;
}

/** In UPDATEs one behind the other. */
export function announcement(writer: UpdateWriter, told: Told, range: Range): void {
  for (let i = range.first; i < range.end;) {
    const end = Math.min(range.end, i + shareOf(i));
    begin(writer, told, mixed(i * 64 + told.edition));
    for (; i < end; i++) put(writer, told.family, i);
    writer.end();
  }
}

export function withdrawal(writer: UpdateWriter, family: IpFamily, { first, end }: Range): void {
  writer.begin(family === 4 ? { kind: 'withdraw' } : { kind: 'withdraw', family: familyOf(family) }, MAX_OCTETS);
  for (let i = first; i < end; i++) put(writer, family, i);
  writer.end();
}

function begin(writer: UpdateWriter, { family, asn }: Told, seed: number): void {
  const set = attributesOf(asn, seed);
  if (family === 4) {
    const block = attributeBlock({ ...set, nextHop: NEXT_HOP[4] }, plainContext, 'next-hop');
    writer.begin({ kind: 'announce', block, blockLength: block.length }, MAX_OCTETS);
  } else {
    const block = attributeBlock(set, plainContext, 'mp-reach');
    writer.begin(
      { kind: 'announce', block, blockLength: block.length, family: familyOf(family), nextHop: NEXT_HOP[6] },
      MAX_OCTETS,
    );
  }
}

const NEXT_HOP = {
  4: Uint8Array.of(192, 0, 2, 1),
  6: Uint8Array.from({ length: 16 }, (_, i) => [0x20, 0x01, 0x0d, 0xb8][i] ?? 1),
} as const;

function attributesOf(asn: number, seed: number) {
  const [path, communities] = [(seed >>> 4) % 6, (seed >>> 8) % 12];
  const asns = [asn, ...Array.from({ length: path }, (_, i) => 1 + (mixed(seed + i) % 63_000))];
  const named = Array.from({ length: Math.max(0, communities - 3) }, (_, i) => mixed(seed + i) % 0xf000_0000);
  return {
    origin: seed % 8 === 0 ? 'incomplete' : 'igp',
    asPath: [{ type: 'sequence', asns }],
    ...(seed % 4 === 1 && { med: seed % 500 }),
    ...(seed % 32 === 2 && {
      atomicAggregate: true as const,
      aggregator: { asn: asns.at(-1)!, address: 0xc000_0201 },
    }),
    ...(named.length > 0 && { communities: named }),
    ...(seed % 16 === 3 && { largeCommunities: [[asn, seed % 1000, 1]] as const }),
  } as const;
}

/** So many prefixes have the attributes of prefix `i`: one, or some, or many. */
const shareOf = (i: number): number => [1, 2, 1, 4, 1, 9, 2, 1, 1, 3, 1, 40, 2, 1, 12, 1][mixed(i) % 16]!;

/** All over the family's space, so that no number is always a small one. */
function put(writer: UpdateWriter, family: IpFamily, i: number): void {
  const word = mixed(i);
  if (family === 4) {
    const length = [24, 24, 24, 22, 24, 23, 24, 21, 24, 20, 22, 24, 23, 24, 19, 16][i % 16]!;
    const host = (1 + (word >>> 24) * 0.87) << 24;
    writer.prefix(((host | (word & 0xff_ffff)) & (-1 << (32 - length))) >>> 0, 0, 0, 0, length);
  } else {
    const length = [48, 48, 32, 44, 48, 40, 48, 36, 46, 48][i % 10]!;
    const high = (0x2000_0000 | (word >>> 4)) >>> 0;
    const low = (mixed(i + 1) & (-1 << (64 - length))) >>> 0;
    writer.prefix(high, length === 32 ? 0 : low, 0, 0, length);
  }
}

/** A number of 32 bits that looks like any other. */
function mixed(n: number): number {
  const a = Math.imul(n ^ (n >>> 16), 0x7feb_352d);
  const b = Math.imul(a ^ (a >>> 15), 0x846c_a68b);
  return (b ^ (b >>> 16)) >>> 0;
}
