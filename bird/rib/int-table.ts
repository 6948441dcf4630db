import { mix, slotsFor } from './hash.ts';

const EMPTY = -1;

/** No such key. Values are never negative but for a caller's own markers below this one. */
export const ABSENT = -1;

/** In the place of a key of the columns that are given up: it stands in the others already. */
const MOVED = -2;
/** Slots that are moved with each new key: all are long before the table is full again. */
const MOVED_AT_ONCE = 8;

interface Columns {
  readonly keys: Int32Array<ArrayBuffer>;
  readonly values: Int32Array<ArrayBuffer>;
  readonly flags: Uint8Array<ArrayBuffer>;
}

const columns = (slots: number): Columns => ({
  keys: new Int32Array(slots).fill(EMPTY),
  values: new Int32Array(slots),
  flags: new Uint8Array(slots),
});

/**
 * A map from a non-negative integer to an integer and a byte of flags: open addressing over typed arrays,
 * about 18 octets an entry. Deletion shifts entries back, so there are no tombstones and no slow decay. A table that
 * grows moves its entries a few at a time, and each when it is asked for: a million at once would stop the loop.
 */
export class IntTable {
  #keys: Int32Array<ArrayBuffer>;
  #values: Int32Array<ArrayBuffer>;
  #flags: Uint8Array<ArrayBuffer>;
  /** What is left of the columns before the last growth, from slot `#movedTo` on. */
  #left: Columns | undefined;
  #movedTo = 0;
  #size = 0;

  constructor() {
    ({ keys: this.#keys, values: this.#values, flags: this.#flags } = columns(16));
  }

  get size(): number {
    return this.#size;
  }

  get(key: number): number {
    const slot = this.#find(key);
    return this.#keys[slot] === key ? this.#values[slot]! : ABSENT;
  }

  has(key: number): boolean {
    return this.#keys[this.#find(key)] === key;
  }

  flags(key: number): number {
    const slot = this.#find(key);
    return this.#keys[slot] === key ? this.#flags[slot]! : 0;
  }

  /** Where the key stands, or -1; holds until the table is changed. For several questions about one key. */
  slotOf(key: number): number {
    const slot = this.#find(key);
    return this.#keys[slot] === key ? slot : -1;
  }

  valueAt(slot: number): number {
    return this.#values[slot]!;
  }

  flagsAt(slot: number): number {
    return this.#flags[slot]!;
  }

  setAt(slot: number, value: number, flags: number): void {
    this.#values[slot] = value;
    this.#flags[slot] = flags;
  }

  set(key: number, value: number, flags = 0): void {
    let slot = this.#find(key);
    if (this.#keys[slot] === EMPTY) {
      if ((this.#size + 1) * 2 > this.#keys.length) {
        this.#grow();
        slot = this.#find(key);
      } else if (this.#left !== undefined && this.#moveSome()) {
        slot = this.#find(key);
      }
      this.#keys[slot] = key;
      this.#size++;
    }
    this.#values[slot] = value;
    this.#flags[slot] = flags;
  }

  delete(key: number): boolean {
    let hole = this.#find(key);
    if (this.#keys[hole] !== key) return false;
    const mask = this.#keys.length - 1;
    // An entry moves into the hole unless its home lies cyclically after the hole.
    for (let slot = (hole + 1) & mask; this.#keys[slot] !== EMPTY; slot = (slot + 1) & mask) {
      const home = mix(0, this.#keys[slot]!) & mask;
      if (((slot - home) & mask) < ((slot - hole) & mask)) continue;
      this.#keys[hole] = this.#keys[slot]!;
      this.#values[hole] = this.#values[slot]!;
      this.#flags[hole] = this.#flags[slot]!;
      hole = slot;
    }
    this.#keys[hole] = EMPTY;
    this.#size--;
    return true;
  }

  /** Slots, taken or free: for one who walks over a table that nobody uses any more. */
  get slots(): number {
    return this.#keys.length + (this.#left?.keys.length ?? 0);
  }

  /** What stands in a slot; false where nothing does. */
  visitSlot(slot: number, visit: (key: number, value: number) => void): boolean {
    const isLeft = slot >= this.#keys.length;
    const at = isLeft ? slot - this.#keys.length : slot;
    const { keys, values } = isLeft ? this.#left! : { keys: this.#keys, values: this.#values };
    if (keys[at]! < 0) return false;
    visit(keys[at]!, values[at]!);
    return true;
  }

  /** Sets flags of all entries that have all flags of `where`; a millisecond for a million, so done in one go. */
  flagAll(bits: number, where = 0): void {
    for (const flags of this.#left === undefined ? [this.#flags] : [this.#flags, this.#left.flags]) {
      for (let slot = 0; slot < flags.length; slot++) if ((flags[slot]! & where) === where) flags[slot]! |= bits;
    }
  }

  /** A copy, so that the caller may change the table while it walks. */
  keys(): Int32Array {
    const keys = this.#keys.filter((key) => key !== EMPTY);
    return this.#left === undefined ? keys : Int32Array.of(...keys, ...this.#left.keys.filter((key) => key >= 0));
  }

  forEach(visit: (key: number, value: number) => void): void {
    const end = this.slots;
    for (let slot = 0; slot < end; slot++) this.visitSlot(slot, visit);
  }

  /** Where the key stands, or the free slot where it would. */
  #find(key: number): number {
    const slot = slotIn(this.#keys, key);
    if (this.#left === undefined || this.#keys[slot] === key) return slot;
    const { keys } = this.#left;
    const old = slotIn(keys, key);
    if (keys[old] === key) this.#move(this.#left, old, slot);
    return slot;
  }

  #grow(): void {
    while (this.#left !== undefined) this.#moveSome();
    this.#left = { keys: this.#keys, values: this.#values, flags: this.#flags };
    this.#movedTo = 0;
    ({ keys: this.#keys, values: this.#values, flags: this.#flags } = columns(slotsFor(this.#size + 1)));
  }

  /** True where an entry came to stand in another slot. */
  #moveSome(): boolean {
    const left = this.#left!;
    const end = Math.min(left.keys.length, this.#movedTo + MOVED_AT_ONCE);
    let isAny = false;
    for (; this.#movedTo < end; this.#movedTo++) {
      const key = left.keys[this.#movedTo]!;
      if (key < 0) continue;
      this.#move(left, this.#movedTo, slotIn(this.#keys, key));
      isAny = true;
    }
    if (end === left.keys.length) this.#left = undefined;
    return isAny;
  }

  #move({ keys, values, flags }: Columns, from: number, to: number): void {
    this.#keys[to] = keys[from]!;
    this.#values[to] = values[from]!;
    this.#flags[to] = flags[from]!;
    keys[from] = MOVED;
  }
}

function slotIn(keys: Int32Array, key: number): number {
  const mask = keys.length - 1;
  let slot = mix(0, key) & mask;
  while (keys[slot] !== EMPTY && keys[slot] !== key) slot = (slot + 1) & mask;
  return slot;
}
