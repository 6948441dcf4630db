import type { CodecContext } from '../context.ts';
import { readU16, readU32 } from '../reader.ts';
import { aggregator } from './aggregator.ts';
import { asPath } from './as-path.ts';
import { atomicAggregate } from './atomic-aggregate.ts';
import { clusterList } from './cluster-list.ts';
import { communities } from './communities.ts';
import { extendedCommunities } from './extended-communities.ts';
import { largeCommunities } from './large-communities.ts';
import { localPref } from './local-pref.ts';
import { med } from './med.ts';
import { mpReach } from './mp-reach.ts';
import { mpUnreach } from './mp-unreach.ts';
import { nextHop } from './next-hop.ts';
import { origin } from './origin.ts';
import { originatorId } from './originator-id.ts';
import { EXTENDED_LENGTH } from './spec.ts';

/** The block is not plain: decode it. */
export const NOT_PLAIN = -1;

/** The length of a next hop and as many octets as it can have. */
export const NEXT_HOP_ROOM = 256;

const NEXT_HOP_OCTETS = 4;
/** More are compared by decoding. */
const MAX_LARGE = 8;
const LARGE_OCTETS = 12;

/**
 * Attribute blocks that need no decoding. Nearly every block that comes is plain: each attribute is well-known here and in
 * order of code, its flags and length are as `encodeAttributes` writes them, its value is valid, and none that an UPDATE
 * with prefixes needs is missing. Without NEXT_HOP, MP_REACH_NLRI and MP_UNREACH_NLRI such a block is octet by octet what
 * `encodeAttributes` makes of what `decodeAttributes` finds in it. What is not plain may still be good.
 */
export class PlainAttributes {
  /** What was read last: one octet with the length of the next hop, the next hop, then the block without it. */
  readonly octets: Uint8Array<ArrayBuffer>;
  /** Whether any block of the session is plain. */
  readonly isPossible: boolean;
  readonly #isExternal: boolean;

  /** `octets`: room for a message of the session and NEXT_HOP_ROOM; several readers may share it, one block at a time. */
  constructor(context: CodecContext, octets: Uint8Array<ArrayBuffer>) {
    this.octets = octets;
    this.#isExternal = context.external;
    this.isPossible = context.fourOctetAs && context.ownRoutes !== true;
  }

  /** The block `bytes[start, end)` for prefixes of the UPDATE's own field; returns the length in `octets`, or NOT_PLAIN. */
  read(bytes: Uint8Array, start: number, end: number): number {
    return this.#copy(bytes, start, end, NEXT_HOP_OCTETS, false);
  }

  /** The same for the prefixes of MP_REACH_NLRI, whose next hop is `bytes[nextHopStart, nextHopEnd)`. */
  readMultiprotocol(bytes: Uint8Array, start: number, end: number, nextHopStart: number, nextHopEnd: number): number {
    const length = nextHopEnd - nextHopStart;
    for (let i = 0; i < length; i++) this.octets[1 + i] = bytes[nextHopStart + i]!;
    return this.#copy(bytes, start, end, length, true);
  }

