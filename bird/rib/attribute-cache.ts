import { aigpMetric, canonicalAttributes, decodeCanonical } from '../wire.ts';
import type { PathAttributes } from '../wire.ts';
import { ByteTable } from './byte-table.ts';
import { longer, longerOctets, longerWords } from './columns.ts';
import { hashOctets, slotsFor } from './hash.ts';
import { OctetStore } from './octet-store.ts';
import { qualityOf } from './quality.ts';
import { LLGR_STALE } from './well-known.ts';

/** What best path and policy look at, worked out once per attribute set. */
export interface DecisionRecord {
  /** RFC 9494 §4.3, whoever marked it. */
  readonly longLivedStale: boolean;
  /** 100 where the peer sent none, RFC 4277 §12. */
  readonly localPref: number;
  /** RFC 7311; undefined where the set has none. */
  readonly aigp: bigint | undefined;
  readonly asPathLength: number;
  readonly origin: number;
  readonly med: number;
  readonly neighborAs: number;
  readonly originatorId: number | undefined;
  readonly clusterListLength: number;
}

/** How many different encodings of one set are remembered; a peer that shuffles attributes must not fill our memory. */
const MAX_RAW = 4;

const FREE = 0;
/** The place of a set that is not there. */
const NOWHERE = 0xffff_ffff;
const UNRANKED = -1;
/** Sets that are kept decoded; a power of two. */
const DECODED = 512;

/** A set in its readable form, as long as nobody else's takes its place. */
interface Decoded {
  readonly id: number;
  readonly attributes: PathAttributes;
  record: DecisionRecord | undefined;
}

/**
 * Every distinct set of path attributes once, named by a small integer. A set is kept as octets, our own encoding of it
 * (`canonicalAttributes`), and read when somebody asks: about 30 octets a set beside them. Three ways in: by these octets,
 * which is how nearly all come (`PlainAttributes`), by value, and by the very octets of a message that had to be decoded
 * once. A set lives as long as somebody retains it.
 */
export class AttributeCache {
  readonly #encode: (attributes: PathAttributes) => Uint8Array;
  readonly #seed: number;
  readonly #byRaw: ByteTable;
  /** Of the few sets that came in another form, the encodings that led to them. */
  readonly #raw = new Map<number, Uint8Array[]>();
  readonly #octets = new OctetStore((id, place) => (this.#places[id] = place));
  readonly #decoded: (Decoded | undefined)[] = [];
  readonly #freeIds: number[] = [];
  /** Slot → id + 1, or FREE. */
  #slots = new Int32Array(16);
  #places = new Uint32Array(8).fill(NOWHERE);
  #hashes = new Int32Array(8);
  #holders = new Uint32Array(8);
  /** Of the sets of paths that had to be compared. */
  #ranks = new Float64Array();
  #meds = new Uint32Array();
  #neighbors = new Uint32Array();
  #reflected = new Uint8Array();
  #used = 0;

  /** `encode` gives equal octets for equal sets, and what `decodeCanonical` reads; the next hop included, whatever its family. */
  constructor(encode: (attributes: PathAttributes) => Uint8Array = canonicalAttributes, seed = 0) {
    this.#encode = encode;
    this.#seed = seed | 0;
    this.#byRaw = new ByteTable(seed + 1);
  }

  get size(): number {
    return this.#used - this.#freeIds.length;
  }

  /** The set that these octets led to before, or -1. */
  findRaw(key: Uint8Array, length: number): number {
    return this.#byRaw.get(key, 0, length);
  }

