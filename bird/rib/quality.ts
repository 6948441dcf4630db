import {
  AS_PATH,
  AS_SEQUENCE,
  AS_SET,
  attributesStart,
  CLUSTER_LIST,
  COMMUNITIES,
  LOCAL_PREF,
  MULTI_EXIT_DISC,
  ORIGIN,
  ORIGINATOR_ID,
  valueEnd,
  valueStart,
} from './kept-set.ts';
import type { KeptSet } from './kept-set.ts';
import { LLGR_STALE } from './well-known.ts';

/** Above every number of hops that a set can have. */
const MAX_HOPS = 0xffff;
/** Of a set without LOCAL_PREF. RFC 4277 §12. */
export const DEFAULT_LOCAL_PREF = 100;

/** What decides between most paths, read off an attribute set without decoding it. */
export interface Quality {
  /**
   * Lower is better, by the rules in their order: long-lived stale (RFC 9494 §4.3), LOCAL_PREF, length of AS_PATH, ORIGIN
   * (RFC 4271 §9.1.2.2 a and b). An integer of 51 bits. Equal where a path has more hops than can be told apart here.
   */
  readonly rank: number;
  readonly med: number;
  /** The AS that MEDs are compared within; 0 where the path is empty. */
  readonly neighborAs: number;
  /** Has ORIGINATOR_ID or CLUSTER_LIST, which break ties. RFC 4456 §9. */
  readonly isReflected: boolean;
}

/** Of a set as `canonicalAttributes` writes it. */
export function qualityOf(set: KeptSet): Quality {
  const { octets } = set;
  let stale = 0;
  let localPref = DEFAULT_LOCAL_PREF;
  let hops = 0;
  let origin = 2;
  let med = 0;
  let neighborAs = 0;
  let isReflected = false;
  for (let at = attributesStart(set); at < set.end;) {
    const code = octets[at + 1]!;
    const start = valueStart(octets, at);
    const end = valueEnd(octets, at);
    if (code === ORIGIN) origin = octets[start]!;
    else if (code === AS_PATH) {
      hops = hopsIn(octets, start, end);
      neighborAs = neighborIn(octets, start, end);
    } else if (code === MULTI_EXIT_DISC) med = wordAt(octets, start);
    else if (code === LOCAL_PREF) localPref = wordAt(octets, start);
    else if (code === COMMUNITIES && hasStale(octets, start, end)) stale = 1;
    else if (code === ORIGINATOR_ID || code === CLUSTER_LIST) isReflected = true;
    at = end;
  }
  const preference = stale * 0x1_0000_0000 + (0xffff_ffff - localPref);
  return { rank: (preference * (MAX_HOPS + 1) + Math.min(hops, MAX_HOPS)) * 4 + origin, med, neighborAs, isReflected };
}

/** A set counts one, confederation segments nothing. RFC 4271 §9.1.2.2 a), RFC 5065 §5.3. */
function hopsIn(octets: Uint8Array, start: number, end: number): number {
  let hops = 0;
  for (let at = start; at < end; at += 2 + 4 * octets[at + 1]!) {
    if (octets[at] === AS_SEQUENCE) hops += octets[at + 1]!;
    else if (octets[at] === AS_SET) hops++;
  }
  return hops;
}

/** The first of the first sequence, where no set stands before it: `decisionRecord` says the same. */
function neighborIn(octets: Uint8Array, start: number, end: number): number {
  for (let at = start; at < end; at += 2 + 4 * octets[at + 1]!) {
    if (octets[at] === AS_SET) return 0;
    if (octets[at] === AS_SEQUENCE) return octets[at + 1] === 0 ? 0 : wordAt(octets, at + 2);
  }
  return 0;
}

function hasStale(octets: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at += 4) if (wordAt(octets, at) === LLGR_STALE) return true;
  return false;
}

const wordAt = (octets: Uint8Array, at: number): number =>
  ((octets[at]! << 24) | (octets[at + 1]! << 16) | (octets[at + 2]! << 8) | octets[at + 3]!) >>> 0;
