import type { Clock } from '../../src/runtime/clock.ts';
import type { Random } from '../../src/runtime/random.ts';
import { TIMERS } from './vocabulary.ts';
import type { Timer } from './vocabulary.ts';

/** RFC 4271 §10: 75 to 100 percent. */
const MIN_JITTER = 0.75;
/** What the clock of the runtime can count to; a longer wait is waited in parts. */
const MAX_MS = 0x7fff_ffff;
/** The deadline of a timer that does not run. */
const STOPPED = Infinity;
const HOLD = TIMERS.indexOf('HoldTimer');

interface TimersOwner {
  readonly clock: Clock;
  readonly random: Random;
  expired(timer: Timer): void;
  /** Messages that have arrived wait to be read. */
  hasBacklog(): boolean;
}

/**
 * The timers of one state machine, on the monotonic clock alone. They are deadlines, and the clock is asked for one call
 * at a time: at the earliest of them, or before. A deadline that moves away, as that of the hold timer does with each
 * message, costs a store; the call comes too early then, and looks again.
 */
export class Timers {
  readonly #owner: TimersOwner;
  /** By place in TIMERS. */
  readonly #deadlines: number[] = TIMERS.map(() => STOPPED);
  /** When the clock calls; STOPPED where it does not. */
  #callsAt = STOPPED;
  #cancelCall: () => void = () => undefined;
  /** The hold timer is over, and what has arrived is read before that is believed. */
  #cancelLastLook: (() => void) | undefined;

  constructor(owner: TimersOwner) {
    this.#owner = owner;
  }

  isRunning(timer: Timer): boolean {
    return this.#deadlines[TIMERS.indexOf(timer)] !== STOPPED;
  }

  /** Anew where it runs already. */
  start(timer: Timer, seconds: number, jitter: boolean): void {
    const factor = jitter ? MIN_JITTER + (1 - MIN_JITTER) * this.#owner.random() : 1;
    const deadline = this.#owner.clock.now() + seconds * 1000 * factor;
    this.#startAt(TIMERS.indexOf(timer), deadline);
  }

  /**
   * `start` of the hold timer for whoever looked at the clock a moment ago, `now` in its milliseconds: a full table has hundreds
   * of thousands of UPDATEs, and a timer that ends some microseconds early costs nothing, for a last look comes before its end.
   */
  startHold(seconds: number, now: number): void {
    this.#startAt(HOLD, now + seconds * 1000);
  }

  stop(timer: Timer): void {
    if (timer === 'HoldTimer') this.#endLastLook();
    this.#deadlines[TIMERS.indexOf(timer)] = STOPPED;
    if (this.#callsAt !== STOPPED && this.#deadlines.every((deadline) => deadline === STOPPED)) this.#callNoMore();
  }

  stopAll(): void {
    for (const timer of TIMERS) this.stop(timer);
  }

  #startAt(i: number, deadline: number): void {
    if (i === HOLD) this.#endLastLook();
    this.#deadlines[i] = deadline;
    if (deadline < this.#callsAt) this.#callAt(deadline);
  }

  #callAt(deadline: number): void {
    this.#cancelCall();
    const now = this.#owner.clock.now();
    const ms = Math.min(MAX_MS, Math.max(0, deadline - now));
    this.#callsAt = now + ms;
    this.#cancelCall = this.#owner.clock.after(ms, () => this.#called());
  }

  #callNoMore(): void {
    this.#cancelCall();
    this.#callsAt = STOPPED;
  }

  /** The earliest first. What one expiry stops or starts anew does not expire with it. */
  #called(): void {
    this.#callsAt = STOPPED;
    const now = this.#owner.clock.now();
    const due = TIMERS.map((_, i) => i).filter((i) => this.#isDue(i, now));
    for (const i of due.sort((a, b) => this.#deadlines[a]! - this.#deadlines[b]!)) {
      if (!this.#isDue(i, now)) continue;
      if (i === HOLD) this.#lookOnceMore();
      else this.#expire(i);
    }
    this.#callForNext();
  }

  #isDue(i: number, now: number): boolean {
    return this.#deadlines[i]! <= now && !(i === HOLD && this.#cancelLastLook !== undefined);
  }

  #callForNext(): void {
    const isLooking = this.#cancelLastLook !== undefined;
    const waiting = this.#deadlines.filter((_, i) => !(i === HOLD && isLooking));
    const next = Math.min(...waiting);
    if (next < this.#callsAt) this.#callAt(next);
  }

  /**
   * A process that was stopped or busy finds its hold timers expired and its sockets full. So first one more turn, in
   * which what is there is read, and only then the verdict.
   */
  #lookOnceMore(): void {
    this.#cancelLastLook = this.#owner.clock.after(0, () => {
      this.#cancelLastLook = undefined;
      if (this.#owner.hasBacklog()) this.#lookOnceMore();
      else this.#expire(HOLD);
    });
  }

  #endLastLook(): void {
    this.#cancelLastLook?.();
    this.#cancelLastLook = undefined;
  }

  #expire(i: number): void {
    this.#deadlines[i] = STOPPED;
    this.#owner.expired(TIMERS[i]!);
  }
}
