import type { IpFamily } from '../../src/model/ip.ts';
import { attributesStart, NEXT_HOP, TRANSITIVE, valueEnd } from '../rib/kept-set.ts';
import type { NextHopBytes } from '../wire.ts';

/** An attribute set as it goes out. */
export interface EncodedSet {
  /** Its first `blockLength` octets, without the next hop where MP_REACH carries it. */
  readonly block: Uint8Array;
  readonly blockLength: number;
  /** In MP_REACH: of IPv6, and of IPv4 where it is one of IPv6 (RFC 8950). Undefined: it is among the attributes. */
  readonly nextHop: NextHopBytes | undefined;
}

/** Room for NEXT_HOP beside what is kept. */
const NEXT_HOP_OCTETS = 3 + 4;

/** What sets are encoded in, one after the other: an array for each costs more than its octets. */
let room = new Uint8Array(4096);

/**
 * From the octets that the cache keeps (rib/kept-set.ts); NEXT_HOP, which stands in front there, has its place behind AS_PATH.
 * Stands until the next call.
 */
export function encodedAsKept(octets: Uint8Array, family: IpFamily): EncodedSet {
  const start = attributesStart(octets);
  const isMultiprotocol = family === 6 || start !== 5;
  if (octets.length + NEXT_HOP_OCTETS > room.length) room = new Uint8Array(octets.length + NEXT_HOP_OCTETS);
  let end = 0;
  let at = start;
  if (!isMultiprotocol) {
    while (at < octets.length && octets[at + 1]! < NEXT_HOP) at = valueEnd(octets, at);
    for (let from = start; from < at; from++) room[end++] = octets[from]!;
    room[end++] = TRANSITIVE;
    room[end++] = NEXT_HOP;
    room[end++] = 4;
    for (let from = 1; from < start; from++) room[end++] = octets[from]!;
  }
  for (; at < octets.length; at++) room[end++] = octets[at]!;
  return { block: room, blockLength: end, nextHop: isMultiprotocol ? octets.subarray(1, start) : undefined };
}
