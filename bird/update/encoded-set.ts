import type { IpFamily } from '../../src/model/ip.ts';
import { attributesStart, NEXT_HOP, TRANSITIVE, valueEnd } from '../rib/kept-set.ts';
import type { NextHopBytes } from '../wire.ts';

/** An attribute set as it goes out. */
export interface EncodedSet {
  /** Without the next hop where MP_REACH carries it. */
  readonly block: Uint8Array;
  readonly nextHop: NextHopBytes;
  /** In MP_REACH: IPv6, and IPv4 with an IPv6 next hop (RFC 8950). */
  readonly isMultiprotocol: boolean;
}

/** From the octets that the cache keeps (rib/kept-set.ts); NEXT_HOP, which stands in front there, has its place behind AS_PATH. */
export function encodedAsKept(octets: Uint8Array, family: IpFamily): EncodedSet {
  const start = attributesStart(octets);
  const nextHop = octets.slice(1, start);
  const isMultiprotocol = family === 6 || nextHop.length !== 4;
  if (isMultiprotocol) return { block: octets.slice(start), nextHop, isMultiprotocol };
  let at = start;
  while (at < octets.length && octets[at + 1]! < NEXT_HOP) at = valueEnd(octets, at);
  const block = new Uint8Array(octets.length - start + 3 + nextHop.length);
  const end = at - start;
  block.set(octets.subarray(start, at));
  block[end] = TRANSITIVE;
  block[end + 1] = NEXT_HOP;
  block[end + 2] = nextHop.length;
  block.set(nextHop, end + 3);
  block.set(octets.subarray(at), end + 3 + nextHop.length);
  return { block, nextHop, isMultiprotocol };
}
