import type { Clock } from '../src/runtime/clock.ts';
import type { Logger } from '../src/runtime/logger.ts';
import { callerName } from './incoming.ts';
import type { Caller } from './incoming.ts';
import type { RefusedCaller } from './view.ts';

/** So many are remembered, the ones that called last. */
const REMEMBERED = 256;
const MINUTE_MS = 60_000;
/** Of different callers together; a flood must not fill the disk. */
const LINES_PER_MINUTE = 30;

interface Entry {
  readonly caller: Caller;
  why: string;
  count: number;
  lastAt: number;
  loggedAt: number;
  unlogged: number;
}

/** Who called and was not let in: for people who look for a peer that does not come up. Bounded, in memory and in the log. */
export class RefusedCallers {
  readonly #clock: Clock;
  readonly #log: Logger;
  /** The one that called last is last. */
  readonly #entries = new Map<string, Entry>();
  #minuteBegan = -Infinity;
  #lines = 0;
  #withheld = 0;

  constructor(clock: Clock, log: Logger) {
    this.#clock = clock;
    this.#log = log;
  }

  note(caller: Caller, why: string): void {
    const name = callerName(caller);
    const entry = this.#entries.get(name) ?? { caller, why, count: 0, lastAt: 0, loggedAt: -Infinity, unlogged: 0 };
    this.#entries.delete(name);
    this.#entries.set(name, entry);
    entry.why = why;
    entry.count++;
    entry.unlogged++;
    entry.lastAt = this.#clock.wallTime();
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > REMEMBERED && oldest !== undefined) this.#entries.delete(oldest);
    this.#say(name, entry);
  }

  /** The one that called last comes last. */
  list(): readonly RefusedCaller[] {
    return [...this.#entries.values()].map(({ caller, count, lastAt, why }) => ({
      address: caller.address,
      ...(caller.interface !== undefined && { interface: caller.interface }),
      count,
      lastAt,
      why,
    }));
  }

  /** One line a minute for each caller, with the number of its calls since the line before. */
  #say(name: string, entry: Entry): void {
    const now = this.#clock.now();
    if (now - entry.loggedAt < MINUTE_MS) return;
    if (now - this.#minuteBegan >= MINUTE_MS) {
      this.#minuteBegan = now;
      this.#lines = 0;
    }
    if (this.#lines >= LINES_PER_MINUTE) {
      this.#withheld++;
      return;
    }
    const withheld = this.#withheld > 0 ? { callsNotLogged: this.#withheld } : {};
    this.#log.info({ peer: name, times: entry.unlogged, why: entry.why, ...withheld }, 'refused a connection');
    this.#lines++;
    this.#withheld = 0;
    entry.loggedAt = now;
    entry.unlogged = 0;
  }
}
