import { isDeepStrictEqual } from 'node:util';
import type { CloseHow, Speaker, SpeakerSettings } from '../../bird/index.ts';
import type { Dataplane } from '../../felix/index.ts';
import type { DrainRequest, NodeStatus, PodRequest, PodResult, RouteReport, SettingReport } from '../api/contract.ts';
import type { BgpApi } from '../api/bgp-routes.ts';
import type { CniApi } from '../api/cni-route.ts';
import type { NodeApi } from '../api/node-routes.ts';
import type { CniEnvironment } from '../cni/environment.ts';
import type { CniAnswer, CniVerbs } from '../cni/verbs.ts';
import { readRuntimeSettings } from '../config/settings.ts';
import type { AgentSettings, RuntimeSettings } from '../config/settings.ts';
import { CALICO_PREFIX } from '../datastore/keys.ts';
import type { Store } from '../datastore/store.ts';
import { startSyncer } from '../datastore/syncer.ts';
import type { Syncer, SyncHandlers } from '../datastore/syncer.ts';
import { createIpam } from '../ipam/index.ts';
import type { Ipam } from '../ipam/index.ts';
import { formatIpAddress } from '../model/ip.ts';
import { createResourceClient } from '../resources/index.ts';
import type { ResourceClient } from '../resources/index.ts';
import type { BgpState } from '../health/verdicts.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger, LogLevel } from '../runtime/logger.ts';
import type { Random } from '../runtime/random.ts';
import { BgpAnswers } from '../speaker/bgp-answers.ts';
import { SpeakerKeeper } from '../speaker/speaker-keeper.ts';
import type { ChosenAddress } from './address-choice.ts';
import { calicoStatus } from './calico-node-status.ts';
import type { AgentHealth } from './agent-health.ts';
import type { AgentKnowledge } from './agent-metrics.ts';
import { knownInputs, speakerSettings } from './cluster-view.ts';
import { DataplaneFeed } from './dataplane-feed.ts';
import { DatastoreLockedError } from './datastore-lock.ts';
import { FollowedCluster } from './followed-cluster.ts';
import { keptBy } from './kept-entries.ts';
import { LeakCollector } from './leak-collector.ts';
import { releaseLeaks } from './leak-release.ts';
import { leaksOf } from './leaks.ts';
import type { Leak } from './leaks.ts';
import { agentBackground } from './background.ts';
import { createCni } from './cni.ts';
import { NewEndpoints } from './new-endpoints.ts';
import { createPods, podPorts } from './pods.ts';
import type { Pods } from './pods.ts';
import { Reconciler } from './reconciler.ts';
import { SecretFiles } from './secret-files.ts';
import { nodeStatus, routeReport } from './status.ts';
import { StatusAnswers } from './status-answers.ts';
import { ToldOnce } from './told-once.ts';
import { TunnelKeeper } from './tunnel-keeper.ts';
import { UnwantedBlocks } from './unwanted-blocks.ts';

export interface AgentPorts {
  readonly node: string;
  readonly version: string;
  readonly store: Store;
  readonly dataplane: Dataplane;
  /** This host's kernel speaks IPv6, as long as the process lives. */
  readonly hasIpv6: boolean;
  /** Whether the node has an interface of this name. */
  readonly hasInterface: (name: string) => boolean;
  /** Whoever made it starts and closes it. */
  readonly health: AgentHealth;
  readonly createSpeaker: (settings: SpeakerSettings) => Speaker;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly datastoreLog: Logger;
  /** What BGPConfiguration says of bird's log. */
  readonly onBgpLogLevel: (level: LogLevel) => void;
  /** What the environment and the FelixConfigurations come to, told again and again. The dataplane is told by the agent. */
  readonly onRuntimeSettings: (settings: RuntimeSettings) => void;
  /** Why something of these is not in force. */
  readonly settingProblems: () => readonly string[];
  /** Told once, where the agent cannot go on. */
  readonly onFatal: (error: Error) => void;
  /** Somebody asked the agent to leave the cluster's routing for good. */
  readonly onStopped: () => void;
}

/** The one place that knows both sides: it makes the parts, wires them, and answers for the node. What follows from a change is the reconciler's. */
export class Agent implements BgpApi, NodeApi, CniApi {
  readonly #settings: AgentSettings;
  readonly #ports: AgentPorts;
  readonly #resources: ResourceClient;
  #syncer: Syncer | undefined;
  #addresses: readonly ChosenAddress[] | undefined;
  readonly #speakers: SpeakerKeeper;
  readonly #pods: Pods;
  readonly #cni: CniVerbs;
  readonly #secrets: SecretFiles;
  readonly #answers: StatusAnswers;
  readonly #followed: FollowedCluster;
  #runtime: RuntimeSettings;
  readonly #startedAt: number;
  readonly #once: ToldOnce;
  readonly bgp: BgpAnswers;
  readonly #feed: DataplaneFeed;
  readonly #reconciler: Reconciler;
  readonly #tunnels: TunnelKeeper;
  readonly #unwantedBlocks: UnwantedBlocks;
  readonly #leaks: LeakCollector;
  readonly #newEndpoints = new NewEndpoints(() => this.#reconciler.askSoon());

