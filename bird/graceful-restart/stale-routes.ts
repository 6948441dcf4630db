import type { IpFamily } from '../../src/model/ip.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { Loss } from '../peer/vocabulary.ts';
import { FAMILIES } from '../routing.ts';
import type { Routing, RoutingPeer } from '../routing.ts';
import { FRESH, helperStep } from './helper.ts';
import type { HelperEffect, HelperEvent, HelperState, HelperTimer } from './helper.ts';
import { mayBeRestart } from './loss.ts';
import type { PeerRestart } from './peer-restart.ts';

export interface StaleRoutesPorts {
  readonly clock: Clock;
  readonly routing: Pick<Routing, 'flush' | 'sweepStale' | 'startLongLived'>;
  readonly routes: RoutingPeer;
}

/** The routes of one peer that outlive its sessions: runs helper.ts for each family, and its timers. */
export class StaleRoutes {
  readonly #ports: StaleRoutesPorts;
  readonly #states = new Map<IpFamily, HelperState>();
  readonly #timers = new Map<string, () => void>();

  constructor(ports: StaleRoutesPorts) {
    this.#ports = ports;
  }

  /** The peer is away, or back and not done with telling its routes again. */
  get isPeerRestarting(): boolean {
    return FAMILIES.some((family) => this.#state(family).name !== 'fresh');
  }

  /** Families whose stale routes have outlived the restart time. RFC 9494. */
  get longLived(): readonly IpFamily[] {
    return FAMILIES.filter((family) => this.#state(family).name === 'longLived');
  }

  /** `restart` is what the session that is gone agreed on. */
  lost(loss: Loss, restart: PeerRestart | undefined): void {
    const kept = restart !== undefined && mayBeRestart(loss, restart.notification) ? restart.families : [];
    for (const family of FAMILIES) {
      const keep = kept.find((each) => each.family === family);
      this.#take(family, keep === undefined ? { type: 'lost' } : { type: 'lost', keep: { ...keep, byUs: false } });
    }
  }

  /**
   * We hung up to begin anew with other settings. A peer that names no restart time for a family keeps its routes as long
   * as it may keep ours: `ourSeconds` is what we told it.
   */
  hungUp(restart: PeerRestart, ourSeconds: number): void {
    for (const family of FAMILIES) {
      const keep = restart.families.find((each) => each.family === family);
      if (keep === undefined) {
        this.#take(family, { type: 'lost' });
        continue;
      }
      const restartSeconds = keep.restartSeconds > 0 ? keep.restartSeconds : ourSeconds;
      this.#take(family, { type: 'lost', keep: { ...keep, restartSeconds, byUs: true } });
    }
  }

  back(restart: PeerRestart | undefined): void {
    const restarting = restart?.restarting ?? false;
    for (const family of FAMILIES) {
      const now = restart?.families.find((each) => each.family === family);
      this.#take(family, { type: 'back', restarting, ...(now !== undefined && { now }) });
    }
  }

  /** The peer that is away no longer forwards. */
  giveUp(): void {
    for (const family of FAMILIES) this.#take(family, { type: 'lost' });
  }

  endOfRib(family: IpFamily): void {
    this.#take(family, { type: 'endOfRib' });
  }

  /** The peer is given up; whatever is stale is its owner's to remove. */
  close(): void {
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
    this.#states.clear();
  }

  #state(family: IpFamily): HelperState {
    return this.#states.get(family) ?? FRESH;
  }

  #take(family: IpFamily, event: HelperEvent): void {
    const [state, effects] = helperStep(this.#state(family), event);
    this.#states.set(family, state);
    for (const effect of effects) this.#perform(family, effect);
  }

  #perform(family: IpFamily, effect: HelperEffect): void {
    const { routing, routes } = this.#ports;
    switch (effect.do) {
      case 'flush':
        routing.flush(routes, family);
        return;
      case 'markStale':
        routes.adjRibIn[family].markStale();
        return;
      case 'sweepStale':
        routing.sweepStale(routes, family);
        return;
      case 'startLongLived':
        routing.startLongLived(routes, family);
        return;
      case 'startTimer':
        this.#startTimer(family, effect.timer, effect.seconds);
        return;
      case 'stopTimer':
        this.#stopTimer(family, effect.timer);
        return;
      case 'stopTimers':
        for (const timer of ['restart', 'endOfRib', 'longLived'] as const) this.#stopTimer(family, timer);
    }
  }

  #startTimer(family: IpFamily, timer: HelperTimer, seconds: number): void {
    this.#stopTimer(family, timer);
    const cancel = this.#ports.clock.after(seconds * 1000, () => {
      this.#timers.delete(nameOf(family, timer));
      this.#take(family, { type: 'timerExpires', timer });
    });
    this.#timers.set(nameOf(family, timer), cancel);
  }

  #stopTimer(family: IpFamily, timer: HelperTimer): void {
    this.#timers.get(nameOf(family, timer))?.();
    this.#timers.delete(nameOf(family, timer));
  }
}

const nameOf = (family: IpFamily, timer: HelperTimer): string => `${timer} IPv${family}`;
