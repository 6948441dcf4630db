import { slotsFor } from './hash.ts';
import { NO_PREFIX } from './prefix-columns.ts';
import type { PrefixColumns } from './prefix-columns.ts';

/** In a slot. */
export const FREE = 0;

/** Enough for a million prefixes. An index grows by four up to here, and then by two. */
const FEW_SLOTS = 2 ** 21;

/**
 * From a prefix to its id: open addressing, half full at most. A slot has the id + 1 in its lower bits and bits of the hash above
 * them: nearly always a prefix is told from the one that is looked for without a look at the columns.
 */
export class PrefixIndex {
  readonly slots: Int32Array<ArrayBuffer>;
  /** No id + 1 may be above it. */
  readonly idBits: number;
  /** Only ids below it count. */
  below = 0x7fff_ffff;
  /** The free slot at which the last search ended. */
  end = 0;

  constructor(prefixes: number, ids: number) {
    this.slots = new Int32Array(indexSlotsFor(prefixes));
    this.idBits = slotsFor(Math.max(ids, 32_768)) - 1;
  }

  /** The id, or NO_PREFIX. */
  search(columns: PrefixColumns, hash: number, w0: number, w1: number, w2: number, w3: number, length: number): number {
    const { slots, idBits, below } = this;
    const mask = slots.length - 1;
    let slot = hash & mask;
    for (let entry = slots[slot]!; entry !== FREE; entry = slots[slot]!) {
      const id = (entry & idBits) - 1;
      const isLike = ((entry ^ hash) & ~idBits) === 0 && id < below;
      if (isLike && columns.isAt(id, w0, w1, w2, w3, length)) return id;
      slot = (slot + 1) & mask;
    }
    this.end = slot;
    return NO_PREFIX;
  }

  /** What the last search did not find. */
  addAtEnd(hash: number, id: number): void {
    this.#put(this.end, hash, id);
  }

  /** What is not there. */
  add(hash: number, id: number): void {
    const { slots } = this;
    const mask = slots.length - 1;
    let slot = hash & mask;
    while (slots[slot] !== FREE) slot = (slot + 1) & mask;
    this.#put(slot, hash, id);
  }

  #put(slot: number, hash: number, id: number): void {
    this.slots[slot] = (hash & ~this.idBits) | (id + 1);
  }
}

/**
 * Each prefix that is moved is a miss of the processor's cache, and each new page a fault: by four, a table on its way to a
 * million moves a third of what it would by two. And as the steps meet `FEW_SLOTS`, a full table has no more slots for it.
 */
function indexSlotsFor(prefixes: number): number {
  let slots = FEW_SLOTS;
  while (slots >= 8 * prefixes && slots > 32) slots /= 4;
  return Math.max(slots, slotsFor(prefixes));
}