  constructor(settings: AgentSettings, ports: AgentPorts) {
    const { store, clock, random, log, node } = ports;
    this.#settings = settings;
    this.#ports = ports;
    this.#startedAt = clock.wallTime();
    this.#resources = createResourceClient(store);
    this.#once = new ToldOnce(log);
    this.#feed = this.#dataplaneFeed();
    const ipam = createIpam(store, { clock, random });
    this.#tunnels = this.#tunnelKeeper(ipam);
    this.#unwantedBlocks = new UnwantedBlocks({ ipam, clock, log, again: () => this.#reconciler.askAll() });
    this.#followed = new FollowedCluster({
      ...{ node, log, told: settings.told },
      onMistake: (message, fields) => this.#once.say(message, fields),
      onSettings: (runtime) => this.#apply(runtime),
    });
    this.#runtime = readRuntimeSettings(settings.told);
    this.#answers = new StatusAnswers({
      ...{ node, clock, log, resources: this.#resources, mayWrite: () => !this.#followed.isLocked() },
      answer: (classes) => {
        const [full, now] = [this.status(), new Date(clock.wallTime()).toISOString()];
        return {
          full,
          status: calicoStatus(classes, { status: full, paths: () => this.bgp.paths('all', undefined), now }),
        };
      },
    });
    const directory = settings.bgp.passwordDirectory;
    this.#secrets = new SecretFiles({ directory, clock, onChange: () => this.#reconciler.askAll() });
    const { createSpeaker, onFatal, hasInterface } = ports;
    this.#speakers = new SpeakerKeeper({
      ...{ createSpeaker, clock, log, onFatal, onRoutesChange: () => this.#reconciler.askRoutes() },
    });
    this.#reconciler = this.#reconcilerOf();
    ports.health.attend({
      view: () => this.#syncer?.view(),
      speaker: () => this.#bgpState(),
      isLocked: () => this.#followed.isLocked(),
    });
    this.bgp = new BgpAnswers(
      agentBackground({
        speaker: () => this.#speakers.speaker,
        knowledge: () => this.#followed.knowledge(),
        isInSync: () => this.#syncer?.view().inSync === true,
        omitted: () => this.#reconciler.omitted,
        routes: () => this.routes(),
      }),
    );
    const knowledge = () => this.#followed.knowledge();
    const { dataplane } = ports;
    const newEndpoints = this.#newEndpoints;
    const pods = podPorts({ node, clock, ipam, dataplane, resources: this.#resources, knowledge, newEndpoints });
    this.#pods = createPods(pods);
    this.#cni = createCni({
      ...{ pods, clock, log, knowledge },
      isLocked: () => this.#followed.isLocked(),
      view: () => this.#syncer?.view(),
      health: () => ports.health.report(),
    });
    this.#leaks = new LeakCollector({
      ...{ graceMs: settings.leakGraceMs, clock, log, leaks: () => this.#leaksNow() },
      release: (leaks) => releaseLeaks(leaks, { ...pods, ipam, hasInterface }),
    });
  }

  #tunnelKeeper(ipam: Ipam): TunnelKeeper {
    const { clock, log, dataplane } = this.#ports;
    return new TunnelKeeper({
      ...{ ipam, resources: this.#resources, clock, log },
      knowledge: () => this.#followed.knowledge(),
      mayWrite: () => !this.#followed.isLocked(),
      onAssigned: () => {
        this.#feed.renew();
        return dataplane.settled();
      },
      onUnsettled: () => this.#reconciler.askAll(),
    });
  }

  /** Before it begins to work: the datastore is locked, and the node waits to be registered. */
  waitForUnlock(isWaiting: boolean): void {
    this.#followed.lock(isWaiting);
  }

  /** Begins to work; until then it only answers. `addresses` are those that the node was registered with. */
  start(addresses?: readonly ChosenAddress[]): void {
    this.#addresses = addresses;
    const { store, clock, random, datastoreLog } = this.#ports;
    const handlers: SyncHandlers = {
      keep: keptBy(this.#ports.node),
      onSnapshot: ({ entries }) => {
        this.#answers.snapshot(entries.values());
        this.#reconciler.changed('all');
      },
      onChanges: (changes) => {
        this.#answers.changes(changes);
        this.#reconciler.changed(changes);
      },
    };
    this.#syncer = startSyncer(store, CALICO_PREFIX, handlers, { clock, random, log: datastoreLog });
    this.#leaks.start();
  }

  /** Looked for anew since. */
  setAddresses(addresses: readonly ChosenAddress[]): void {
    this.#addresses = addresses;
  }

  status(): NodeStatus {
    const { node, version, dataplane, clock, health } = this.#ports;
    return nodeStatus({
      ...{ node, version, dataplane, clock, startedAt: this.#startedAt, datastoreType: this.#settings.datastore.type },
      ...{ knowledge: this.#followed.knowledge(), isLocked: this.#followed.isLocked(), view: this.#syncer?.view() },
      ...{ speaker: this.#speakers.speaker, speakerSettings: this.#speakerSettings(false), addresses: this.#addresses },
      ...{ unmet: this.#reconciler.unmet, settingProblems: this.#settingProblems(), health: health.report() },
      leaks: this.#settings.leakGraceMs > 0 ? this.#leaks.report() : undefined,
    });
  }

  /** For /metrics. */
  knowledge(): AgentKnowledge {
    this.#reconciler.look();
    return {
      view: this.#syncer?.view(),
      counts: this.#syncer?.counts() ?? { listed: 0, lost: 0 },
      isLocked: this.#followed.isLocked(),
      knowledge: this.#followed.knowledge(),
      speaker: this.#speakers.speaker,
      unmet: this.#reconciler.unmet.length,
      settingProblems: this.#settingProblems().length,
    };
  }

  settings(): readonly SettingReport[] {
    return this.#followed.settings();
  }

  routes(): readonly RouteReport[] {
    return this.#ports.dataplane.routes().map(routeReport);
  }

  async addPod(request: PodRequest): Promise<PodResult> {
    if (this.#followed.isLocked()) throw new DatastoreLockedError();
    return this.#pods.add(request);
  }

  async removePod(containerId: string): Promise<void> {
    if (this.#followed.isLocked()) throw new DatastoreLockedError();
    return this.#pods.remove(containerId);
  }

  cni(environment: CniEnvironment, stdin: Uint8Array): Promise<CniAnswer> {
    return this.#cni.answer(environment, stdin);
  }

  async stop(message: string): Promise<void> {
    this.#ports.log.info({ message }, 'told to leave: peers withdraw our routes now');
    await this.close({ kind: 'shutdown', message });
    this.#ports.onStopped();
  }

  async drain({ message, waitSeconds }: DrainRequest): Promise<void> {
    this.#ports.log.info({ message, waitSeconds }, 'told to drain: peers take other ways first');
    await this.close({ kind: 'drain', message, waitSeconds });
    this.#ports.onStopped();
  }

  /** Ends the sessions as told; kernel routes stay. A drain works on until it is over, and is hurried by a second call. */
  async close(how: CloseHow): Promise<void> {
    if (how.kind !== 'drain') this.#reconciler.close();
    await this.#speakers.close(how);
    this.#reconciler.close();
    this.#tunnels.close();
    this.#unwantedBlocks.close();
    this.#leaks.close();
    this.#secrets.close();
    this.#answers.close();
    await this.#syncer?.close();
  }

  #bgpState(): BgpState | undefined {
    const { speaker } = this.#speakers;
    if (speaker === undefined) return undefined;
    const peers = speaker.peers().filter(({ settings }) => settings.shutdown === undefined);
    return {
      converged: speaker.isConverged(),
      peers: peers.map(({ settings, state }) => ({
        address: formatIpAddress(settings.address),
        isUp: state === 'Established',
      })),
    };
  }

  #speakerSettings(restarting: boolean): SpeakerSettings | undefined {
    const { hasIpv6 } = this.#ports;
    return speakerSettings(this.#followed.knowledge(), { ...this.#settings, hasIpv6, restarting });
  }

  #dataplaneFeed(): DataplaneFeed {
    return new DataplaneFeed({
      ...{ dataplane: this.#ports.dataplane, newEndpoints: this.#newEndpoints },
      known: () => knownInputs(this.#followed.knowledge(), this.#tunnels.assigned()),
      speaker: () => this.#speakers.speaker,
    });
  }

  #reconcilerOf(): Reconciler {
    const { node, clock, dataplane, onBgpLogLevel, onFatal } = this.#ports;
    return new Reconciler({
      ...{ node, clock, dataplane, onBgpLogLevel, onFatal, once: this.#once, newEndpoints: this.#newEndpoints },
      ...{ followed: this.#followed, speakers: this.#speakers, feed: this.#feed },
      holdSeconds: this.#settings.bgp.holdSeconds,
      view: () => this.#syncer?.view(),
      passwords: () => this.#secrets.lookup(),
      speakerSettings: (restarting) => this.#speakerSettings(restarting),
      onTold: () => {
        this.#tunnels.settle();
        if (!this.#followed.isLocked()) this.#unwantedBlocks.settle(this.#followed.knowledge());
      },
    });
  }

  #settingProblems(): readonly string[] {
    return [...this.#followed.settingProblems(), ...this.#ports.settingProblems()];
  }

  /** Told before all else that is computed: the first inputs of the dataplane are already for the settings as they are. */
  #apply(settings: RuntimeSettings): void {
    if (!isDeepStrictEqual(settings.felix, this.#runtime.felix)) this.#ports.dataplane.configure(settings.felix);
    this.#runtime = settings;
    this.#ports.onRuntimeSettings(settings);
  }

  /** Of a view that is old, or that lacks an endpoint because nobody can read it, an address is not called leaked. */
  async #leaksNow(): Promise<readonly Leak[] | undefined> {
    this.#reconciler.look();
    const view = this.#syncer?.view();
    const isEvidence = view?.inSync === true && view.stale === undefined && this.#followed.isWhole();
    return isEvidence && !this.#followed.isLocked() ? leaksOf(view.entries, this.#followed.knowledge()) : undefined;
  }
}
