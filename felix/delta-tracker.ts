/**
 * What we want, what we believe is there, and the difference. Never touches the kernel.
 *
 *     desired   ( update: missing or different   ( equal: left alone )   delete: not wanted )   actual
 */
export class DeltaTracker<K, V> {
  #actual = new Map<K, V>();
  #desired: ReadonlyMap<K, V> = new Map();
  readonly #equal: (a: V, b: V) => boolean;

  constructor(equal: (a: V, b: V) => boolean) {
    this.#equal = equal;
  }

  /** What we believe is there; until the next setActual whoever writes notes here what has become of it. */
  get actual(): Map<K, V> {
    return this.#actual;
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

  /**
   * What was read back; everything believed before is forgotten. The map is ours from now on. Of what is as it should be, only the
   * wanted value is kept: most are, and each would be there twice.
   */
  setActual(seen: Map<K, V>): void {
    for (const [key, value] of seen) {
      const want = this.#desired.get(key);
      if (want !== undefined && want !== value && this.#equal(value, want)) seen.set(key, want);
    }
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

  pendingUpdates(): readonly (readonly [K, V])[] {
    const pending: (readonly [K, V])[] = [];
    for (const [key, want] of this.#desired) if (!this.isCorrect(key)) pending.push([key, want]);
    return pending;
  }

  pendingDeletions(): readonly (readonly [K, V])[] {
    const pending: (readonly [K, V])[] = [];
    for (const [key, have] of this.#actual) if (!this.#desired.has(key)) pending.push([key, have]);
    return pending;
  }
}
