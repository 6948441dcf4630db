import type { Clock } from '../src/runtime/clock.ts';

export interface DrainPorts {
  readonly clock: Clock;
  /** Every peer that is there has been told everything. */
  isFlushed(): boolean;
}

/** The longest that a peer which does not read may hold up a drain. */
const FLUSH_SECONDS = 30;

/** The time between the news that we leave and our leaving: until every peer has heard it, and `waitSeconds` more. RFC 8326. */
export class Drain {
  /** Resolves when we may leave. */
  readonly over: Promise<void>;
  readonly #ports: DrainPorts;
  readonly #waitSeconds: number;
  /** Peers have heard it, or are waited for no longer. */
  #isTold = false;
  #end: () => void = () => undefined;
  #cancel: () => void;

  constructor(waitSeconds: number, ports: DrainPorts) {
    this.#ports = ports;
    this.#waitSeconds = waitSeconds;
    this.over = new Promise((resolve) => (this.#end = resolve));
    this.#cancel = ports.clock.after(FLUSH_SECONDS * 1000, () => this.#told());
  }

  /** To be called whenever the answer of `isFlushed` may have changed. */
  look(): void {
    if (!this.#isTold && this.#ports.isFlushed()) this.#told();
  }

  /** No more waiting. */
  hurry(): void {
    this.#isTold = true;
    this.#cancel();
    this.#end();
  }

  #told(): void {
    this.#isTold = true;
    this.#cancel();
    this.#cancel = this.#ports.clock.after(this.#waitSeconds * 1000, () => this.#end());
  }
}
