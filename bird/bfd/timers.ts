import type { Clock } from '../../src/runtime/clock.ts';

interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

/** The timers of a thread that sleeps in poll(2): somebody must ask how long, and let fire what is due. */
export class Timers implements Clock {
  readonly #clock: Pick<Clock, 'now' | 'wallTime'>;
  readonly #timers = new Set<Timer>();

  constructor(clock: Pick<Clock, 'now' | 'wallTime'>) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now();
  }

  wallTime(): number {
    return this.#clock.wallTime();
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { at: this.now() + ms, callback };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  /** Milliseconds until the next is due; 0 where it is, Infinity without any. */
  untilNext(): number {
    let next = Infinity;
    for (const { at } of this.#timers) next = Math.min(next, at);
    return Math.max(0, next - this.now());
  }

  /** In the order of their times; what they start anew is left for the next call. */
  fireDue(): void {
    const now = this.now();
    const due = [...this.#timers].filter(({ at }) => at <= now).sort((a, b) => a.at - b.at);
    // One of them may cancel another.
    for (const timer of due) if (this.#timers.delete(timer)) timer.callback();
  }
}
