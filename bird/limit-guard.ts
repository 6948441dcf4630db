import type { Clock } from '../src/runtime/clock.ts';
import { fault } from './peer/fault.ts';
import { limitOctets, limitText } from './prefix-limit.ts';
import type { LimitReached } from './routing.ts';
import type { Fault } from './wire.ts';

export interface LimitGuardPorts {
  readonly clock: Clock;
  /** Ends the session with this Cease, to come back after so many seconds: 0 at once, Infinity when an operator says so. */
  reset(farewell: Fault, waitSeconds: number): void;
}

/** Ends the session of a peer that announced too much, where its limit asks for that, and lets it come back. RFC 4486 §4. */
export class LimitGuard {
  readonly #ports: LimitGuardPorts;
  #isHeldDown = false;
  #cancel: () => void = () => undefined;

  constructor(ports: LimitGuardPorts) {
    this.#ports = ports;
  }

  get isHeldDown(): boolean {
    return this.#isHeldDown;
  }

  /** Returns what is to be said, in words. */
  take({ family, limit, stage }: LimitReached): string {
    const text = limitText(family, limit, stage);
    if (stage !== 'exceeded' || limit.action !== 'shutdown' || this.#isHeldDown) return text;
    const { restartSeconds } = limit;
    const until =
      restartSeconds === undefined ? 'an operator must let it back in' : `it may come back after ${restartSeconds} s`;
    const farewell = fault('maximumPrefixes', `${text}; ${until}`, limitOctets(family, limit));
    this.#isHeldDown = true;
    // In a turn of its own: an UPDATE is being read.
    this.#cancel = this.#ports.clock.after(0, () => {
      this.#ports.reset(farewell, restartSeconds ?? Infinity);
      if (restartSeconds === undefined) return;
      this.#cancel = this.#ports.clock.after(restartSeconds * 1000, () => this.sessionUp());
    });
    return text;
  }

  /** The session is up, or may be again: whatever held it down is over. */
  sessionUp(): void {
    this.#isHeldDown = false;
  }

  /** The limit is another: the peer is let back in, if it is held down. */
  release(): void {
    if (!this.#isHeldDown) return;
    this.close();
    this.#ports.reset(fault('administrativeReset', 'the prefix limit of the peer changed'), 0);
  }

  close(): void {
    this.#cancel();
    this.#isHeldDown = false;
  }
}