  /** Remembers the octets of a set that was retained. */
  rememberRaw(key: Uint8Array, length: number, id: number): void {
    this.#placeOf(id);
    const raw = this.#raw.get(id) ?? [];
    if (raw.length >= MAX_RAW) return;
    raw.push(this.#byRaw.add(key, 0, length, id));
    this.#raw.set(id, raw);
  }

  /** The id of a set by value. The caller must retain it, or hand it back with `release` after `retain`. */
  intern(attributes: PathAttributes): number {
    const canonical = this.#encode(attributes);
    const id = this.internOctets(canonical, canonical.length);
    // Whoever made it will ask for it.
    this.#decoded[id & (DECODED - 1)] = { id, attributes, record: undefined };
    return id;
  }

  /** The same by the first `length` of `octets`, which are as `canonicalAttributes` writes them. */
  internOctets(octets: Uint8Array, length: number): number {
    const hash = hashOctets(this.#seed, octets, 0, length);
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    for (let entry = this.#slots[slot]!; entry !== FREE; entry = this.#slots[slot]!) {
      const id = entry - 1;
      if (this.#hashes[id] === hash && this.#octets.isSame(this.#places[id]!, octets, 0, length)) return id;
      slot = (slot + 1) & mask;
    }
    const id = this.#freeIds.pop() ?? this.#used++;
    if (id >= this.#places.length) this.#growColumns();
    this.#places[id] = this.#octets.add(id, octets, 0, length);
    this.#hashes[id] = hash;
    this.#holders[id] = 0;
    this.#slots[slot] = id + 1;
    if (this.size * 2 > this.#slots.length) this.#rehash();
    return id;
  }

  /** `times` holds at once. */
  retain(id: number, times = 1): void {
    if (this.#places[id] === NOWHERE) this.#placeOf(id);
    this.#holders[id] = this.#holders[id]! + times;
  }

  release(id: number): void {
    const left = this.#holders[id]! - 1;
    if (left > 0) {
      this.#holders[id] = left;
      return;
    }
    const place = this.#placeOf(id);
    for (const key of this.#raw.get(id) ?? []) this.#byRaw.delete(key);
    this.#raw.delete(id);
    this.#deleteSlot(id);
    this.#places[id] = NOWHERE;
    this.#holders[id] = 0;
    if (id < this.#ranks.length) this.#ranks[id] = UNRANKED;
    if (this.#decoded[id & (DECODED - 1)]?.id === id) this.#decoded[id & (DECODED - 1)] = undefined;
    this.#freeIds.push(id);
    this.#octets.remove(place);
  }

  /** Read anew where it was not asked for lately; equal, but not the same object each time. */
  attributes(id: number): PathAttributes {
    return this.#decodedOf(id).attributes;
  }

  /** Without reading the rest; a view that holds until the next set comes or goes. */
  nextHop(id: number): Uint8Array | undefined {
    const octets = this.octets(id);
    return octets[0] === 0 ? undefined : octets.subarray(1, 1 + octets[0]!);
  }

  record(id: number): DecisionRecord {
    const decoded = this.#decodedOf(id);
    decoded.record ??= decisionRecord(decoded.attributes);
    return decoded.record;
  }

  /** `Quality.rank`. */
  rank(id: number): number {
    return this.#isRanked(id) ? this.#ranks[id]! : this.#makeRank(id);
  }

  /** MULTI_EXIT_DISC, 0 where there is none. */
  med(id: number): number {
    if (!this.#isRanked(id)) this.#makeRank(id);
    return this.#meds[id]!;
  }

  /** `Quality.neighborAs`. */
  neighborAs(id: number): number {
    if (!this.#isRanked(id)) this.#makeRank(id);
    return this.#neighbors[id]!;
  }

  /** `Quality.isReflected`. */
  isReflected(id: number): boolean {
    if (!this.#isRanked(id)) this.#makeRank(id);
    return this.#reflected[id] === 1;
  }

  /** Our own encoding, as `canonicalAttributes` has it: a view that holds until the next set comes or goes. */
  octets(id: number): Uint8Array {
    const place = this.#placeOf(id);
    const start = this.#octets.startOf(place);
    return this.#octets.octetsOf(place).subarray(start, start + this.#octets.lengthOf(place));
  }

  #isRanked(id: number): boolean {
    return id < this.#ranks.length && this.#ranks[id]! >= 0;
  }

  #makeRank(id: number): number {
    const before = this.#ranks.length;
    if (id >= before) {
      const ranks = new Float64Array(this.#places.length).fill(UNRANKED, before);
      ranks.set(this.#ranks);
      this.#ranks = ranks;
      this.#meds = longerWords(this.#meds, this.#places.length);
      this.#neighbors = longerWords(this.#neighbors, this.#places.length);
      this.#reflected = longerOctets(this.#reflected, this.#places.length);
    }
    const { rank, med, neighborAs, isReflected } = qualityOf(this.octets(id));
    this.#ranks[id] = rank;
    this.#meds[id] = med;
    this.#neighbors[id] = neighborAs;
    this.#reflected[id] = isReflected ? 1 : 0;
    return rank;
  }

  #decodedOf(id: number): Decoded {
    const known = this.#decoded[id & (DECODED - 1)];
    if (known?.id === id) return known;
    const decoded = { id, attributes: decodeCanonical(this.octets(id)), record: undefined };
    this.#decoded[id & (DECODED - 1)] = decoded;
    return decoded;
  }

  #placeOf(id: number): number {
    const place = this.#places[id] ?? NOWHERE;
    if (place === NOWHERE) throw new Error(`attribute set ${id} is not in the cache`);
    return place;
  }

  #deleteSlot(id: number): void {
    const mask = this.#slots.length - 1;
    let hole = this.#hashes[id]! & mask;
    while (this.#slots[hole] !== id + 1) hole = (hole + 1) & mask;
    for (let slot = (hole + 1) & mask; this.#slots[slot] !== FREE; slot = (slot + 1) & mask) {
      const home = this.#hashes[this.#slots[slot]! - 1]! & mask;
      if (((slot - home) & mask) < ((slot - hole) & mask)) continue;
      this.#slots[hole] = this.#slots[slot]!;
      hole = slot;
    }
    this.#slots[hole] = FREE;
  }

  #growColumns(): void {
    const before = this.#places.length;
    this.#places = longerWords(this.#places, before + 1).fill(NOWHERE, before);
    this.#hashes = longer(this.#hashes, before + 1, 0);
    this.#holders = longerWords(this.#holders, before + 1);
  }

  /** By index: an iterator makes an object for each slot as long as V8 has not compiled this, and it runs too seldom for that. */
  #rehash(): void {
    const old = this.#slots;
    const slots = new Int32Array(slotsFor(this.size + 1));
    const hashes = this.#hashes;
    const mask = slots.length - 1;
    for (let at = 0; at < old.length; at++) {
      const entry = old[at]!;
      if (entry === FREE) continue;
      let slot = hashes[entry - 1]! & mask;
      while (slots[slot] !== FREE) slot = (slot + 1) & mask;
      slots[slot] = entry;
    }
    this.#slots = slots;
  }
}

const ORIGINS = { igp: 0, egp: 1, incomplete: 2 } as const;

export function decisionRecord(attributes: PathAttributes): DecisionRecord {
  const path = attributes.asPath ?? [];
  // RFC 4271 §9.1.2.2 a) counts a set as one; RFC 5065 §5.3 confederation segments not at all.
  const lengths = path.map(({ type, asns }) => (type === 'sequence' ? asns.length : type === 'set' ? 1 : 0));
  const first = path.find(({ type }) => type === 'sequence' || type === 'set');
  return {
    longLivedStale: attributes.communities?.includes(LLGR_STALE) === true,
    aigp: aigpMetric(attributes),
    localPref: attributes.localPref ?? 100,
    asPathLength: lengths.reduce((sum, length) => sum + length, 0),
    origin: ORIGINS[attributes.origin ?? 'incomplete'],
    med: attributes.med ?? 0,
    neighborAs: first?.type === 'sequence' ? (first.asns[0] ?? 0) : 0,
    originatorId: attributes.originatorId,
    clusterListLength: attributes.clusterList?.length ?? 0,
  };
}
