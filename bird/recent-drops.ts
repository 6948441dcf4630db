import type { Clock } from '../src/runtime/clock.ts';
import type { TcpCounters, TcpEvidence } from './peer/tcp-counters.ts';

/** The longest that a daemon waits between two attempts by default: BIRD's and FRR's 120 s. */
const READING_MS = 120_000;

/**
 * What the kernel had dropped two to four minutes ago. It counts for the whole namespace and never forgets: a password that
 * was mended this morning must not explain the peer that is down tonight.
 */
export class RecentDrops {
  readonly #clock: Clock;
  readonly #read: TcpEvidence;
  #older: TcpCounters | undefined;
  #newer: TcpCounters | undefined;
  #cancel: () => void = () => undefined;

  constructor(clock: Clock, read: TcpEvidence) {
    this.#clock = clock;
    this.#read = read;
  }

  /** Undefined in the first minutes. */
  get before(): TcpCounters | undefined {
    return this.#older;
  }

  start(): void {
    this.#older = this.#newer;
    this.#newer = this.#read();
    this.#cancel = this.#clock.after(READING_MS, () => this.start());
  }

  stop(): void {
    this.#cancel();
  }
}
