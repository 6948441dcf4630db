/** A Map, or whatever holds entries as one does. */
export interface Entries<K, V> extends Iterable<[K, V]> {
  readonly size: number;
  get(key: K): V | undefined;
  has(key: K): boolean;
  keys(): Iterable<K>;
  set(key: K, value: V): unknown;
  delete(key: K): boolean;
}

export type ReadonlyEntries<K, V> = Omit<Entries<K, V>, 'set' | 'delete'>;

/**
 * What we want, what we believe is there, and the difference. Never touches the kernel.
 *
 *     desired   ( update: missing or different   ( equal: left alone )   delete: not wanted )   actual
 */
export class DeltaTracker<K, V> {
  #actual: Entries<K, V> = new Map<K, V>();
  #desired: ReadonlyEntries<K, V> = new Map<K, V>();
  readonly #equal: (a: V, b: V) => boolean;

  constructor(equal: (a: V, b: V) => boolean) {
    this.#equal = equal;
  }

  /** What we believe is there; until the next setActual whoever writes notes here what has become of it. */
  get actual(): Entries<K, V> {
    return this.#actual;
  }

  get desired(): ReadonlyEntries<K, V> {
    return this.#desired;
  }

  /** The whole of what is wanted, whatever was wanted before. */
  setDesired(desired: ReadonlyEntries<K, V>): void {
    this.#desired = desired;
  }

  /** True where `desired` wants the same for `key` as we want now. */
  isSameWish(key: K, desired: ReadonlyEntries<K, V>): boolean {
    const before = this.#desired.get(key);
    const after = desired.get(key);
    return before === undefined || after === undefined ? before === after : this.#equal(before, after);
  }

  /** What was read back; everything believed before is forgotten. The entries are ours from now on. */
  setActual(seen: Entries<K, V>): void {
    this.#actual = seen;
  }

  isCorrect(key: K): boolean {
    const want = this.#desired.get(key);
    const have = this.#actual.get(key);
    return want !== undefined && have !== undefined && (have === want || this.#equal(have, want));
  }

  /** True where `value` is not what we believe is there under `key`; undefined stands for nothing. */
  isSurprise(key: K, value: V | undefined): boolean {
    const have = this.#actual.get(key);
    return have === undefined || value === undefined ? have !== value : !this.#equal(have, value);
  }

  *pendingUpdates(): Generator<readonly [K, V]> {
    for (const key of this.#desired.keys()) if (!this.isCorrect(key)) yield [key, this.#desired.get(key)!];
  }

  *pendingDeletions(): Generator<readonly [K, V]> {
    for (const key of this.#actual.keys()) if (!this.#desired.has(key)) yield [key, this.#actual.get(key)!];
  }
}
