import type { AttributeCache } from './attribute-cache.ts';
import { isFarBeyond, longer } from './columns.ts';

/** A path that was selected. */
export interface Best {
  readonly source: number;
  readonly attributes: number;
}

/** In the place of a link. */
const NONE = -1;
/** Links of lists that are gone, and that may stay. */
const FEW_LINKS = 1024;

/**
 * The paths of a prefix that are as good as its best, that one included, for the prefixes where there are several: a list for
 * each, whose links are twelve octets. Holds their attribute sets alive.
 */
export class EqualPaths {
  readonly #attributes: AttributeCache;
  /** Per prefix its first link; as long as the prefixes that ever had several. */
  #first = new Int32Array();
  #sources = new Int32Array(8);
  #sets = new Int32Array(8);
  #next = new Int32Array(8);
  /** The first of the links that are free, chained by `#next`. */
  #free = NONE;
  #used = 0;
  /** Links of all lists that there are. */
  #linked = 0;

  constructor(attributes: AttributeCache) {
    this.#attributes = attributes;
  }

  /** No list is left of many that there were. */
  get isIdle(): boolean {
    return this.#linked === 0 && this.#used > FEW_LINKS;
  }

  /** Octets of all columns. */
  get octets(): number {
    const columns = [this.#first, this.#sources, this.#sets, this.#next];
    return columns.reduce((sum, { byteLength }) => sum + byteLength, 0);
  }

  /** The best first; undefined where there are not several. */
  get(prefix: number): readonly Best[] | undefined {
    const paths: Best[] = [];
    for (let link = this.#firstOf(prefix); link !== NONE; link = this.#next[link]!) {
      paths.push({ source: this.#sources[link]!, attributes: this.#sets[link]! });
    }
    return paths.length === 0 ? undefined : paths;
  }

  /** Whether a path of `source` is among them. */
  has(prefix: number, source: number): boolean {
    let link = this.#firstOf(prefix);
    while (link !== NONE && this.#sources[link] !== source) link = this.#next[link]!;
    return link !== NONE;
  }

  /** There are these from now on, the first `count`; one or none: not several. True where that is another list. */
  replace(prefix: number, count: number, sources: readonly number[], sets: readonly number[]): boolean {
    const first = this.#firstOf(prefix);
    if (count <= 1 && first === NONE) return false;
    if (count > 1 && this.#isSame(first, count, sources, sets)) return false;
    for (let i = 0; count > 1 && i < count; i++) this.#attributes.retain(sets[i]!);
    this.#giveBack(first);
    if (prefix >= this.#first.length) this.#first = longer(this.#first, prefix + 1, NONE);
    let head = NONE;
    for (let i = count > 1 ? count - 1 : -1; i >= 0; i--) head = this.#link(sources[i]!, sets[i]!, head);
    this.#first[prefix] = head;
    return true;
  }

  /** No prefix from `rows` on has several. Where none has, what their lists took is given back. */
  shorten(rows: number): void {
    if (isFarBeyond(this.#first, rows)) this.#first = this.#first.slice(0, rows);
    if (!this.isIdle) return;
    this.#sources = new Int32Array(8);
    this.#sets = new Int32Array(8);
    this.#next = new Int32Array(8);
    this.#free = NONE;
    this.#used = 0;
  }

  #firstOf(prefix: number): number {
    return prefix < this.#first.length ? this.#first[prefix]! : NONE;
  }

  #isSame(first: number, count: number, sources: readonly number[], sets: readonly number[]): boolean {
    let link = first;
    for (let i = 0; i < count; i++) {
      if (link === NONE || this.#sources[link] !== sources[i] || this.#sets[link] !== sets[i]) return false;
      link = this.#next[link]!;
    }
    return link === NONE;
  }

  #link(source: number, set: number, next: number): number {
    let link = this.#free;
    if (link === NONE) {
      link = this.#used++;
      if (link >= this.#next.length) {
        this.#sources = longer(this.#sources, link + 1, 0);
        this.#sets = longer(this.#sets, link + 1, 0);
        this.#next = longer(this.#next, link + 1, 0);
      }
    } else {
      this.#free = this.#next[link]!;
    }
    this.#linked++;
    this.#sources[link] = source;
    this.#sets[link] = set;
    this.#next[link] = next;
    return link;
  }

  #giveBack(first: number): void {
    for (let link = first; link !== NONE;) {
      const next = this.#next[link]!;
      this.#linked--;
      this.#attributes.release(this.#sets[link]!);
      this.#next[link] = this.#free;
      this.#free = link;
      link = next;
    }
  }
}
