import type { RouteId } from './route-id.ts';

/** Longer than any event is on its way. */
const EVENT_DELAY_MS = 2000;
/** Past so many, any event may be older than what we wrote. */
const MAX_REMEMBERED = 4096;

/** What was written so lately that an event of it may tell of what was before. */
export class RecentWrites {
  #ids = new Set<RouteId>();
  #isMany = false;
  /** Infinity: in the pass that goes on. */
  #at = -Infinity;

  note(ids: Iterable<RouteId>, now: number): void {
    if (now - this.#at > EVENT_DELAY_MS) {
      this.#ids = new Set();
      this.#isMany = false;
    }
    this.#at = Infinity;
    for (const id of ids) {
      if (this.#ids.size < MAX_REMEMBERED) this.#ids.add(id);
      else this.#isMany = true;
    }
  }

  /** What was noted is written by now. */
  endPass(now: number): void {
    if (this.#at === Infinity) this.#at = now;
  }

  has(id: RouteId, now: number): boolean {
    return now - this.#at <= EVENT_DELAY_MS && (this.#isMany || this.#ids.has(id));
  }
}
