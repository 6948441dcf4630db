import type { Clock } from '../runtime/clock.ts';

export interface ComputeSchedulePorts {
  readonly clock: Clock;
  /** Everything, over all that is known. */
  readonly all: () => void;
  /** Only what follows from bird's routes. */
  readonly routes: () => void;
  /** Resolves when somebody has use for routes. */
  readonly ready: () => Promise<void>;
}

/** A computation that took less is no burden, however often it comes. */
const SHORT_MS = 5;
/** Pods come and go one after the other, some ten milliseconds each: what follows of several is one computation. */
const SOON_MS = 50;

/**
 * When the agent computes. Changes of one turn of the event loop are one computation. After a long one there is a rest as long as it took: a
 * cluster whose nodes all change at once costs each of them at most half of its time. bird's routes are looked at when felix has time for
 * them: a thousand sessions that come up one by one are some passes over the table, and not a thousand.
 */
export class ComputeSchedule {
  readonly #ports: ComputeSchedulePorts;
  #isAllDue = false;
  #areRoutesDue = false;
  #restUntil = 0;
  #stopRest: () => void = () => undefined;
  #stopSoon: (() => void) | undefined;
  #isClosed = false;

  constructor(ports: ComputeSchedulePorts) {
    this.#ports = ports;
  }

  /** Something is known anew. */
  ask(): void {
    if (this.#isAllDue || this.#isClosed) return;
    this.#isAllDue = true;
    const restMs = this.#restUntil - this.#ports.clock.now();
    if (restMs <= 0) setImmediate(() => this.#computeAll());
    else this.#stopRest = this.#ports.clock.after(restMs, () => this.#computeAll());
  }

  /** The same, and nobody waits for what follows. */
  askSoon(): void {
    if (this.#isAllDue || this.#isClosed) return;
    this.#stopSoon ??= this.#ports.clock.after(SOON_MS, () => this.ask());
  }

  /** bird's routes changed. */
  askRoutes(): void {
    if (this.#areRoutesDue || this.#isClosed) return;
    this.#areRoutesDue = true;
    void this.#ports.ready().then(() => setImmediate(() => this.#computeRoutes()));
  }

  close(): void {
    this.#isClosed = true;
    this.#stopRest();
    this.#stopSoon?.();
  }

  #computeAll(): void {
    if (this.#isClosed) return;
    this.#isAllDue = false;
    this.#stopSoon?.();
    this.#stopSoon = undefined;
    const { clock, all } = this.#ports;
    const startedAt = clock.now();
    all();
    const endedAt = clock.now();
    const tookMs = endedAt - startedAt;
    this.#restUntil = tookMs < SHORT_MS ? 0 : endedAt + tookMs;
  }

  #computeRoutes(): void {
    this.#areRoutesDue = false;
    // All that is known has bird's routes in it.
    if (!this.#isClosed) this.#ports.routes();
  }
}
