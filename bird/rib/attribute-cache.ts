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
/** Slots that are moved with each new set: all are, long before the new ones are half taken. */
const MOVED_AT_ONCE = 16;
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
  /** Slot → id + 1, or FREE. The id of a set that is gone (NOWHERE) stays until a set takes its place, or the slots are made anew. */
  #slots = new Int32Array(16);
  /** Of them, those that have an id. */
  #taken = 0;
  /** While the slots are made anew, those before; the ones from `#unmoved` on are to be moved. */
  #before: Int32Array<ArrayBuffer> | undefined;
  #unmoved = 0;
  #places = new Uint32Array(8).fill(NOWHERE);
  #hashes = new Int32Array(8);
  #holders = new Uint32Array(8);
  /** Of the sets of paths that had to be compared. */
  #ranks = new Float64Array();
  #meds = new Uint32Array();
  /** Sets that are there. */
  #size = 0;
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
    return this.#size;
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
    let gone = -1;
    for (let entry = this.#slots[slot]!; entry !== FREE; entry = this.#slots[slot]!) {
      if (this.#isSame(entry - 1, hash, octets, length)) return entry - 1;
      if (gone === -1 && this.#places[entry - 1] === NOWHERE) gone = entry - 1;
      slot = (slot + 1) & mask;
    }
    if (this.#before !== undefined) {
      const found = this.#findBefore(hash, octets, length);
      if (found !== -1) return found;
    }
    return this.#add(gone, slot, hash, octets, length);
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
    // To take it out of the slots would be a miss of the processor's cache for each set.
    this.#places[id] = NOWHERE;
    this.#holders[id] = 0;
    this.#size--;
    if (id < this.#ranks.length) this.#ranks[id] = UNRANKED;
    if (this.#decoded[id & (DECODED - 1)]?.id === id) this.#decoded[id & (DECODED - 1)] = undefined;
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

  #isSame(id: number, hash: number, octets: Uint8Array, length: number): boolean {
    if (this.#hashes[id] !== hash) return false;
    const place = this.#places[id]!;
    return place !== NOWHERE && this.#octets.isSame(place, octets, 0, length);
  }

  /** What has been moved meanwhile is found here, too: that does no harm. */
  #findBefore(hash: number, octets: Uint8Array, length: number): number {
    const slots = this.#before!;
    const mask = slots.length - 1;
    let slot = hash & mask;
    for (let entry = slots[slot]!; entry !== FREE; entry = slots[slot]!) {
      if (this.#isSame(entry - 1, hash, octets, length)) return entry - 1;
      slot = (slot + 1) & mask;
    }
    return -1;
  }

  /** In the place of a set that is gone, or, where that is -1, in a free slot. */
  #add(gone: number, slot: number, hash: number, octets: Uint8Array, length: number): number {
    let id = gone;
    if (id === -1) {
      id = this.#freeIds.pop() ?? this.#used++;
      if (id >= this.#places.length) this.#growColumns();
      this.#slots[slot] = id + 1;
      this.#taken++;
    }
    this.#places[id] = this.#octets.add(id, octets, 0, length);
    this.#hashes[id] = hash;
    this.#holders[id] = 0;
    this.#size++;
    if (this.#before !== undefined) this.#moveSome();
    else if (this.#taken * 2 > this.#slots.length) this.#renew();
    return id;
  }

  #growColumns(): void {
    const before = this.#places.length;
    this.#places = longerWords(this.#places, before + 1).fill(NOWHERE, before);
    this.#hashes = longer(this.#hashes, before + 1, 0);
    this.#holders = longerWords(this.#holders, before + 1);
  }

  /** Begins the slots anew, for the sets that are there and all that may come while they are moved. */
  #renew(): void {
    const coming = this.#slots.length / MOVED_AT_ONCE;
    this.#before = this.#slots;
    this.#unmoved = 0;
    this.#slots = new Int32Array(slotsFor(this.#size + coming + 1));
    this.#taken = 0;
    this.#moveSome();
  }

  /** What is gone is left behind: its id is free. */
  #moveSome(): void {
    const before = this.#before!;
    const mask = this.#slots.length - 1;
    const end = Math.min(before.length, this.#unmoved + MOVED_AT_ONCE);
    for (let at = this.#unmoved; at < end; at++) {
      const entry = before[at]!;
      if (entry === FREE) continue;
      if (this.#places[entry - 1] === NOWHERE) {
        this.#freeIds.push(entry - 1);
        continue;
      }
      let slot = this.#hashes[entry - 1]! & mask;
      while (this.#slots[slot] !== FREE) slot = (slot + 1) & mask;
      this.#slots[slot] = entry;
      this.#taken++;
    }
    this.#unmoved = end;
    if (end === before.length) this.#before = undefined;
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
