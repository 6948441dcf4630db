import type { HealthReport } from '../api/contract.ts';
import { startHealthServer } from '../api/health-server.ts';
import { startMetricsServer } from '../api/metrics-server.ts';
import type { TcpPlace } from '../api/tcp-listener.ts';
import type { RuntimeSettings } from '../config/settings.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import type { AgentMetrics } from './agent-metrics.ts';
import { TcpListener } from './tcp-listener.ts';

export interface TcpAnswersPorts {
  readonly report: () => HealthReport;
  readonly metrics: Pick<AgentMetrics, 'scrape'>;
  readonly clock: Clock;
  readonly log: Logger;
}

type Wanted = Pick<RuntimeSettings, 'health' | 'metrics'>;

/** What an agent answers over TCP, where its settings want it: the probes, and the metrics. */
export class TcpAnswers {
  readonly #probes: TcpListener;
  readonly #metrics: TcpListener;
  #wanted: Wanted = {};

  constructor({ report, metrics, clock, log }: TcpAnswersPorts) {
    this.#probes = new TcpListener({
      ...{ what: 'the probes', clock, log },
      start: (place) => startHealthServer(place, report),
    });
    this.#metrics = new TcpListener({
      ...{ what: 'the metrics', clock, log },
      start: (place) =>
        startMetricsServer(place, async () => {
          try {
            return await metrics.scrape(this.#wanted.metrics ?? NOTHING_MORE);
          } catch (error) {
            log.error({ error }, 'the metrics could not be gathered');
            throw error;
          }
        }),
    });
  }

  /**
   * At the start of the agent. Throws one sentence where the probes cannot be answered: a kubelet would end an agent that is
   * well. Without metrics a node does its work, so these are told of and tried again.
   */
  async open(wanted: Wanted): Promise<void> {
    this.#wanted = wanted;
    await this.#probes.open(wanted.health);
    this.#metrics.change(placeOf(wanted));
    await this.#metrics.settled();
  }

  change(wanted: Wanted): void {
    this.#wanted = wanted;
    this.#probes.change(wanted.health);
    this.#metrics.change(placeOf(wanted));
  }

  /** Why these are not answered where they should be, one sentence each. */
  problems(): readonly string[] {
    return [this.#probes.problem(), this.#metrics.problem()].filter((problem) => problem !== undefined);
  }

  async close(): Promise<void> {
    await this.#metrics.close();
    await this.#probes.close();
  }
}

const placeOf = ({ metrics }: Wanted): TcpPlace | undefined =>
  metrics && { port: metrics.port, ...(metrics.host !== undefined && { host: metrics.host }) };

/** Of a scrape that the end of the metrics overtook. */
const NOTHING_MORE = { process: false, runtime: false };
