import { ABSENT } from '../rib/int-table.ts';
import { PageTable } from '../rib/page-table.ts';

/**
 * Prefixes of which a peer has something else than its group was told, and what it has: an attribute set, or ABSENT. Five octets a
 * prefix: a Map takes 36, and as much again of garbage whenever it grows or shrinks, with each turn of a peer that reads nothing.
 */
export class Behind {
  /** One more than what it has, for a PageTable has no value below 0. */
  readonly #rows = new PageTable();
  #next = 0;

  get size(): number {
    return this.#rows.size;
  }

  has(prefix: number): boolean {
    return this.#rows.has(prefix);
  }

  /** Undefined where it is not behind. */
  get(prefix: number): number | undefined {
    const slot = this.#rows.slotOf(prefix);
    return slot === -1 ? undefined : this.#rows.valueAt(slot) + ABSENT;
  }

  set(prefix: number, has: number): void {
    this.#rows.set(prefix, has - ABSENT);
  }

  delete(prefix: number): void {
    this.#rows.delete(prefix);
  }

  /** In order of number; what is visited may be deleted. */
  *[Symbol.iterator](): Generator<readonly [prefix: number, has: number]> {
    yield* this.#between(0, Infinity);
  }

  /**
   * The same from where the last of these walks has ended, and round: what changes all the time keeps nobody waiting for ever, and
   * a walk that takes one of a million at a time does not look for it from the start.
   */
  *round(): Generator<readonly [prefix: number, has: number]> {
    const start = this.#next;
    for (const [from, to] of [[start, Infinity] as const, [0, start] as const]) {
      for (const each of this.#between(from, to)) {
        this.#next = each[0] + 1;
        yield each;
      }
    }
  }

  *#between(from: number, to: number): Generator<readonly [prefix: number, has: number]> {
    for (let prefix = this.#rows.nextKey(from); prefix < to; prefix = this.#rows.nextKey(prefix + 1)) {
      if (prefix === ABSENT) return;
      yield [prefix, this.get(prefix)!];
    }
  }
}
