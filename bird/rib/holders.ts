import { isFarBeyond, longer } from './columns.ts';

/** Nobody holds the prefix. */
export const NOBODY = -1;
/** More than one does: ask for the list. */
export const SEVERAL = -2;
/** In the chain of the free links: it ends. */
const NO_LINK = -1;

/** In the place of a holder: minus this, the number of the last link of the list. */
const LAST_LINK = -2;
/** Links of lists that are gone, and that may stay. */
const FEW_LINKS = 1024;

/**
 * Who has a path of each prefix, holders being small integers: one integer where it is a single one, which is nearly
 * always; only the others have a list, whose links are eight octets each: a ring, known by its last link, so that whoever comes
 * is put at the end without a walk. Holds no prefix alive: its user does, for as long as somebody stands here.
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
    return only <= LAST_LINK ? SEVERAL : only;
  }

  /** The last link of a list, where there are several. */
  lastLink(prefix: number): number {
    return LAST_LINK - this.#only[prefix]!;
  }

  holderAt(link: number): number {
    return this.#holders[link]!;
  }

  /** In the order in which they came; the first behind the last. */
  nextLink(link: number): number {
    return this.#next[link]!;
  }

  /** In the order in which they came. */
  all(prefix: number): readonly number[] {
    const only = this.only(prefix);
    if (only === NOBODY) return [];
    if (only !== SEVERAL) return [only];
    const holders: number[] = [];
    const last = this.lastLink(prefix);
    let link = last;
    do {
      link = this.#next[link]!;
      holders.push(this.#holders[link]!);
    } while (link !== last);
    return holders;
  }

  /** True where it was not there yet. */
  add(prefix: number, holder: number): boolean {
    const only = this.#only[prefix] ?? NOBODY;
    if (only === holder) return false;
    if (only <= LAST_LINK && this.#find(LAST_LINK - only, holder) !== NO_LINK) return false;
    this.addNew(prefix, holder);
    return true;
  }

  /** `add` of one that is known not to be there. */
  addNew(prefix: number, holder: number): void {
    if (this.addFirst(prefix, holder)) return;
    const only = this.#only[prefix]!;
    // First the link: the column may be another afterwards.
    const last = only > LAST_LINK ? this.#link(only) : LAST_LINK - only;
    const link = this.#link(holder);
    this.#next[link] = this.#next[last]!;
    this.#next[last] = link;
    this.#only[prefix] = LAST_LINK - link;
    this.#countUp(holder);
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
    if ((this.#only[prefix] ?? NOBODY) <= LAST_LINK) this.#removeFrom(prefix, holder);
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
    const last = this.lastLink(prefix);
    const before = this.#find(last, holder);
    if (before === NO_LINK) return;
    this.#countDown(holder);
    const link = this.#next[before]!;
    this.#next[before] = this.#next[link]!;
    this.#giveBack(link);
    const left = link === last ? before : last;
    if (this.#next[left] === left) {
      this.#only[prefix] = this.#holders[left]!;
      this.#giveBack(left);
    } else {
      this.#only[prefix] = LAST_LINK - left;
    }
  }

  /** The link in front of the holder's, or NO_LINK. */
  #find(last: number, holder: number): number {
    let before = last;
    do {
      const link = this.#next[before]!;
      if (this.#holders[link] === holder) return before;
      before = link;
    } while (before !== last);
    return NO_LINK;
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

  /** A ring of its own. */
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
    this.#next[link] = link;
    return link;
  }

  #giveBack(link: number): void {
    this.#linked--;
    this.#next[link] = this.#free;
    this.#free = link;
  }
}
