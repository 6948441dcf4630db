import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../../src/runtime/clock.ts';

interface Timer {
  dueAt: number;
  readonly callback: () => void;
  cancel: () => void;
}

/** Sockets of loopback have their say between two timers. */
const BREATH_MS = 2;

/**
 * A clock that runs as the real one does, but can leap: everything that falls due on the way is called at its time, in order.
 * So a driver under test sees ten minutes pass, while the server that it talks to sees a second. Only the monotonic hands leap:
 * deadlines that are told to others are by the wall clock.
 */
export class LeapingClock implements Clock {
  #ahead = 0;
  /** Set while it leaps: the hands stand at the timer that is being called. */
  #held: number | undefined;
  readonly #timers = new Set<Timer>();

  now(): number {
    return this.#held ?? performance.now() + this.#ahead;
  }

  wallTime(): number {
    return Date.now();
  }

  after(ms: number, callback: () => void): () => void {
    const timer: Timer = { dueAt: this.now() + ms, callback, cancel: () => undefined };
    this.#timers.add(timer);
    this.#arm(timer);
    return () => this.#drop(timer);
  }

  /** Goes on by `ms`. */
  async leap(ms: number): Promise<void> {
    const end = this.now() + ms;
    for (;;) {
      await sleep(BREATH_MS);
      const [next] = [...this.#timers].filter(({ dueAt }) => dueAt <= end).sort((a, b) => a.dueAt - b.dueAt);
      if (next === undefined) break;
      this.#held = Math.max(this.now(), next.dueAt);
      this.#drop(next);
      next.callback();
    }
    this.#held = undefined;
    this.#ahead = end - performance.now();
    for (const timer of this.#timers) {
      timer.cancel();
      this.#arm(timer);
    }
  }

  #arm(timer: Timer): void {
    const handle = setTimeout(
      () => {
        // During a leap it is the leap that calls, in order.
        if (this.#held !== undefined) return;
        this.#drop(timer);
        timer.callback();
      },
      Math.max(0, timer.dueAt - this.now()),
    );
    timer.cancel = () => clearTimeout(handle);
  }

  #drop(timer: Timer): void {
    timer.cancel();
    this.#timers.delete(timer);
  }
}
