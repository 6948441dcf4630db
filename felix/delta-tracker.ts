/**
 * What we want, what we believe is there, and the difference. Never touches the kernel.
 *
 *     desired   ( update: missing or different   ( equal: left alone )   delete: not wanted )   actual
 */
export class DeltaTracker<K, V> {
  readonly actual = new Map<K, V>();
  #desired: ReadonlyMap<K, V> = new Map();
  readonly #equal: (a: V, b: V) => boolean;

  constructor(equal: (a: V, b: V) => boolean) {
    this.#equal = equal;
  }

  get desired(): ReadonlyMap<K, V> {
    return this.#desired;
  }

  /** The whole of what is wanted, whatever was wanted before. */
  setDesired(desired: ReadonlyMap<K, V>): void {
    this.#desired = desired;
  }

  /** True where `desired` wants the same for `key` as we want now. */
  isSameWish(key: K, desired: ReadonlyMap<K, V>): boolean {
    const before = this.#desired.get(key);
    const after = desired.get(key);
    return before === undefined || after === undefined ? before === after : this.#equal(before, after);
  }

  /** What was read back; everything believed before is forgotten. */
  setActual(seen: ReadonlyMap<K, V>): void {
    this.actual.clear();
    for (const [key, value] of seen) this.actual.set(key, value);
  }

  isCorrect(key: K): boolean {
    const want = this.#desired.get(key);
    const have = this.actual.get(key);
    return want !== undefined && have !== undefined && this.#equal(have, want);
  }

  /** True where `value` is not what we believe is there under `key`; undefined stands for nothing. */
  isSurprise(key: K, value: V | undefined): boolean {
    const have = this.actual.get(key);
    return have === undefined || value === undefined ? have !== value : !this.#equal(have, value);
  }

  pendingUpdates(): readonly (readonly [K, V])[] {
    return [...this.#desired].filter(([key]) => !this.isCorrect(key));
  }

  pendingDeletions(): readonly (readonly [K, V])[] {
    return [...this.actual].filter(([key]) => !this.#desired.has(key));
  }
}
