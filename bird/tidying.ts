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
const SLICE_MS = 2;

/** Puts the tables in order when there is nothing else to do, a little in each turn of the loop. */
export class Tidying {
  readonly #ports: TidyingPorts;
  #lastWorkAt = 0;
  #cancel: (() => void) | undefined;
  #isClosed = false;

  constructor(ports: TidyingPorts) {
    this.#ports = ports;
  }

  /** Something was done. */
  worked(): void {
    if (this.#isClosed || !this.#ports.isUntidy()) return;
    this.#lastWorkAt = this.#ports.clock.now();
    this.#cancel ??= this.#ports.clock.after(QUIET_MS, () => this.#look());
  }

  close(): void {
    this.#isClosed = true;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #look(): void {
    const { clock } = this.#ports;
    const now = clock.now();
    const left = this.#lastWorkAt + QUIET_MS - now;
    let isMore = true;
    if (left <= 0) while (isMore && clock.now() < now + SLICE_MS) isMore = this.#ports.tidy();
    this.#cancel = isMore ? clock.after(Math.max(0, left), () => this.#look()) : undefined;
  }
}
