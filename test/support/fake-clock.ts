import type { Clock } from '../../src/runtime/clock.ts';

interface Timer {
  readonly dueAt: number;
  readonly callback: () => void;
}

/** At one moment: whoever sets off more follows himself. */
const MAX_TIMERS = 10_000;

/** A clock whose hands the test turns. */
export class FakeClock implements Clock {
  #now = 0;
  #timers: readonly Timer[] = [];

  now(): number {
    return this.#now;
  }

  wallTime(): number {
    return this.#now;
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { dueAt: this.#now + ms, callback };
    this.#timers = [...this.#timers, timer];
    return () => (this.#timers = this.#timers.filter((other) => other !== timer));
  }

  /** How many timers wait. */
  get pending(): number {
    return this.#timers.length;
  }

  /** Turns the hands by `ms`, stopping at each timer on the way; all promises that it sets off are settled before the next. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    for (let [at, fired] = [this.#now, 0]; ; fired++) {
      const [next] = this.#timers.filter(({ dueAt }) => dueAt <= end).sort((a, b) => a.dueAt - b.dueAt);
      if (next === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#now = Math.max(this.#now, next.dueAt);
      if (this.#now > at) [at, fired] = [this.#now, 0];
      if (fired > MAX_TIMERS) throw new Error(`more than ${MAX_TIMERS} timers at ${at} ms: it never comes to rest`);
      next.callback();
      await settle();
    }
    this.#now = end;
  }
}

/** Until every promise that is already on its way has run. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
