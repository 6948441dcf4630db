import type { DeltaTracker, ReadonlyEntries } from './delta-tracker.ts';
import type { RepairObject, Repairs } from './repairs.ts';

export interface GuardWords<K, V> {
  readonly objectOf: (key: K, value: V) => RepairObject;
  /** The links that it stands on: it goes with them. */
  readonly linksOf: (value: V) => readonly number[];
}

/**
 * Tells repairs from new wishes in one table: what is missing now, was there after the last pass, and is wanted as it was
 * then, somebody else has undone. Costs nothing for entries that are right. The tracker's wishes must be replaced whole.
 */
export class RepairGuard<K, V> {
  readonly #tracker: DeltaTracker<K, V>;
  readonly #repairs: Repairs;
  readonly #words: GuardWords<K, V>;
  readonly #isSame: (a: V, b: V) => boolean;
  /** What was wanted at the end of the last pass. */
  #before: ReadonlyEntries<K, V> = new Map<K, V>();
  /** What was wrong then. */
  #wrong: ReadonlySet<K> = new Set();
  readonly #damaged = new Map<K, V>();

  constructor(
    tracker: DeltaTracker<K, V>,
    repairs: Repairs,
    words: GuardWords<K, V> & { readonly isSame: (a: V, b: V) => boolean },
  ) {
    this.#tracker = tracker;
    this.#repairs = repairs;
    this.#words = words;
    this.#isSame = words.isSame;
  }

  /** For each entry that differs from the wish, once in a pass: may it be written now? */
  mayUpdate(key: K, now: number): boolean {
    const wanted = this.#tracker.desired.get(key);
    if (wanted === undefined) return true;
    const before = this.#before.get(key);
    const wasRight = before !== undefined && !this.#wrong.has(key) && this.#isSame(before, wanted);
    if (!wasRight && !this.#damaged.has(key)) return true;
    const object = this.#words.objectOf(key, wanted);
    if (wasRight) {
      const isExcused = this.#words.linksOf(wanted).some((ifindex) => this.#repairs.isLinkTouched(ifindex));
      this.#damaged.set(key, wanted);
      this.#repairs.damaged(object, now, isExcused);
    }
    return this.#repairs.isDue(object, now);
  }

  /** At the end of a pass: counts what has been put right. `isDone`: all of it, so nobody need look for what was not. */
  finish(now: number, { isDone }: { readonly isDone: boolean }): void {
    for (const [key, value] of this.#damaged) {
      const wanted = this.#tracker.desired.get(key);
      const object = this.#words.objectOf(key, value);
      if (wanted === undefined || !this.#isSame(wanted, value)) this.#repairs.withdraw(object);
      else if (this.#tracker.isCorrect(key)) this.#repairs.repaired(object, now);
      else continue;
      this.#damaged.delete(key);
    }
    this.#before = this.#tracker.desired;
    this.#wrong = new Set(isDone ? [] : this.#stillWrong());
  }

  *#stillWrong(): Generator<K> {
    for (const [key] of this.#tracker.pendingUpdates()) yield key;
  }
}
