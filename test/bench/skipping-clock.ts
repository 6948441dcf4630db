import type { Clock } from '../../src/runtime/clock.ts';
import { systemClock } from '../../src/runtime/clock.ts';

interface Waiting {
  readonly dueAt: number;
  readonly callback: () => void;
  cancel: () => void;
}

/** The system's clock, whose hands can be set forward: what is due by then happens at once. */
export class SkippingClock implements Clock {
  readonly #waiting = new Set<Waiting>();
  #skippedMs = 0;

  now(): number {
    return systemClock.now() + this.#skippedMs;
  }

  wallTime(): number {
    return systemClock.wallTime();
  }

  after(ms: number, callback: () => void): () => void {
    const waiting: Waiting = { dueAt: this.now() + ms, callback, cancel: () => undefined };
    this.#waiting.add(waiting);
    this.#arm(waiting);
    return () => {
      this.#waiting.delete(waiting);
      waiting.cancel();
    };
  }

  skip(ms: number): void {
    this.#skippedMs += ms;
    for (const waiting of this.#waiting) {
      waiting.cancel();
      this.#arm(waiting);
    }
  }

  #arm(waiting: Waiting): void {
    waiting.cancel = systemClock.after(Math.max(0, waiting.dueAt - this.now()), () => {
      this.#waiting.delete(waiting);
      waiting.callback();
    });
  }
}
