import { hashOctets, slotsFor } from './hash.ts';

const FREE = 0;

/** A map from a run of octets to a non-negative integer. The octets are copied in; the lookup allocates nothing. */
export class ByteTable {
  readonly #seed: number;
  #slots = new Int32Array(16);
  readonly #keys: (Uint8Array | undefined)[] = [];
  readonly #hashes: number[] = [];
  readonly #values: number[] = [];
  readonly #freeRows: number[] = [];

  constructor(seed: number) {
    this.#seed = seed | 0;
  }

  get size(): number {
    return this.#keys.length - this.#freeRows.length;
  }

  /** The value of `bytes[start, end)`, or -1. */
  get(bytes: Uint8Array, start: number, end: number): number {
    const entry = this.#slots[this.#slotOf(bytes, start, end, this.#hash(bytes, start, end))]!;
    return entry === FREE ? -1 : this.#values[entry - 1]!;
  }

  /** Adds a key that is not there yet; returns the copy, which is what `delete` wants. */
  add(bytes: Uint8Array, start: number, end: number, value: number): Uint8Array {
    if ((this.size + 1) * 2 > this.#slots.length) this.#rehash();
    const hash = this.#hash(bytes, start, end);
    const key = bytes.slice(start, end);
    const row = this.#freeRows.pop() ?? this.#keys.length;
    this.#keys[row] = key;
    this.#hashes[row] = hash;
    this.#values[row] = value;
    this.#slots[this.#slotOf(bytes, start, end, hash)] = row + 1;
    return key;
  }

  delete(key: Uint8Array): void {
    const mask = this.#slots.length - 1;
    let hole = this.#slotOf(key, 0, key.length, this.#hash(key, 0, key.length));
    const entry = this.#slots[hole]!;
    if (entry === FREE) return;
    this.#keys[entry - 1] = undefined;
    this.#freeRows.push(entry - 1);
    for (let slot = (hole + 1) & mask; this.#slots[slot] !== FREE; slot = (slot + 1) & mask) {
      const home = this.#hashes[this.#slots[slot]! - 1]! & mask;
      if (((slot - home) & mask) < ((slot - hole) & mask)) continue;
      this.#slots[hole] = this.#slots[slot]!;
      hole = slot;
    }
    this.#slots[hole] = FREE;
  }

  #hash(bytes: Uint8Array, start: number, end: number): number {
    return hashOctets(this.#seed, bytes, start, end);
  }

  #slotOf(bytes: Uint8Array, start: number, end: number, hash: number): number {
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    for (let entry = this.#slots[slot]!; entry !== FREE; entry = this.#slots[slot]!) {
      if (this.#hashes[entry - 1] === hash && isEqual(this.#keys[entry - 1]!, bytes, start, end)) return slot;
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  #rehash(): void {
    const old = this.#slots;
    this.#slots = new Int32Array(slotsFor(this.size + 1));
    const mask = this.#slots.length - 1;
    for (const entry of old) {
      if (entry === FREE) continue;
      let slot = this.#hashes[entry - 1]! & mask;
      while (this.#slots[slot] !== FREE) slot = (slot + 1) & mask;
      this.#slots[slot] = entry;
    }
  }
}

function isEqual(key: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (key.length !== end - start) return false;
  for (let i = 0; i < key.length; i++) if (key[i] !== bytes[start + i]) return false;
  return true;
}
