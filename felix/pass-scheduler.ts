import type { Clock } from '../src/runtime/clock.ts';

/** Runs one pass; resolves to the milliseconds after which it wants to run again, if it does. Must not reject. */
export type RunPass = () => Promise<number | undefined>;

interface Waiter {
  readonly ticket: number;
  readonly resolve: () => void;
}

/**
 * One pass at a time; requests that come together are one pass. After each it owes a rest as long as the pass took, so that
 * a flood of requests costs at most half of the processor; of the last pass it may be owed still when the next begins, so
 * that after quiet an answer to what a pass set off is not kept waiting.
 */
export class PassScheduler {
  readonly #clock: Clock;
  readonly #run: RunPass;
  #timer: { readonly dueAt: number; readonly cancel: () => void } | undefined;
  #running: Promise<void> | undefined;
  /** A request came due while a pass was running. */
  #isOverdue = false;
  /** No pass begins before. */
  #restUntil = 0;
  /** When the rest of all passes so far is over. */
  #restedAt = 0;
  #asked = 0;
  #done = 0;
  #waiters: readonly Waiter[] = [];
  #isClosed = false;

  constructor(clock: Clock, run: RunPass) {
    this.#clock = clock;
    this.#run = run;
  }

  /** New inputs: a pass over them, soon. */
  ask(): void {
    this.#asked++;
    this.request(0);
  }

  /** A pass in `delayMs` at the latest. */
  request(delayMs: number): void {
    if (this.#isClosed) return;
    const now = this.#clock.now();
    const dueAt = Math.max(now + delayMs, this.#restUntil);
    if (this.#timer !== undefined && this.#timer.dueAt <= dueAt) return;
    this.#cancelTimer();
    this.#timer = { dueAt, cancel: this.#clock.after(dueAt - now, () => this.#fire()) };
  }

  /** Resolves when a pass that began after the last ask() has ended; at once where there is none to wait for. */
  settled(): Promise<void> {
    if (this.#isClosed || this.#done >= this.#asked) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiters = [...this.#waiters, { ticket: this.#asked, resolve }];
    });
  }

  /** Resolves when a pass that is asked for then begins at once: none is running, and the rest is over. */
  async ready(): Promise<void> {
    while (!this.#isClosed) {
      const restMs = this.#restUntil - this.#clock.now();
      if (this.#running !== undefined) await this.#running;
      else if (restMs > 0) await new Promise<void>((resolve) => void this.#clock.after(restMs, resolve));
      else return;
    }
  }

  /** Resolves when the pass that may be running has ended; none starts after that. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelTimer();
    await this.#running;
    this.#release(Infinity);
  }

  #cancelTimer(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #fire(): void {
    this.#timer = undefined;
    if (this.#running !== undefined) this.#isOverdue = true;
    else this.#running = this.#runOne();
  }

  async #runOne(): Promise<void> {
    const ticket = this.#asked;
    const startedAt = this.#clock.now();
    const againMs = await this.#run();
    const endedAt = this.#clock.now();
    this.#running = undefined;
    this.#restUntil = endedAt + Math.max(0, this.#restedAt - startedAt);
    this.#restedAt = this.#restUntil + (endedAt - startedAt);
    this.#release(ticket);
    // What was asked for meanwhile was not told of this rest.
    const isTooSoon = this.#timer !== undefined && this.#timer.dueAt < this.#restUntil;
    if (isTooSoon) this.#cancelTimer();
    if (isTooSoon || this.#isOverdue) this.request(0);
    this.#isOverdue = false;
    if (againMs !== undefined) this.request(againMs);
  }

  #release(ticket: number): void {
    this.#done = Math.max(this.#done, ticket);
    const ready = this.#waiters.filter((waiter) => waiter.ticket <= ticket);
    this.#waiters = this.#waiters.filter((waiter) => waiter.ticket > ticket);
    for (const { resolve } of ready) resolve();
  }
}
