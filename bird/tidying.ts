import type { Clock } from '../src/runtime/clock.ts';

export interface TidyingPorts {
  readonly clock: Clock;
  /** There is something to put in order. */
  isUntidy(): boolean;
  /** One short step; true where there is more. */
  tidy(): boolean;
}

/** So long nothing must be done: a session that is lost and comes back at once finds everything in its place. */
const QUIET_MS = 2000;
/** A full table is never quiet: there it waits no longer than so. */
const MOST_MS = 60_000;
const SLICE_MS = 2;

/** Puts the tables in order when there is little else to do, a little in each turn of the loop. */
export class Tidying {
  readonly #ports: TidyingPorts;
  #lastWorkAt = 0;
  /** While a look is due: since when. */
  #dueSince = 0;
  #cancel: (() => void) | undefined;
  #isClosed = false;

  constructor(ports: TidyingPorts) {
    this.#ports = ports;
  }

  /** Tables were worked on: the rest begins anew. */
  worked(): void {
    this.#lastWorkAt = this.#ports.clock.now();
    this.rested();
  }

  /** Something may have been let go of, and no more than that. */
  rested(): void {
    if (this.#cancel !== undefined || this.#isClosed || !this.#ports.isUntidy()) return;
    this.#dueSince = this.#ports.clock.now();
    this.#lookAfter(QUIET_MS);
  }

  close(): void {
    this.#isClosed = true;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #look(): void {
    const { clock } = this.#ports;
    const now = clock.now();
    this.#cancel = undefined;
    const left = Math.min(this.#lastWorkAt + QUIET_MS, this.#dueSince + MOST_MS) - now;
    let isMore = true;
    if (left <= 0) while (isMore && clock.now() < now + SLICE_MS) isMore = this.#ports.tidy();
    if (isMore) this.#lookAfter(left);
  }

  #lookAfter(ms: number): void {
    this.#cancel = this.#ports.clock.after(Math.max(0, ms), () => this.#look());
  }
}
