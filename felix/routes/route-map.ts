/**
 * A map from RouteId for a whole table, in the order of insertion: what a Map of 100,000 entries takes several times, in memory and
 * in the garbage collector's time. Numbers stand in columns, and an open-addressing hash of 32-bit places leads to them; texts
 * (IPv6, odd metrics) in a Map, and come last.
 *
 *     slots   . 2 . 0 . . 1 .        ids     | 10.0.0.0/26 | 10.0.0.64/26 | gone |
 *               |   |     |          values  |      a      |      b       |      |
 *
 * While it is walked, entries may change or go, but none may come.
 */
import type { Entries } from '../delta-tracker.ts';
import type { RouteId } from './route-id.ts';

const FIRST_SLOTS = 16;
const FREE = -1;
/** No id: an id is 0 at least. */
const GONE = -1;
const ABSENT = -1;
/** Three quarters full at most, so that a search is short. */
const roomOf = (slots: number): number => (slots / 4) * 3;

export class RouteMap<V> implements Entries<RouteId, V> {
  #slots = new Int32Array(FIRST_SLOTS).fill(FREE);
  #ids = new Float64Array(roomOf(FIRST_SLOTS));
  #values: (V | undefined)[] = [];
  /** Those that are not GONE. */
  #count = 0;
  readonly #texts = new Map<string, V>();

  get size(): number {
    return this.#count + this.#texts.size;
  }

  /** Entries by number that fit without growing. */
  get room(): number {
    return this.#ids.length;
  }

  get(id: RouteId): V | undefined {
    if (typeof id === 'string') return this.#texts.get(id);
    const place = this.#find(id);
    return place === ABSENT ? undefined : this.#values[place];
  }

  has(id: RouteId): boolean {
    return typeof id === 'string' ? this.#texts.has(id) : this.#find(id) !== ABSENT;
  }

  set(id: RouteId, value: V): this {
    if (typeof id === 'string') this.#texts.set(id, value);
    else this.#put(id, value);
    return this;
  }

  delete(id: RouteId): boolean {
    if (typeof id === 'string') return this.#texts.delete(id);
    const place = this.#find(id);
    if (place === ABSENT) return false;
    // The slot goes on leading here, so that searches go on beyond it.
    this.#ids[place] = GONE;
    this.#values[place] = undefined;
    this.#count--;
    return true;
  }

  *keys(): Generator<RouteId> {
    const [ids, places] = [this.#ids, this.#values.length];
    for (let place = 0; place < places; place++) if (ids[place] !== GONE) yield ids[place]!;
    yield* this.#texts.keys();
  }

  *[Symbol.iterator](): Generator<[RouteId, V]> {
    const [ids, values] = [this.#ids, this.#values];
    for (let place = 0; place < values.length; place++) {
      const id = ids[place]!;
      if (id !== GONE) yield [id, values[place] as V];
    }
    yield* this.#texts;
  }

  #put(id: number, value: V): void {
    const known = this.#find(id);
    if (known !== ABSENT) {
      this.#values[known] = value;
      return;
    }
    if (this.#values.length === this.#ids.length) this.#rebuild();
    this.#append(id, value);
  }

  /** An id that is not there, where there is room. */
  #append(id: number, value: V): void {
    const slots = this.#slots;
    let slot = firstSlot(id, slots.length);
    while (slots[slot] !== FREE) slot = (slot + 1) & (slots.length - 1);
    const place = this.#values.push(value) - 1;
    slots[slot] = place;
    this.#ids[place] = id;
    this.#count++;
  }

  #find(id: number): number {
    const [slots, ids] = [this.#slots, this.#ids];
    for (let slot = firstSlot(id, slots.length); ; slot = (slot + 1) & (slots.length - 1)) {
      const place = slots[slot]!;
      if (place === FREE) return ABSENT;
      if (ids[place] === id) return place;
    }
  }

  /** With room for more, and without those that went. */
  #rebuild(): void {
    const [ids, values] = [this.#ids, this.#values];
    let slots = FIRST_SLOTS;
    while (roomOf(slots) < this.#count * 1.25) slots *= 2;
    this.#slots = new Int32Array(slots).fill(FREE);
    this.#ids = new Float64Array(roomOf(slots));
    this.#values = [];
    this.#count = 0;
    for (let place = 0; place < values.length; place++) {
      if (ids[place] !== GONE) this.#append(ids[place]!, values[place] as V);
    }
  }
}

/** Fibonacci hashing (Knuth, TAOCP 6.4) of both halves of the id: neighbouring prefixes, of one length, scatter. */
function firstSlot(id: number, slots: number): number {
  const mixed = Math.imul((id / 0x40) >>> 0, 0x9e37_79b1) ^ Math.imul(id & 0x3f, 0x85eb_ca6b);
  return (mixed ^ (mixed >>> 15)) & (slots - 1);
}
