/** What /metrics tells: all that is known at the moment of the scrape, gathered in turns that are short. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { PeerView, Speaker } from '../../bird/index.ts';
import type { Dataplane } from '../../felix/index.ts';
import type { Exposition } from '../api/metrics-server.ts';
import type { MetricsSettings } from '../config/settings.ts';
import type { SyncCounts, SyncView } from '../datastore/syncer.ts';
import { loadExposition } from '../metrics/exposition.ts';
import type { Expose } from '../metrics/exposition.ts';
import type { AgentMoment, BgpMoment, ClusterMoment, Moment, PeerMoment } from '../metrics/moment.ts';
import { poolUsage } from '../metrics/pool-usage.ts';
import { readProcess, readRuntime } from '../metrics/process.ts';
import type { Clock } from '../runtime/clock.ts';
import { peerAddress } from '../speaker/bgp-status.ts';
import type { AgentHealth } from './agent-health.ts';
import { routeCounts } from './agent-health.ts';
import type { Knowledge } from './cluster-view.ts';

export interface AgentMetricsPorts {
  readonly node: string;
  readonly version: string;
  readonly clock: Clock;
  readonly dataplane: Pick<Dataplane, 'tally' | 'health' | 'repairs' | 'nat'>;
  readonly health: Pick<AgentHealth, 'report' | 'worstLagMs'>;
}

/** What an agent knows at a moment. */
export interface AgentKnowledge {
  /** Undefined until the datastore is followed. */
  readonly view: SyncView | undefined;
  readonly counts: SyncCounts;
  readonly isLocked: boolean;
  readonly knowledge: Knowledge;
  /** Undefined until it listens. */
  readonly speaker: Pick<Speaker, 'isConverged' | 'peers' | 'tables' | 'explainPeer'> | undefined;
  readonly unmet: number;
  readonly settingProblems: number;
}

/** To say why a session is down takes a tenth of a millisecond; of so many, a turn. */
const PEERS_PER_TURN = 32;

/** Answers from before the datastore is there on, as the probes do. */
export class AgentMetrics {
  readonly #ports: AgentMetricsPorts;
  #agent: () => AgentKnowledge | undefined = () => undefined;
  #expose: Expose | undefined;

  constructor(ports: AgentMetricsPorts) {
    this.#ports = ports;
  }

  attend(agent: () => AgentKnowledge): void {
    this.#agent = agent;
  }

  /** The first time it loads the library, too. */
  async scrape(which: Pick<MetricsSettings, 'process' | 'runtime'>): Promise<Exposition> {
    this.#expose ??= await loadExposition();
    return this.#expose(await this.#moment(which));
  }

  async #moment(which: Pick<MetricsSettings, 'process' | 'runtime'>): Promise<Moment> {
    const { node, version, clock, dataplane, health } = this.#ports;
    // What takes time comes first, so that all the rest is of one moment.
    const tally = await dataplane.tally();
    const agent = this.#agent();
    const bgp = agent?.speaker && (await bgpMoment(agent.speaker));
    const ofProcess = which.process ? await readProcess() : undefined;
    return {
      ...{ node, version, now: clock.now(), wallTime: clock.wallTime() },
      ...{ health: health.report(routeCounts(tally.routes)), worstLagMs: health.worstLagMs() },
      dataplane: { tally, health: dataplane.health(), repairs: dataplane.repairs(), nat: dataplane.nat() },
      ...(agent !== undefined && { agent: agentMoment(agent, bgp) }),
      ...(ofProcess !== undefined && { process: ofProcess }),
      ...(which.runtime && { runtime: readRuntime() }),
    };
  }
}

function agentMoment(agent: AgentKnowledge, bgp: BgpMoment | undefined): AgentMoment {
  const { view, counts, isLocked, knowledge, unmet, settingProblems } = agent;
  const { resources, blocks, lent = [] } = knowledge;
  return {
    datastore: { ...(view !== undefined && { view }), counts, isLocked },
    ...(bgp !== undefined && { bgp }),
    cluster: clusterMoment(knowledge),
    pools: poolUsage({ entries: view?.entries ?? new Map(), blocks, pools: resources.IPPool }),
    ...{ lentAddresses: lent.length, unmet, settingProblems },
  };
}

function clusterMoment({ node, resources: { Node, WorkloadEndpoint, HostEndpoint } }: Knowledge): ClusterMoment {
  const here = [...WorkloadEndpoint.values(), ...HostEndpoint.values()].filter(({ spec }) => spec.node === node);
  return {
    nodes: Node.size,
    workloadEndpoints: WorkloadEndpoint.size,
    hostEndpoints: HostEndpoint.size,
    localEndpoints: here.length,
  };
}

async function bgpMoment(speaker: NonNullable<AgentKnowledge['speaker']>): Promise<BgpMoment> {
  const peers: PeerMoment[] = [];
  for (const view of speaker.peers()) {
    if (peers.length % PEERS_PER_TURN === PEERS_PER_TURN - 1) await nextTurn();
    const cause = shouldBeUp(view)
      ? speaker.explainPeer(view.settings.address, view.settings.interface)?.cause
      : undefined;
    peers.push({ peer: peerAddress(view.settings), view, ...(cause !== undefined && { cause }) });
  }
  return { isConverged: speaker.isConverged(), peers, tables: speaker.tables() };
}

const shouldBeUp = ({ state, settings }: PeerView): boolean =>
  state !== 'Established' && settings.shutdown === undefined;
