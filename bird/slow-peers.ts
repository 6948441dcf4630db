import type { Clock } from '../src/runtime/clock.ts';

/** So long the peers of a group wait for those that have no room, while these read. */
const MOST_MS = 100;
/** And so long while none of them reads: a reader that is busy comes back within a few of its turns. */
const LEAST_MS = 10;
/** What it takes to tell one peer a batch by itself: to wait is cheaper for so long, and the more of them the longer. */
const MS_FOR_EACH = 1;

/**
 * How long those that have room wait for those that have none: while one after the other has room again for a tenth of a second,
 * and while nothing moves no longer than it takes to tell them by themselves. Who reads nothing at all never makes room, and
 * all others would stand still as long as there is patience, each time that another one has stopped.
 */
export class SlowPeers {
  readonly #clock: Clock;
  readonly #leaveBehind: () => void;
  /** Peers that are waited for; 0: nobody is. */
  #count = 0;
  #since = 0;
  #cancel: (() => void) | undefined;

  /** `leaveBehind`: nobody waits any more. */
  constructor(clock: Clock, leaveBehind: () => void) {
    this.#clock = clock;
    this.#leaveBehind = leaveBehind;
  }

  /** So many are without room now and hold the others up; to be called whenever that may be another number. */
  areWaitedFor(count: number): void {
    // Fewer: some of them read.
    if (count < this.#count) this.stop();
    const now = this.#clock.now();
    if (this.#count === 0) this.#since = now;
    this.#count = count;
    if (count === 0) return;
    const standstill = Math.max(LEAST_MS, count * MS_FOR_EACH);
    const ms = Math.min(standstill, this.#since + MOST_MS - now);
    this.#cancel ??= this.#clock.after(Math.max(0, ms), () => this.#giveUp());
  }

  /** Nobody waits until `areWaitedFor` is called again. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  /** One more turn: a long one has not looked yet whether the sockets have room, and timers come before the sockets. */
  #giveUp(): void {
    this.#cancel = this.#clock.after(0, () => {
      this.#cancel = undefined;
      this.#count = 0;
      this.#leaveBehind();
    });
  }
}