  #copy(bytes: Uint8Array, start: number, end: number, nextHopOctets: number, isMultiprotocol: boolean): number {
    if (!this.isPossible) return NOT_PLAIN;
    const target = this.octets;
    target[0] = nextHopOctets;
    let out = 1 + nextHopOctets;
    let last = 0;
    let hasOrigin = false;
    let hasPath = false;
    let hasNextHop = isMultiprotocol;
    for (let at = start; at < end;) {
      if (end - at < 3) return NOT_PLAIN;
      const flags = bytes[at]!;
      const code = bytes[at + 1]!;
      let octets = bytes[at + 2]!;
      let value = at + 3;
      if ((flags & EXTENDED_LENGTH) !== 0) {
        octets = readU16(bytes, at + 2);
        value++;
      }
      const next = value + octets;
      if (next > end) return NOT_PLAIN;
      if (isMultiprotocol && (code === mpReach.code || code === mpUnreach.code)) {
        at = next;
        continue;
      }
      // Two octets of length where one would do are not how we write it.
      if (code <= last || (value !== at + 3 && octets < 256)) return NOT_PLAIN;
      if (!this.#isPlain(bytes, code, flags & ~EXTENDED_LENGTH, value, octets)) return NOT_PLAIN;
      last = code;
      if (code === nextHop.code) {
        if (!isMultiprotocol) for (let i = 0; i < NEXT_HOP_OCTETS; i++) target[1 + i] = bytes[value + i]!;
        hasNextHop = true;
      } else {
        if (code === origin.code) hasOrigin = true;
        else if (code === asPath.code) hasPath = true;
        for (let i = at; i < next; i++) target[out++] = bytes[i]!;
      }
      at = next;
    }
    return hasOrigin && hasPath && hasNextHop ? out : NOT_PLAIN;
  }

  #isPlain(bytes: Uint8Array, code: number, flags: number, at: number, octets: number): boolean {
    switch (code) {
      case origin.code:
        return flags === origin.flags && octets === 1 && bytes[at]! <= 2;
      case asPath.code:
        return flags === asPath.flags && this.#isPath(bytes, at, at + octets);
      case nextHop.code:
        return flags === nextHop.flags && octets === NEXT_HOP_OCTETS && isHost(bytes, at);
      case med.code:
        return flags === med.flags && octets === 4;
      case localPref.code:
        return flags === localPref.flags && octets === 4 && !this.#isExternal;
      case atomicAggregate.code:
        return flags === atomicAggregate.flags && octets === 0;
      case aggregator.code:
        return flags === aggregator.flags && octets === 8 && readU32(bytes, at) !== 0;
      case communities.code:
        return flags === communities.flags && octets > 0 && octets % 4 === 0;
      case originatorId.code:
        return flags === originatorId.flags && octets === 4 && !this.#isExternal;
      case clusterList.code:
        return flags === clusterList.flags && octets > 0 && octets % 4 === 0 && !this.#isExternal;
      case extendedCommunities.code:
        return flags === extendedCommunities.flags && octets > 0 && octets % 8 === 0;
      case largeCommunities.code:
        return flags === largeCommunities.flags && octets > 0 && isDistinct(bytes, at, octets);
      default:
        return false;
    }
  }

  /** RFC 7606 §7.2, RFC 7607 §2; confederation segments only from inside, RFC 5065 §5. */
  #isPath(bytes: Uint8Array, start: number, end: number): boolean {
    const lastType = this.#isExternal ? 2 : 4;
    for (let at = start; at < end;) {
      if (end - at < 2) return false;
      const type = bytes[at]!;
      const next = at + 2 + 4 * bytes[at + 1]!;
      if (type < 1 || type > lastType || next === at + 2 || next > end) return false;
      for (at += 2; at < next; at += 4) if (readU32(bytes, at) === 0) return false;
    }
    return true;
  }
}

const isHost = (bytes: Uint8Array, at: number): boolean => (bytes[at]! & 0xf0) !== 0xe0 && readU32(bytes, at) !== 0;

/** RFC 8092 §3: of equal ones one counts. */
function isDistinct(bytes: Uint8Array, start: number, octets: number): boolean {
  if (octets % LARGE_OCTETS !== 0 || octets > MAX_LARGE * LARGE_OCTETS) return false;
  for (let a = start; a < start + octets; a += LARGE_OCTETS) {
    for (let b = start; b < a; b += LARGE_OCTETS) if (isSame(bytes, a, b)) return false;
  }
  return true;
}

function isSame(bytes: Uint8Array, a: number, b: number): boolean {
  for (let i = 0; i < LARGE_OCTETS; i++) if (bytes[a + i] !== bytes[b + i]) return false;
  return true;
}
