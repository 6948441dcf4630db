/** Whether this process comes to its work: a timer that should fire each second, and how late it does. */
import type { Clock } from '../runtime/clock.ts';
import { duration, notLive, notReady, ready } from './report.ts';
import type { Reporter, Verdict } from './report.ts';

const TICK_MS = 1000;
/** Keepalives and pods wait as long. */
const READY_LAG_MS = 2000;
/** Past it a session may be lost by our fault: the smallest hold time that peers agree on in practice is 9 s. */
const LIVE_LAG_MS = 10_000;
/**
 * How long a lag is told. The loop cannot answer while it stands still, so it must be told afterwards; but six failures in a
 * row, ten seconds apart, restart a calico-node, and one pause alone should not.
 */
const WINDOW_MS = 30_000;

interface Lag {
  readonly at: number;
  readonly ms: number;
}

export class EventLoopWatch implements Reporter {
  readonly name = 'event loop';
  readonly #clock: Clock;
  #dueAt = 0;
  #worst: Lag = { at: 0, ms: 0 };
  #cancel: () => void = () => undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  start(): void {
    this.#dueAt = this.#clock.now() + TICK_MS;
    this.#cancel = this.#clock.after(TICK_MS, () => {
      const now = this.#clock.now();
      this.#worst = this.#worstLag(now);
      this.start();
    });
  }

  /** In the last 30 s. */
  worstLagMs(now: number): number {
    return this.#worstLag(now).ms;
  }

  check(now: number): Verdict {
    const { ms, at } = this.#worstLag(now);
    const text = `it stood still for ${duration(ms)}, ${duration(now - at)} ago`;
    if (ms > LIVE_LAG_MS) return notLive(`${text} (more than ${duration(LIVE_LAG_MS)})`);
    if (ms > READY_LAG_MS) return notReady(`${text} (more than ${duration(READY_LAG_MS)})`);
    return ready(`at most ${Math.round(ms)} ms late in the last ${duration(WINDOW_MS)}`);
  }

  close(): void {
    this.#cancel();
  }

  /** A timer that is overdue while we are asked counts, too: the question may have been first in the queue. */
  #worstLag(now: number): Lag {
    const current = { at: now, ms: Math.max(0, now - this.#dueAt) };
    const isOver = now - this.#worst.at > WINDOW_MS || this.#worst.ms <= current.ms;
    return isOver ? current : this.#worst;
  }
}
