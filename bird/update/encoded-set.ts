import type { IpFamily } from '../../src/model/ip.ts';
import type { NextHopBytes } from '../wire.ts';

/** An attribute set as it goes out. */
export interface EncodedSet {
  /** Without the next hop where MP_REACH carries it. */
  readonly block: Uint8Array;
  readonly nextHop: NextHopBytes;
  /** In MP_REACH: IPv6, and IPv4 with an IPv6 next hop (RFC 8950). */
  readonly isMultiprotocol: boolean;
}

const ORIGIN = 1;
const AS_PATH = 2;
const NEXT_HOP = 3;
const TRANSITIVE = 0x40;
const EXTENDED_LENGTH = 0x10;

/**
 * From the octets that the cache keeps, which are the next hop and then the block without it, in order of code: NEXT_HOP
 * has its place behind AS_PATH. RFC 4271 §5.
 */
export function encodedAsKept(octets: Uint8Array, family: IpFamily): EncodedSet {
  const start = 1 + octets[0]!;
  const nextHop = octets.slice(1, start);
  const isMultiprotocol = family === 6 || nextHop.length !== 4;
  if (isMultiprotocol) return { block: octets.slice(start), nextHop, isMultiprotocol };
  let at = start;
  while (at < octets.length && (octets[at + 1] === ORIGIN || octets[at + 1] === AS_PATH)) {
    const isExtended = (octets[at]! & EXTENDED_LENGTH) !== 0;
    at += isExtended ? 4 + ((octets[at + 2]! << 8) | octets[at + 3]!) : 3 + octets[at + 2]!;
  }
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
