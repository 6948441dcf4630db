import { canonicalAttributes, decodeCanonical } from '../wire.ts';
import type { PathAttributes } from '../wire.ts';
import { ByteTable } from './byte-table.ts';
import { longer, longerWords } from './columns.ts';
import { decisionRecord } from './decision-record.ts';
import type { DecisionRecord } from './decision-record.ts';
import { hashOctets, slotsFor } from './hash.ts';
import type { KeptSet } from './kept-set.ts';
import { OctetStore } from './octet-store.ts';
import { Qualities } from './qualities.ts';

/** How many different encodings of one set are remembered; a peer that shuffles attributes must not fill our memory. */
const MAX_RAW = 4;

const FREE = 0;
/** The place of a set that is not there. */
const NOWHERE = 0xffff_ffff;
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
  /** What decides between most paths. */
  readonly qualities = new Qualities((id) => this.keptSet(id));
  readonly #encode: (attributes: PathAttributes) => Uint8Array;
  readonly #seed: number;
  readonly #byRaw: ByteTable;
  /** Of the few sets that came in another form, the encodings that led to them. */
  readonly #raw = new Map<number, Uint8Array[]>();
  readonly #octets = new OctetStore((id, place) => (this.#places[id] = place));
  readonly #view: { -readonly [K in keyof KeptSet]: KeptSet[K] } = { octets: new Uint8Array(), start: 0, end: 0 };
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
  /** Sets that are there. */
  #size = 0;
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
    this.qualities.forget(id);
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

  /**
   * Our own encoding, as `canonicalAttributes` has it, where it stands: one object for all, which holds until the next set is
   * asked for, comes or goes.
   */
  keptSet(id: number): KeptSet {
    const place = this.#placeOf(id);
    const view = this.#view;
    view.octets = this.#octets.octetsOf(place);
    view.start = this.#octets.startOf(place);
    view.end = view.start + this.#octets.lengthOf(place);
    return view;
  }

  /** The same as an array: a view that holds until the next set comes or goes. */
  octets(id: number): Uint8Array {
    const { octets, start, end } = this.keptSet(id);
    return octets.subarray(start, end);
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
