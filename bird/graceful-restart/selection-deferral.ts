import type { Clock } from '../../src/runtime/clock.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import { CONVERGED, DEFERRING, deferralStep } from './deferral.ts';
import type { DeferralEvent, DeferralState } from './deferral.ts';

export interface SelectionDeferralPorts {
  readonly clock: Clock;
  readonly log: Logger;
  /** Selection may run. */
  ended(): void;
  /** Selection is through with what piled up meanwhile. */
  caughtUp(): void;
}

/** Selection after our restart: runs deferral.ts and its timer, and knows when what piled up is selected. RFC 4724 §4.1. */
export class SelectionDeferral {
  readonly #ports: SelectionDeferralPorts;
  #state: DeferralState;
  #isCatchingUp = false;
  #cancel: () => void = () => undefined;

  constructor(isRestarting: boolean, ports: SelectionDeferralPorts) {
    this.#ports = ports;
    this.#state = isRestarting ? DEFERRING : CONVERGED;
  }

  /** Selection must not run yet. */
  get isDeferring(): boolean {
    return this.#state.name === 'deferring';
  }

  /** What is selected is all that the peers had to say. */
  get isConverged(): boolean {
    return !this.isDeferring && !this.#isCatchingUp;
  }

  /** Peers may come from now on, and are waited for no longer than this. */
  start(seconds: number): void {
    if (!this.isDeferring) return;
    this.#cancel = this.#ports.clock.after(seconds * 1000, () => this.take({ type: 'timerExpires' }));
  }

  take(event: DeferralEvent): void {
    const before = this.#state;
    this.#state = deferralStep(before, event);
    if (before.name === this.#state.name) return;
    this.#cancel();
    this.#ports.log.info({ cause: event.type }, 'selection starts after the restart');
    // The last route of the last peer and End-of-RIB after all of them must not be parted: the latter waits for selection.
    this.#isCatchingUp = true;
    this.#ports.ended();
  }

  /** Everything that was due is selected. */
  settled(): void {
    if (!this.#isCatchingUp || this.isDeferring) return;
    this.#isCatchingUp = false;
    this.#ports.caughtUp();
  }

  close(): void {
    this.#cancel();
  }
}
