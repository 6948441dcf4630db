import type { Dataplane } from '../../felix/index.ts';
import { formatPrefix } from '../model/ip.ts';
import type { Clock } from '../runtime/clock.ts';

/** A route that is not in the kernel after this long is reported as it stands. */
const ROUTE_TIMEOUT_MS = 10_000;

interface Waiter {
  readonly wanted: readonly string[];
  readonly finish: (error?: Error) => void;
}

/**
 * Pods that wait for their routes. All of them look at one picture after each pass, and those that come in one turn at one
 * picture then: with a burst of pods, one picture for each would be the square of their number.
 */
export class RouteWaiters {
  readonly #dataplane: Pick<Dataplane, 'routes' | 'onChange'>;
  readonly #clock: Clock;
  readonly #waiting = new Set<Waiter>();
  /** Those that have not looked yet. */
  #fresh: Waiter[] = [];
  #stopListening: (() => void) | undefined;

  constructor(dataplane: Pick<Dataplane, 'routes' | 'onChange'>, clock: Clock) {
    this.#dataplane = dataplane;
    this.#clock = clock;
  }

  /** Resolves when the kernel has all of these prefixes (text); rejects after ten seconds with the reason of the first that is missing. */
  programmed(wanted: readonly string[]): Promise<void> {
    return new Promise((resolve, reject) => {
      const cancel = this.#clock.after(ROUTE_TIMEOUT_MS, () => waiter.finish(this.#failure(wanted)));
      const waiter: Waiter = {
        wanted,
        finish: (error) => {
          cancel();
          this.#remove(waiter);
          if (error === undefined) resolve();
          else reject(error);
        },
      };
      this.#waiting.add(waiter);
      this.#stopListening ??= this.#dataplane.onChange(() => this.#look([...this.#waiting]));
      this.#fresh.push(waiter);
      if (this.#fresh.length === 1) setImmediate(() => this.#look(this.#fresh.splice(0)));
    });
  }

  #look(waiters: readonly Waiter[]): void {
    const open = waiters.filter((waiter) => this.#waiting.has(waiter));
    if (open.length === 0) return;
    const there = this.#there();
    for (const { wanted, finish } of open) if (wanted.every((prefix) => there.has(prefix))) finish();
  }

  #there(): ReadonlySet<string> {
    const programmed = this.#dataplane.routes().filter(({ state }) => state === 'programmed');
    return new Set(programmed.map(({ route }) => formatPrefix(route.prefix)));
  }

  #failure(wanted: readonly string[]): Error {
    const there = this.#there();
    const missing = wanted.filter((prefix) => !there.has(prefix));
    const failed = this.#dataplane.routes().find(({ route }) => missing.includes(formatPrefix(route.prefix)));
    const reason = failed?.error ?? 'it is not computed yet';
    return new Error(`the route of ${missing.join(', ')} is not in the kernel: ${reason}`);
  }

  #remove(waiter: Waiter): void {
    this.#waiting.delete(waiter);
    if (this.#waiting.size > 0) return;
    this.#stopListening?.();
    this.#stopListening = undefined;
  }
}
