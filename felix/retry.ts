/** When what failed may be tried again: each key by itself, 250 ms after the first failure and doubling up to 10 s. */
const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 10_000;

interface Failure {
  readonly error: Error;
  readonly attempts: number;
  readonly dueAt: number;
}

export class RetrySchedule<K> {
  readonly #failures = new Map<K, Failure>();

  isDue(key: K, now: number): boolean {
    const failure = this.#failures.get(key);
    return failure === undefined || failure.dueAt <= now;
  }

  failed(key: K, error: Error, now: number): void {
    const attempts = (this.#failures.get(key)?.attempts ?? 0) + 1;
    const waitMs = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(attempts - 1, 10));
    this.#failures.set(key, { error, attempts, dueAt: now + waitMs });
  }

  succeeded(key: K): void {
    this.#failures.delete(key);
  }

  /** Forgets keys that nobody waits for any more. */
  keepOnly(isPending: (key: K) => boolean): void {
    for (const key of this.#failures.keys()) if (!isPending(key)) this.#failures.delete(key);
  }

  error(key: K): Error | undefined {
    return this.#failures.get(key)?.error;
  }

  /** Tries that failed in a row. */
  attempts(key: K): number {
    return this.#failures.get(key)?.attempts ?? 0;
  }

  /**
   * The earliest time later than `after` at which something may be tried again. `after`: the time of the pass that has just
   * ended. What was due then and still waits was held up by something else than time, and must not make passes follow each other.
   */
  nextDueAt(after = -Infinity): number | undefined {
    let next: number | undefined;
    for (const { dueAt } of this.#failures.values()) {
      if (dueAt > after && (next === undefined || dueAt < next)) next = dueAt;
    }
    return next;
  }
}
