import { isFarBeyond, longer } from './columns.ts';

/** Nobody holds the prefix. */
export const NOBODY = -1;
/** More than one does: ask for the list. */
export const SEVERAL = -2;
/** Behind the last link of a list. */
export const NO_LINK = -1;

/** In the place of a holder: minus this, the number of the first link of the list. */
const FIRST_LINK = -2;
/** Links of lists that are gone, and that may stay. */
const FEW_LINKS = 1024;

/**
 * Who has a path of each prefix, holders being small integers: one integer where it is a single one, which is nearly
 * always; only the others have a list, whose links are eight octets each. Holds no prefix alive: its user does, for as long
 * as somebody stands here.
 */
export class Holders {
  #only = new Int32Array(8).fill(NOBODY);
  #holders = new Int32Array(8);
  #next = new Int32Array(8);
  /** The first of the links that are free, chained by `#next`. */
  #free = NO_LINK;
  #used = 0;
  /** Links of all lists that there are. */
  #linked = 0;
  /** By holder, of how many prefixes; and how many holders have any. */
  readonly #counts: number[] = [];
  #holding = 0;

  /** No list is left of many that there were. */
  get isIdle(): boolean {
    return this.#linked === 0 && this.#used > FEW_LINKS;
  }

  /** Octets of all columns. */
  get octets(): number {
    return this.#only.byteLength + this.#holders.byteLength + this.#next.byteLength;
  }

  /** Links of all lists that there ever were at once. */
  get links(): number {
    return this.#used;
  }

  holdsAny(holder: number): boolean {
    return (this.#counts[holder] ?? 0) > 0;
  }

  /** How many others than this one hold any prefix at all. */
  othersThan(holder: number): number {
    return this.#holding - Number(this.holdsAny(holder));
  }

  /** A holder, NOBODY or SEVERAL. */
  only(prefix: number): number {
    const only = this.#only[prefix] ?? NOBODY;
    return only <= FIRST_LINK ? SEVERAL : only;
  }

  /** The first link of a list, where there are several. */
  firstLink(prefix: number): number {
    return FIRST_LINK - this.#only[prefix]!;
  }

  holderAt(link: number): number {
    return this.#holders[link]!;
  }

  /** Or NO_LINK. */
  nextLink(link: number): number {
    return this.#next[link]!;
  }

  /** In the order in which they came. */
  all(prefix: number): readonly number[] {
    const only = this.only(prefix);
    if (only === NOBODY) return [];
    if (only !== SEVERAL) return [only];
    const holders: number[] = [];
    for (let link = this.firstLink(prefix); link !== NO_LINK; link = this.#next[link]!)
      holders.push(this.#holders[link]!);
    return holders;
  }

  /** True where it was not there yet. */
  add(prefix: number, holder: number): boolean {
    if (this.addFirst(prefix, holder)) return true;
    const only = this.#only[prefix]!;
    if (only === holder) return false;
    if (only > FIRST_LINK) {
      const first = this.#link(only);
      // First the link: the column may be another afterwards.
      const second = this.#link(holder);
      this.#next[first] = second;
      this.#only[prefix] = FIRST_LINK - first;
    } else {
      let link = FIRST_LINK - only;
      while (this.#holders[link] !== holder && this.#next[link] !== NO_LINK) link = this.#next[link]!;
      if (this.#holders[link] === holder) return false;
      const last = this.#link(holder);
      this.#next[link] = last;
    }
    this.#countUp(holder);
    return true;
  }

  /** Of a prefix that nobody holds; false, and nothing is done, where somebody does. */
  addFirst(prefix: number, holder: number): boolean {
    if (prefix >= this.#only.length) this.#only = longer(this.#only, prefix + 1, NOBODY);
    if (this.#only[prefix] !== NOBODY) return false;
    this.#only[prefix] = holder;
    this.#countUp(holder);
    return true;
  }

  /** Of a prefix that it alone holds; false, and nothing is done, where that is not so. */
  removeOnly(prefix: number, holder: number): boolean {
    if (this.#only[prefix] !== holder) return false;
    this.#only[prefix] = NOBODY;
    this.#countDown(holder);
    return true;
  }

  remove(prefix: number, holder: number): void {
    if (this.removeOnly(prefix, holder)) return;
    if ((this.#only[prefix] ?? NOBODY) <= FIRST_LINK) this.#removeFrom(prefix, holder);
  }

  /** No prefix from `rows` on is anybody's. Where no list is left, what they took is given back. */
  shorten(rows: number): void {
    if (isFarBeyond(this.#only, rows)) this.#only = this.#only.slice(0, rows);
    if (!this.isIdle) return;
    this.#holders = new Int32Array(8);
    this.#next = new Int32Array(8);
    this.#free = NO_LINK;
    this.#used = 0;
  }

  #removeFrom(prefix: number, holder: number): void {
    const first = this.firstLink(prefix);
    let before = NO_LINK;
    let link = first;
    while (link !== NO_LINK && this.#holders[link] !== holder) {
      before = link;
      link = this.#next[link]!;
    }
    if (link === NO_LINK) return;
    this.#countDown(holder);
    const next = this.#next[link]!;
    if (before === NO_LINK) this.#only[prefix] = FIRST_LINK - next;
    else this.#next[before] = next;
    this.#giveBack(link);
    const left = this.firstLink(prefix);
    if (this.#next[left] !== NO_LINK) return;
    this.#only[prefix] = this.#holders[left]!;
    this.#giveBack(left);
  }

  #countUp(holder: number): void {
    const count = (this.#counts[holder] ?? 0) + 1;
    this.#counts[holder] = count;
    if (count === 1) this.#holding++;
  }

  #countDown(holder: number): void {
    const count = this.#counts[holder]! - 1;
    this.#counts[holder] = count;
    if (count === 0) this.#holding--;
  }

  #link(holder: number): number {
    let link = this.#free;
    if (link === NO_LINK) {
      link = this.#used++;
      if (link >= this.#next.length) {
        this.#holders = longer(this.#holders, link + 1, 0);
        this.#next = longer(this.#next, link + 1, 0);
      }
    } else {
      this.#free = this.#next[link]!;
    }
    this.#linked++;
    this.#holders[link] = holder;
    this.#next[link] = NO_LINK;
    return link;
  }

  #giveBack(link: number): void {
    this.#linked--;
    this.#next[link] = this.#free;
    this.#free = link;
  }
}
