import type { Clock } from '../../src/runtime/clock.ts';

/** A clock of one timer in a process that may be busy: time goes on, and timers fire only when the test lets the loop turn. */
export class LateClock implements Clock {
  time = 0;
  #timer: { readonly dueAt: number; readonly callback: () => void } | undefined;

  now(): number {
    return this.time;
  }

  wallTime(): number {
    return this.time;
  }

  after(ms: number, callback: () => void): () => void {
    this.#timer = { dueAt: this.time + ms, callback };
    return () => (this.#timer = undefined);
  }

  /** The loop turns once: what is due fires, however late. */
  turn(): void {
    const timer = this.#timer;
    if (timer === undefined || timer.dueAt > this.time) return;
    this.#timer = undefined;
    timer.callback();
  }

  /** The loop turns in time for `ms`. */
  idle(ms: number): void {
    for (const end = this.time + ms; this.time < end;) {
      this.time = Math.min(end, this.#timer?.dueAt ?? end);
      this.turn();
    }
  }
}
