import type { Clock } from '../src/runtime/clock.ts';
import { fault } from './peer/fault.ts';
import { limitOctets, limitText } from './prefix-limit.ts';
import type { LimitReached } from './routing.ts';
import type { Fault } from './wire.ts';

export interface LimitGuardPorts {
  readonly clock: Clock;
  stop(farewell: Fault): void;
  start(): void;
}

/** Ends the session of a peer that announced too much, where its limit asks for that, and lets it come back. RFC 4486 §4. */
export class LimitGuard {
  readonly #ports: LimitGuardPorts;
  #heldDown: string | undefined;
  #cancel: () => void = () => undefined;

  constructor(ports: LimitGuardPorts) {
    this.#ports = ports;
  }

  /** Why the peer is held down, in one sentence; undefined where it is not. */
  get heldDown(): string | undefined {
    return this.#heldDown;
  }

  /** Returns what is to be said, in words. */
  take({ family, limit, stage }: LimitReached): string {
    const text = limitText(family, limit, stage);
    const isOver = stage === 'exceeded' && limit.action === 'shutdown';
    if (!isOver || this.#heldDown !== undefined) return text;
    const { restartSeconds } = limit;
    this.#heldDown = `${text}; ${restartSeconds === undefined ? 'an operator must let it back in' : `it may come back after ${restartSeconds} s`}`;
    // In a turn of its own: an UPDATE is being read.
    this.#cancel = this.#ports.clock.after(0, () => {
      this.#ports.stop(fault('maximumPrefixes', text, limitOctets(family, limit)));
      if (restartSeconds === undefined) return;
      this.#cancel = this.#ports.clock.after(restartSeconds * 1000, () => this.release());
    });
    return text;
  }

  /** Lets the peer back in, if it is held down. */
  release(): void {
    if (this.#heldDown === undefined) return;
    this.close();
    this.#ports.start();
  }

  close(): void {
    this.#cancel();
    this.#heldDown = undefined;
  }
}
