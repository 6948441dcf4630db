import { isFarBeyond } from './columns.ts';
import { ABSENT } from './int-table.ts';
import type { PrefixTable } from './prefix-table.ts';

const NONE = -1;
/** Paths that are gone, and whose room may stay. */
const FEW_PATHS = 1024;

/**
 * Paths of the prefixes of one family as small integers, a path being a prefix and the source that it comes from; for
 * peers that take several of a prefix (RFC 7911), which share them. 16 octets a path. One lives as long as somebody
 * retains it, and holds its prefix for that long; then its id is used again.
 */
export class PathTable {
  readonly #prefixes: PrefixTable;
  /** Per prefix its first path, from which `#next` leads on. */
  #first = new Int32Array(8).fill(NONE);
  #next = new Int32Array(8);
  #prefixOf = new Int32Array(8);
  #sourceOf = new Int32Array(8);
  #holders = new Int32Array(8);
  #freeIds: number[] = [];
  #used = 0;

  constructor(prefixes: PrefixTable) {
    this.#prefixes = prefixes;
  }

  get size(): number {
    return this.#used - this.#freeIds.length;
  }

  /** None is left of many that there were. */
  get isIdle(): boolean {
    return this.size === 0 && this.#used > FEW_PATHS;
  }

  /** Octets of all columns. */
  get octets(): number {
    const columns = [this.#first, this.#next, this.#prefixOf, this.#sourceOf, this.#holders];
    return columns.reduce((sum, { byteLength }) => sum + byteLength, 0);
  }

  /** Gives back rows that the prefixes do not reach to any more, and, where no path is left, what they took. */
  shorten(): void {
    const rows = this.#prefixes.capacity;
    if (isFarBeyond(this.#first, rows)) this.#first = this.#first.slice(0, rows);
    if (!this.isIdle) return;
    this.#next = new Int32Array(8);
    this.#prefixOf = new Int32Array(8);
    this.#sourceOf = new Int32Array(8);
    this.#holders = new Int32Array(8);
    this.#freeIds = [];
    this.#used = 0;
  }

  prefixOf(path: number): number {
    return this.#prefixOf[path]!;
  }

  sourceOf(path: number): number {
    return this.#sourceOf[path]!;
  }

  /** The id of a path that somebody retains, else ABSENT. */
  find(prefix: number, source: number): number {
    let path = this.#first[prefix] ?? NONE;
    while (path !== NONE && this.#sourceOf[path] !== source) path = this.#next[path]!;
    return path === NONE ? ABSENT : path;
  }

  /** The id of a path, new where it is not there yet; the caller must retain it before somebody else comes. */
  intern(prefix: number, source: number): number {
    const found = this.find(prefix, source);
    if (found !== ABSENT) return found;
    const path = this.#freeIds.pop() ?? this.#used++;
    if (path >= this.#next.length) this.#growColumns();
    if (prefix >= this.#first.length) this.#first = grown(this.#first, this.#prefixes.capacity, NONE);
    this.#next[path] = this.#first[prefix]!;
    this.#first[prefix] = path;
    this.#prefixOf[path] = prefix;
    this.#sourceOf[path] = source;
    this.#prefixes.retain(prefix);
    return path;
  }

  /** All paths of a prefix that anybody retains. */
  of(prefix: number): readonly number[] {
    const paths: number[] = [];
    for (let path = this.#first[prefix] ?? NONE; path !== NONE; path = this.#next[path]!) paths.push(path);
    return paths;
  }

  retain(path: number): void {
    this.#holders[path] = this.#holders[path]! + 1;
  }

  release(path: number): void {
    this.#holders[path] = this.#holders[path]! - 1;
    if (this.#holders[path] === 0) this.#remove(path);
  }

  #remove(path: number): void {
    const prefix = this.#prefixOf[path]!;
    if (this.#first[prefix] === path) this.#first[prefix] = this.#next[path]!;
    else {
      let before = this.#first[prefix]!;
      while (this.#next[before] !== path) before = this.#next[before]!;
      this.#next[before] = this.#next[path]!;
    }
    this.#freeIds.push(path);
    this.#prefixes.release(prefix);
  }

  #growColumns(): void {
    const rows = this.#next.length * 2;
    this.#next = grown(this.#next, rows, NONE);
    this.#prefixOf = grown(this.#prefixOf, rows, 0);
    this.#sourceOf = grown(this.#sourceOf, rows, 0);
    this.#holders = grown(this.#holders, rows, 0);
  }
}

function grown(column: Int32Array<ArrayBuffer>, rows: number, filler: number): Int32Array<ArrayBuffer> {
  const longer = new Int32Array(rows).fill(filler);
  longer.set(column);
  return longer;
}
