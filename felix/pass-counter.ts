import type { PassCounts } from './contract.ts';

/** Of the passes over the kernel: how many there were, how they ended, and how long they took. */
export class PassCounter {
  #counts: PassCounts = { ended: 0, failed: 0, totalMs: 0, full: 0 };

  counts(): PassCounts {
    return this.#counts;
  }

  /** Times are the clock's milliseconds. */
  ended({ startedAt, endedAt, hasFailed }: { startedAt: number; endedAt: number; hasFailed: boolean }): void {
    const { ended, failed, totalMs } = this.#counts;
    this.#counts = {
      ...this.#counts,
      ended: ended + 1,
      failed: failed + (hasFailed ? 1 : 0),
      totalMs: totalMs + endedAt - startedAt,
    };
  }

  /** All of the kernel was read again because it was time to. */
  full(startedAt: number): void {
    this.#counts = { ...this.#counts, full: this.#counts.full + 1, lastFullAt: startedAt };
  }
}
