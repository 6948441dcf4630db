/** Export without decoding: `exportRoute` for the sets that need no thought, from octets to octets. Pure. */
import type { IpFamily } from '../../src/model/ip.ts';
import {
  AIGP,
  AS_PATH,
  AS_SEQUENCE,
  attributesStart,
  CLUSTER_LIST,
  COMMUNITIES,
  EXTENDED_LENGTH,
  LOCAL_PREF,
  MULTI_EXIT_DISC,
  NEXT_HOP,
  OPTIONAL,
  ORIGINATOR_ID,
  TRANSITIVE,
  valueEnd,
  valueStart,
} from '../rib/kept-set.ts';
import type { EncodedSet, KeptSet } from '../rib/kept-set.ts';
import { DEFAULT_LOCAL_PREF } from '../rib/quality.ts';
import { mayTell } from './export.ts';
import type { ExportSource, ExportTarget } from './export.ts';

/** Of a set of which `PlainExport` knows what becomes. */
export const PLAIN = 0;
/** Of a set that `exportRoute` must look at. */
export const NOT_PLAIN = -1;
/** Of a set that is not told, whatever it carries. */
export const KEPT_BACK = -2;

const MAX_SEGMENT_ASNS = 255;
/** From here on communities may be well known, and forbid something. RFC 1997, RFC 9494, RFC 8326. */
const WELL_KNOWN = 0xffff;
/** So long a set fits into every message; of longer ones others decide. */
const MAX_OCTETS = 3500;
const ROOM = 4096;
/** Behind the last code. */
const NO_MORE = 256;

/** What a group of peers sees of us, as far as this file knows how to serve it. */
export interface PlainTarget {
  readonly family: IpFamily;
  readonly target: ExportTarget;
  readonly hasFilters: boolean;
}

/**
 * Works on sets as the cache keeps them: how long the next hop is, the next hop, then the attributes in order of code,
 * as `canonicalAttributes` writes them; and writes what the peers are told in the same form.
 */
export class PlainExport {
  readonly octets = new Uint8Array(ROOM);
  readonly #target: ExportTarget;
  readonly #family: IpFamily;
  readonly #isPossible: boolean;
  #end = 0;
  /** What is put in where the set has none: the next code of these, behind what is written. */
  #isReflecting = false;
  #sourceIdentifier = 0;
  #written = 0;

  constructor({ family, target, hasFilters }: PlainTarget) {
    this.#family = family;
    this.#target = target;
    const { role, routeServerClient, asOverride, privateAsKept, isWithoutPolicy, draining } = target;
    const special = [role, routeServerClient, asOverride, privateAsKept, isWithoutPolicy];
    this.#isPossible = !hasFilters && !draining && special.every((each) => each === undefined);
  }

  /** How many of `octets` are what the peers are told of a set from that source; or NOT_PLAIN, or KEPT_BACK. */
  write(set: KeptSet, source: ExportSource): number {
    const verdict = this.judge(set, source);
    return verdict === PLAIN ? this.put(set, source) : verdict;
  }

