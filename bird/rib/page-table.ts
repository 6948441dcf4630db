import { longer, longerOctets } from './columns.ts';
import { ABSENT } from './int-table.ts';

/** Keys of a page: they are given out one after the other, so what one peer says stands side by side. */
const PAGE_BITS = 6;
const PAGE_ROWS = 1 << PAGE_BITS;
const ROW_MASK = PAGE_ROWS - 1;

/** In the directory; a page is its number and one more. */
const NO_PAGE = 0;
/** Pages, and places of the directory, that are kept when the last row is gone. */
const FEW_PAGES = 16;
const FEW_PLACES = 1024;

/**
 * A map from a small non-negative integer to a non-negative integer and a byte of flags: five octets a row and no search,
 * in pages of 64 rows that are there only where a row is. The directory reaches from the first page to the last and takes
 * four octets for each: a table of a few rows is small, however large their keys.
 */
export class PageTable {
  /** Page of key → page, from `#base` on. */
  #directory = new Int32Array();
  #base = 0;
  #values = new Int32Array();
  #flags = new Uint8Array();
  /** Per page its rows. */
  #counts = new Uint8Array();
  #freePages: number[] = [];
  #pages = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(key: number): number {
    const slot = this.slotOf(key);
    return slot === -1 ? ABSENT : this.#values[slot]!;
  }

  has(key: number): boolean {
    return this.slotOf(key) !== -1;
  }

  flags(key: number): number {
    const slot = this.slotOf(key);
    return slot === -1 ? 0 : this.#flags[slot]!;
  }

  /** Where the key stands, or -1; holds until a key comes or goes. For several questions about one key. */
  slotOf(key: number): number {
    const slot = this.#placeOf(key);
    return slot === -1 || this.#values[slot] === ABSENT ? -1 : slot;
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
    if (!this.add(key, value, flags)) this.setAt(this.#placeOf(key), value, flags);
  }

  /** False, and nothing is done, where the key stands there already. */
  add(key: number, value: number, flags: number): boolean {
    let slot = this.#placeOf(key);
    if (slot === -1) slot = this.#addPage(key);
    if (this.#values[slot] !== ABSENT) return false;
    this.#counts[slot >>> PAGE_BITS]!++;
    this.#size++;
    this.#values[slot] = value;
    this.#flags[slot] = flags;
    return true;
  }

  delete(key: number): boolean {
    const slot = this.slotOf(key);
    if (slot === -1) return false;
    this.#values[slot] = ABSENT;
    this.#size--;
    const page = slot >>> PAGE_BITS;
    if (--this.#counts[page]! > 0) return true;
    this.#directory[(key >>> PAGE_BITS) - this.#base] = NO_PAGE;
    this.#freePages.push(page);
    // What a full table took must not stay for good.
    if (this.#size === 0 && (this.#pages > FEW_PAGES || this.#directory.length > FEW_PLACES)) this.#clear();
    return true;
  }

  /** Sets flags of all rows that have all flags of `where`; a millisecond for a million, so done in one go. */
  flagAll(bits: number, where = 0): void {
    const flags = this.#flags;
    for (let slot = 0; slot < flags.length; slot++) if ((flags[slot]! & where) === where) flags[slot]! |= bits;
  }

  /** In order; a copy, so that the caller may change the table while it walks. */
  keys(): Int32Array {
    const keys = new Int32Array(this.#size);
    let count = 0;
    for (const [at, entry] of this.#directory.entries()) {
      if (entry === NO_PAGE) continue;
      const first = (entry - 1) << PAGE_BITS;
      for (let row = 0; row < PAGE_ROWS; row++) {
        if (this.#values[first + row] !== ABSENT) keys[count++] = ((this.#base + at) << PAGE_BITS) + row;
      }
    }
    return keys;
  }

  /** The first key that is not below `from`, or ABSENT. */
  nextKey(from: number): number {
    const directory = this.#directory;
    let at = Math.max(0, (from >>> PAGE_BITS) - this.#base);
    let row = (from >>> PAGE_BITS) - this.#base === at ? from & ROW_MASK : 0;
    for (; at < directory.length; at++, row = 0) {
      const entry = directory[at]!;
      if (entry === NO_PAGE) continue;
      const first = (entry - 1) << PAGE_BITS;
      for (; row < PAGE_ROWS; row++) {
        if (this.#values[first + row] !== ABSENT) return ((this.#base + at) << PAGE_BITS) + row;
      }
    }
    return ABSENT;
  }

  /** Octets of all columns. */
  get octets(): number {
    return this.#directory.byteLength + this.#values.byteLength + this.#flags.byteLength + this.#counts.byteLength;
  }

  /** Where the key would stand; -1 where its page is not there. */
  #placeOf(key: number): number {
    const at = (key >>> PAGE_BITS) - this.#base;
    if (at < 0 || at >= this.#directory.length) return -1;
    const entry = this.#directory[at]!;
    return entry === NO_PAGE ? -1 : ((entry - 1) << PAGE_BITS) + (key & ROW_MASK);
  }

  /** Makes the page of a key that has none; where the key stands in it. */
  #addPage(key: number): number {
    const page = this.#freePages.pop() ?? this.#pages++;
    if (page >= this.#counts.length) {
      this.#counts = longerOctets(this.#counts, page + 1);
      this.#values = longer(this.#values, this.#counts.length << PAGE_BITS, 0);
      this.#flags = longerOctets(this.#flags, this.#counts.length << PAGE_BITS);
    }
    const first = page << PAGE_BITS;
    this.#values.fill(ABSENT, first, first + PAGE_ROWS);
    const number = key >>> PAGE_BITS;
    this.#reach(number);
    this.#directory[number - this.#base] = page + 1;
    return first + (key & ROW_MASK);
  }

  /** The directory shall have a place for this page. */
  #reach(number: number): void {
    const before = this.#directory;
    if (before.length === 0) this.#base = number;
    const at = number - this.#base;
    if (at >= before.length) this.#directory = longer(before, at + 1, 0);
    if (at >= 0) return;
    // By a share, as upwards: ids that are used again come in falling order, too.
    const more = Math.min(this.#base, Math.max(-at, before.length >>> 1));
    this.#directory = new Int32Array(before.length + more);
    this.#directory.set(before, more);
    this.#base -= more;
  }

  #clear(): void {
    this.#directory = new Int32Array();
    this.#values = new Int32Array();
    this.#flags = new Uint8Array();
    this.#counts = new Uint8Array();
    this.#freePages = [];
    this.#pages = 0;
  }
}
