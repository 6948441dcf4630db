/** The agent's reporters: who is asked, how often, and what counts as too late. */
import type { Dataplane, RouteCount } from '../../felix/index.ts';
import type { HealthReport } from '../api/contract.ts';
import type { SyncView } from '../datastore/syncer.ts';
import { EventLoopWatch } from '../health/event-loop.ts';
import { Heartbeat } from '../health/heartbeat.ts';
import { reportHealth } from '../health/report.ts';
import type { Reporter } from '../health/report.ts';
import { bgpVerdict, dataplaneVerdict, datastoreVerdict } from '../health/verdicts.ts';
import type { BgpState, RouteCounts } from '../health/verdicts.ts';
import type { Clock } from '../runtime/clock.ts';

export interface AgentHealthPorts {
  readonly clock: Clock;
  readonly dataplane: Pick<Dataplane, 'heartbeat' | 'health' | 'routes'>;
  readonly asBirdReady: boolean;
}

/** What comes into being after the first question may have been asked. */
export interface Attended {
  /** Undefined until the datastore is followed. */
  readonly view: () => SyncView | undefined;
  /** Undefined until the speaker listens. */
  readonly speaker: () => BgpState | undefined;
  /** The datastore is, for a migration. */
  readonly isLocked: () => boolean;
}

/** Felix's NetlinkTimeoutSecs is 10; a kernel under the load of a full table answers in milliseconds. */
const NETLINK = { name: 'netlink', everyMs: 5_000, readyMs: 10_000, liveMs: 60_000 };

/** Answers from before the datastore is there on: an agent that waits for it is live and not ready. */
export class AgentHealth {
  readonly #clock: Clock;
  readonly #loop: EventLoopWatch;
  readonly #netlink: Heartbeat;
  readonly #reporters: (counts?: RouteCounts) => readonly Reporter[];
  #startedAt = 0;
  #attended: Attended = { view: () => undefined, speaker: () => undefined, isLocked: () => false };

  constructor({ clock, dataplane, asBirdReady }: AgentHealthPorts) {
    this.#clock = clock;
    this.#loop = new EventLoopWatch(clock);
    this.#netlink = new Heartbeat(NETLINK, { clock, beat: () => dataplane.heartbeat() });
    this.#reporters = (counts) => [
      this.#loop,
      this.#netlink,
      {
        name: 'datastore',
        check: (now) => datastoreVerdict(this.#attended.view(), { now, isLocked: this.#attended.isLocked() }),
      },
      {
        name: 'dataplane',
        check: (now) => dataplaneVerdict(dataplane.health(), counts ?? routeCounts(dataplane.routes()), now),
      },
      {
        name: 'bgp',
        check: (now) => bgpVerdict(this.#attended.speaker(), { asBirdReady, upForMs: now - this.#startedAt }),
      },
    ];
  }

  attend(attended: Attended): void {
    this.#attended = attended;
  }

  start(): void {
    this.#startedAt = this.#clock.now();
    this.#loop.start();
    this.#netlink.start();
  }

  /** `counts`: where they are known already, so that 100,000 routes need not be listed to count them. */
  report(counts?: RouteCounts): HealthReport {
    return reportHealth(this.#reporters(counts), this.#clock.now());
  }

  /** How late the event loop came to its timer at worst, in the last 30 s. */
  worstLagMs(): number {
    return this.#loop.worstLagMs(this.#clock.now());
  }

  close(): void {
    this.#loop.close();
    this.#netlink.close();
  }
}

/** Of routes one by one, or of many alike with their number. */
export function routeCounts(routes: readonly (Pick<RouteCount, 'state'> & { readonly count?: number })[]): RouteCounts {
  const sum = (isMeant: (state: RouteCount['state']) => boolean): number =>
    routes.reduce((total, { state, count = 1 }) => total + (isMeant(state) ? count : 0), 0);
  return {
    routes: sum(() => true),
    pending: sum((state) => state === 'pending'),
    failed: sum((state) => state === 'failed'),
  };
}