  /** Whether `put` says what the peers are told: PLAIN; or NOT_PLAIN, or KEPT_BACK. */
  judge(set: KeptSet, source: ExportSource): number {
    const { octets, start: first, end } = set;
    if (!this.#isPossible || end - first > MAX_OCTETS) return NOT_PLAIN;
    if (!mayTell(source, this.#target)) return KEPT_BACK;
    if (!this.#isPlainNextHop(set, source)) return NOT_PLAIN;
    let hasPath = false;
    for (let at = attributesStart(set), next = at; at < end; at = next) {
      const code = octets[at + 1]!;
      const start = valueStart(octets, at);
      next = valueEnd(octets, at);
      if (code === AS_PATH) hasPath = true;
      if (!this.#isPlain(octets, code, start, next)) return NOT_PLAIN;
    }
    return hasPath ? PLAIN : NOT_PLAIN;
  }

  /** `write` of a set that is judged PLAIN. */
  put(set: KeptSet, source: ExportSource): number {
    this.octets[0] = this.#family === 4 ? 4 : 16;
    this.#end = 1;
    this.#putNextHop(set, source);
    this.#putAttributes(set, source, false);
    return this.#end;
  }

  /**
   * The same as it goes out, NEXT_HOP among them in IPv4, in IPv6 without. Stands until
   * the next set is written.
   */
  putBlock(set: KeptSet, source: ExportSource): EncodedSet {
    const isAmong = this.#family === 4;
    this.#end = 0;
    this.#putAttributes(set, source, isAmong);
    return { block: this.octets, blockLength: this.#end, nextHop: isAmong ? undefined : this.#nextHop(set, source) };
  }

  #putAttributes(set: KeptSet, source: ExportSource, withNextHop: boolean): void {
    const { octets, end } = set;
    const target = this.#target;
    let isHopDue = withNextHop;
    this.#isReflecting =
      !target.external && source.kind === 'peer' && !source.external && target.clusterId !== undefined;
    this.#sourceIdentifier = source.kind === 'peer' ? source.bgpIdentifier : 0;
    this.#written = 0;
    for (let at = attributesStart(set), next = at; at < end; at = next) {
      const code = octets[at + 1]!;
      next = valueEnd(octets, at);
      if (isHopDue && code > NEXT_HOP) {
        this.#putNextHopAttribute(set, source);
        isHopDue = false;
      }
      if (code === AS_PATH && target.external) this.#putPath(octets, valueStart(octets, at), next);
      else if (!target.external || !isInner(code, source)) this.#put(octets, code, at, next);
    }
    if (isHopDue) this.#putNextHopAttribute(set, source);
    if (!target.external) this.#insertBefore(NO_MORE);
  }

  /** What it carries does not decide whether, or in what form, it is told. */
  // eslint-disable-next-line max-params -- once for each attribute of a set, so without an object
  #isPlain(octets: Uint8Array, code: number, start: number, end: number): boolean {
    if (code === AS_PATH) return !this.#target.external || hasNoConfederation(octets, start, end);
    if (code === AIGP) return false;
    if (code !== COMMUNITIES) return true;
    for (let at = start; at < end; at += 4) if (((octets[at]! << 8) | octets[at + 1]!) === WELL_KNOWN) return false;
    return true;
  }

  /** RFC 4271 §5.1.3; false where it takes more thought. */
  #isPlainNextHop(set: KeptSet, source: ExportSource): boolean {
    const { localAddress, nextHopFamily } = this.#target;
    const isKept = this.#keepsNextHop(source);
    const octets = isKept ? set.octets : localAddress;
    const from = isKept ? set.start + 1 : 0;
    const length = isKept ? set.octets[set.start]! : (localAddress?.length ?? 0);
    if (octets === undefined || length !== (this.#family === 4 ? 4 : 16)) return false;
    if (nextHopFamily !== undefined && nextHopFamily !== this.#family) return false;
    // Link-local ones end at the link.
    if (isKept && length === 16 && octets[from] === 0xfe) return false;
    // IPv4 in IPv6 clothes.
    return length === 4 || octets[from] !== 0;
  }

  #putNextHopAttribute(set: KeptSet, source: ExportSource): void {
    this.#putHeader(TRANSITIVE, NEXT_HOP, 4);
    this.#putNextHop(set, source);
  }

  #putNextHop(set: KeptSet, source: ExportSource): void {
    const isKept = this.#keepsNextHop(source);
    const octets = isKept ? set.octets : this.#target.localAddress!;
    const from = isKept ? set.start + 1 : 0;
    const length = this.#family === 4 ? 4 : 16;
    this.#copy(octets, from, from + length);
  }

  #nextHop(set: KeptSet, source: ExportSource): Uint8Array {
    return this.#keepsNextHop(source)
      ? set.octets.subarray(set.start + 1, attributesStart(set))
      : this.#target.localAddress!;
  }

  #keepsNextHop({ kind }: ExportSource): boolean {
    const { external, nextHop } = this.#target;
    return kind === 'peer' && nextHop !== 'self' && (nextHop === 'keep' || !external);
  }

  /** Our AS into the first sequence, or one of its own where that is full or is a set. RFC 4271 §5.1.2. */
  #putPath(set: Uint8Array, start: number, end: number): void {
    const isJoined = start < end && set[start] === AS_SEQUENCE && set[start + 1]! < MAX_SEGMENT_ASNS;
    const length = end - start + (isJoined ? 4 : 6);
    this.#putHeader(TRANSITIVE, AS_PATH, length);
    const out = this.octets;
    out[this.#end++] = AS_SEQUENCE;
    out[this.#end++] = isJoined ? set[start + 1]! + 1 : 1;
    this.#put32(this.#target.localAsn);
    this.#copy(set, isJoined ? start + 2 : start, end);
  }

  /** One attribute, within the AS behind those that the set does not have. */
  // eslint-disable-next-line max-params -- as above
  #put(set: Uint8Array, code: number, start: number, end: number): void {
    if (!this.#target.external) {
      this.#insertBefore(code);
      if (this.#isReflecting && code === CLUSTER_LIST) {
        const from = valueStart(set, start);
        this.#putHeader(OPTIONAL, CLUSTER_LIST, end - from + 4);
        this.#put32(this.#target.clusterId!);
        this.#copy(set, from, end);
        this.#written = code;
        return;
      }
      this.#written = code;
    }
    this.#copy(set, start, end);
  }

  #copy(from: Uint8Array, start: number, end: number): void {
    const out = this.octets;
    const shift = this.#end - start;
    for (let at = start; at < end; at++) out[at + shift] = from[at]!;
    this.#end += end - start;
  }

  /** LOCAL_PREF, and to reflect who brought it and our cluster: RFC 4271 §5.1.5, RFC 4456 §8. */
  #insertBefore(code: number): void {
    if (this.#written < LOCAL_PREF && code > LOCAL_PREF) this.#insert(TRANSITIVE, LOCAL_PREF, DEFAULT_LOCAL_PREF);
    if (!this.#isReflecting) return;
    if (this.#written < ORIGINATOR_ID && code > ORIGINATOR_ID) {
      this.#insert(OPTIONAL, ORIGINATOR_ID, this.#sourceIdentifier);
    }
    if (this.#written < CLUSTER_LIST && code > CLUSTER_LIST) {
      this.#insert(OPTIONAL, CLUSTER_LIST, this.#target.clusterId!);
    }
  }

  #insert(flags: number, code: number, value: number): void {
    this.#putHeader(flags, code, 4);
    this.#put32(value);
    this.#written = code;
  }

  #putHeader(flags: number, code: number, length: number): void {
    const out = this.octets;
    out[this.#end++] = length > 0xff ? flags | EXTENDED_LENGTH : flags;
    out[this.#end++] = code;
    if (length > 0xff) out[this.#end++] = length >>> 8;
    out[this.#end++] = length;
  }

  #put32(value: number): void {
    const out = this.octets;
    out[this.#end++] = value >>> 24;
    out[this.#end++] = value >>> 16;
    out[this.#end++] = value >>> 8;
    out[this.#end++] = value;
  }
}

function hasNoConfederation(set: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at += 2 + 4 * set[at + 1]!) if (set[at]! > AS_SEQUENCE) return false;
  return true;
}

/** What stays in its AS; a MED of our own does not. RFC 4271 §5.1.4. */
const isInner = (code: number, source: ExportSource): boolean =>
  code === LOCAL_PREF ||
  code === ORIGINATOR_ID ||
  code === CLUSTER_LIST ||
  (code === MULTI_EXIT_DISC && source.kind === 'peer');
