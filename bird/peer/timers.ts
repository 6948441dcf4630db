import type { Clock } from '../../src/runtime/clock.ts';
import type { Random } from '../../src/runtime/random.ts';
import type { Timer } from './vocabulary.ts';

/** RFC 4271 §10: 75 to 100 percent. */
const MIN_JITTER = 0.75;
/** What the clock of the runtime can count to; a longer wait is waited in parts. */
const MAX_MS = 0x7fff_ffff;

interface ArmedTimer {
  deadline: number;
  readonly firesAt: number;
  readonly cancel: () => void;
}

interface TimersOwner {
  readonly clock: Clock;
  readonly random: Random;
  expired(timer: Timer): void;
  /** Messages that have arrived wait to be read. */
  hasBacklog(): boolean;
}

/** The timers of one state machine, on the monotonic clock alone. */
export class Timers {
  readonly #owner: TimersOwner;
  readonly #armed = new Map<Timer, ArmedTimer>();

  constructor(owner: TimersOwner) {
    this.#owner = owner;
  }

  isRunning(timer: Timer): boolean {
    return this.#armed.has(timer);
  }

  /** Anew where it runs already. */
  start(timer: Timer, seconds: number, jitter: boolean): void {
    const factor = jitter ? MIN_JITTER + (1 - MIN_JITTER) * this.#owner.random() : 1;
    const deadline = this.#owner.clock.now() + seconds * 1000 * factor;
    const armed = this.#armed.get(timer);
    // The hold timer moves with each message: it is enough that it fires too early and looks again.
    if (armed !== undefined && armed.firesAt <= deadline) {
      armed.deadline = deadline;
      return;
    }
    armed?.cancel();
    this.#arm(timer, deadline);
  }

  stop(timer: Timer): void {
    this.#armed.get(timer)?.cancel();
    this.#armed.delete(timer);
  }

  stopAll(): void {
    for (const timer of [...this.#armed.keys()]) this.stop(timer);
  }

  #arm(timer: Timer, deadline: number): void {
    const now = this.#owner.clock.now();
    const ms = Math.min(MAX_MS, Math.max(0, deadline - now));
    const cancel = this.#owner.clock.after(ms, () => this.#fired(timer));
    this.#armed.set(timer, { deadline, firesAt: now + ms, cancel });
  }

  #fired(timer: Timer): void {
    const { deadline } = this.#armed.get(timer)!;
    if (deadline > this.#owner.clock.now()) this.#arm(timer, deadline);
    else if (timer === 'HoldTimer') this.#askOnceMore(deadline);
    else this.#expire(timer);
  }

  /**
   * A process that was stopped or busy finds its hold timers expired and its sockets full. So first one more turn, in
   * which what is there is read, and only then the verdict.
   */
  #askOnceMore(deadline: number): void {
    const cancel = this.#owner.clock.after(0, () => {
      const now = this.#armed.get('HoldTimer')!.deadline;
      if (now > deadline) this.#arm('HoldTimer', now);
      else if (this.#owner.hasBacklog()) this.#askOnceMore(deadline);
      else this.#expire('HoldTimer');
    });
    this.#armed.set('HoldTimer', { deadline, firesAt: this.#owner.clock.now(), cancel });
  }

  #expire(timer: Timer): void {
    this.#armed.delete(timer);
    this.#owner.expired(timer);
  }
}
