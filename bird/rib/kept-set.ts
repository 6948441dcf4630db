/**
 * How the cache keeps a set of path attributes, for those who read it without decoding: as `canonicalAttributes` writes it,
 * an octet with the length of the next hop, the next hop, then the attributes in order of code. RFC 4271 §4.3.
 */
import type { NextHopBytes } from '../wire.ts';

export const ORIGIN = 1;
export const AS_PATH = 2;
export const NEXT_HOP = 3;
export const MULTI_EXIT_DISC = 4;
export const LOCAL_PREF = 5;
export const COMMUNITIES = 8;
export const ORIGINATOR_ID = 9;
export const CLUSTER_LIST = 10;
export const AIGP = 26;

export const OPTIONAL = 0x80;
export const TRANSITIVE = 0x40;
export const EXTENDED_LENGTH = 0x10;

/** Segments of AS_PATH: a set, a sequence, and above these those of confederations. RFC 4271 §4.3, RFC 5065 §3. */
export const AS_SET = 1;
export const AS_SEQUENCE = 2;

/** A set where it stands among others: `octets[start, end)`. No array of its own, which would cost more than to read it. */
export interface KeptSet {
  readonly octets: Uint8Array;
  readonly start: number;
  readonly end: number;
}

/** An attribute set as it goes out. */
export interface EncodedSet {
  /** Its first `blockLength` octets, without the next hop where MP_REACH carries it. */
  readonly block: Uint8Array;
  readonly blockLength: number;
  /** In MP_REACH: of IPv6, and of IPv4 where it is one of IPv6 (RFC 8950). Undefined: it is among the attributes. */
  readonly nextHop: NextHopBytes | undefined;
}

/** Where the first attribute begins. */
export const attributesStart = ({ octets, start }: KeptSet): number => start + 1 + octets[start]!;

/** Where the value of the attribute at `at` begins. */
export const valueStart = (octets: Uint8Array, at: number): number =>
  (octets[at]! & EXTENDED_LENGTH) === 0 ? at + 3 : at + 4;

/** Where the attribute at `at` ends, and the next begins. */
export const valueEnd = (octets: Uint8Array, at: number): number =>
  (octets[at]! & EXTENDED_LENGTH) === 0
    ? at + 3 + octets[at + 2]!
    : at + 4 + ((octets[at + 2]! << 8) | octets[at + 3]!);
