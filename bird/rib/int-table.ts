import { mix, slotsFor } from './hash.ts';

const EMPTY = -1;

/** No such key. Values are never negative but for a caller's own markers below this one. */
export const ABSENT = -1;

/**
 * A map from a non-negative integer to an integer and a byte of flags: open addressing over typed arrays,
 * about 18 octets an entry. Deletion shifts entries back, so there are no tombstones and no slow decay.
 */
export class IntTable {
  #keys = new Int32Array(16).fill(EMPTY);
  #values = new Int32Array(16);
  #flags = new Uint8Array(16);
  #size = 0;

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
        this.#resize(slotsFor(this.#size + 1));
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

  /** Slots, taken or free: for one who walks over a table that nobody changes any more. */
  get slots(): number {
    return this.#keys.length;
  }

  /** The key in a slot, or ABSENT. */
  keyAt(slot: number): number {
    return this.#keys[slot]!;
  }

  /** Sets flags of all entries that have all flags of `where`; a millisecond for a million, so done in one go. */
  flagAll(bits: number, where = 0): void {
    const flags = this.#flags;
    for (let slot = 0; slot < flags.length; slot++) if ((flags[slot]! & where) === where) flags[slot]! |= bits;
  }

  /** A copy, so that the caller may change the table while it walks. */
  keys(): Int32Array {
    return this.#keys.filter((key) => key !== EMPTY);
  }

  forEach(visit: (key: number, value: number, flags: number) => void): void {
    for (let slot = 0; slot < this.#keys.length; slot++) {
      const key = this.#keys[slot]!;
      if (key !== EMPTY) visit(key, this.#values[slot]!, this.#flags[slot]!);
    }
  }

  #find(key: number): number {
    const mask = this.#keys.length - 1;
    let slot = mix(0, key) & mask;
    while (this.#keys[slot] !== EMPTY && this.#keys[slot] !== key) slot = (slot + 1) & mask;
    return slot;
  }

  #resize(slots: number): void {
    const [keys, values, flags] = [this.#keys, this.#values, this.#flags];
    this.#keys = new Int32Array(slots).fill(EMPTY);
    this.#values = new Int32Array(slots);
    this.#flags = new Uint8Array(slots);
    for (let old = 0; old < keys.length; old++) {
      if (keys[old] === EMPTY) continue;
      const slot = this.#find(keys[old]!);
      this.#keys[slot] = keys[old]!;
      this.#values[slot] = values[old]!;
      this.#flags[slot] = flags[old]!;
    }
  }
}
