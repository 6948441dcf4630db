import { isDeepStrictEqual } from 'node:util';
import type { CloseHow, Speaker, SpeakerSettings } from '../../bird/index.ts';
import type { Dataplane } from '../../felix/index.ts';
import type { DrainRequest, NodeStatus, PodRequest, PodResult, RouteReport, SettingReport } from '../api/contract.ts';
import type { BgpApi } from '../api/bgp-routes.ts';
import type { NodeApi } from '../api/node-routes.ts';
import { readRuntimeSettings } from '../config/settings.ts';
import type { AgentSettings, RuntimeSettings } from '../config/settings.ts';
import { CALICO_PREFIX } from '../datastore/keys.ts';
import { changeKey } from '../datastore/ledger.ts';
import type { Store } from '../datastore/store.ts';
import { startSyncer } from '../datastore/syncer.ts';
import type { Syncer, SyncHandlers } from '../datastore/syncer.ts';
import { createIpam } from '../ipam/index.ts';
import type { TunnelKind } from '../ipam/index.ts';
import { formatIpAddress, formatIpv4 } from '../model/ip.ts';
import type { IpAddress } from '../model/ip.ts';
import { createResourceClient } from '../resources/index.ts';
import type { ResourceClient } from '../resources/index.ts';
import type { BgpState } from '../health/verdicts.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger, LogLevel } from '../runtime/logger.ts';
import type { Random } from '../runtime/random.ts';
import { BgpAnswers } from '../speaker/bgp-answers.ts';
import { peerStatus } from '../speaker/bgp-status.ts';
import { SpeakerKeeper } from '../speaker/speaker-keeper.ts';
import type { ChosenAddress } from './address-choice.ts';
import { calicoStatus } from './calico-node-status.ts';
import { bgpNodes } from './bgp-nodes.ts';
import type { AgentHealth } from './agent-health.ts';
import { bgpLogLevel, clusterNode, dataplaneInputs, isComputedFrom, speakerSettings } from './cluster-view.ts';
import { DatastoreLockedError } from './datastore-lock.ts';
import { FollowedCluster } from './followed-cluster.ts';
import { LeakCollector } from './leak-collector.ts';
import { leaksOf } from './leaks.ts';
import type { Leak } from './leaks.ts';
import { agentBackground } from './background.ts';
import { ownRoutes } from './own-routes.ts';
import { CALICO_PEER_DEFAULTS, computePeers } from './peers.ts';
import type { Omitted } from './peers.ts';
import { createPods } from './pods.ts';
import type { Pods } from './pods.ts';
import { SecretFiles } from './secret-files.ts';
import { addressReport, dataplaneReport, datastoreReport, natReport, routeReport } from './status.ts';
import { StatusAnswers } from './status-answers.ts';
import { TunnelAddresses } from './tunnel-addresses.ts';
import { unmetWishes } from './unmet.ts';
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
  readonly settingProblem: () => string | undefined;
  /** Told once, where the agent cannot go on. */
  readonly onFatal: (error: Error) => void;
  /** Somebody asked the agent to leave the cluster's routing for good. */
  readonly onStopped: () => void;
}

const TUNNEL_RETRY_MS = 5_000;

/**
 * The one place that knows both sides. Every change, of the datastore or of bird's routes, leads to one computation over
 * all that is known; its results are handed over whole, and bird and felix find the difference themselves.
 */
export class Agent implements BgpApi, NodeApi {
  readonly #settings: AgentSettings;
  readonly #ports: AgentPorts;
  readonly #resources: ResourceClient;
  #syncer: Syncer | undefined;
  #addresses: readonly ChosenAddress[] | undefined;
  readonly #speakers: SpeakerKeeper;
  readonly #pods: Pods;
  readonly #secrets: SecretFiles;
  readonly #answers: StatusAnswers;
  readonly #followed: FollowedCluster;
  #runtime: RuntimeSettings;
  readonly #startedAt: number;
  readonly #reported = new Set<string>();
  readonly bgp: BgpAnswers;
  #omitted: readonly Omitted[] = [];
  #unmet: readonly string[] = [];
  #isScheduled = false;
  #isClosed = false;
  readonly #tunnels: TunnelAddresses;
  readonly #unwantedBlocks: UnwantedBlocks;
  readonly #leaks: LeakCollector;
  readonly #assigned = new Map<TunnelKind, IpAddress>();
  #isSettlingTunnels = false;
  #stopTunnelRetry: () => void = () => undefined;

  constructor(settings: AgentSettings, ports: AgentPorts) {
    const { store, clock, random, log, node } = ports;
    this.#settings = settings;
    this.#ports = ports;
    this.#startedAt = clock.wallTime();
    this.#resources = createResourceClient(store);
    const ipam = createIpam(store, { clock, random });
    this.#tunnels = new TunnelAddresses({
      ipam,
      resources: this.#resources,
      carry: (kind, address) => this.#carryTunnelAddress(kind, address),
    });
    this.#unwantedBlocks = new UnwantedBlocks({ ipam, clock, log, again: () => this.#schedule() });
    this.#followed = new FollowedCluster({
      ...{ node, log, told: settings.told },
      onMistake: (message, fields) => this.#sayOnce(message, fields),
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
    this.#secrets = new SecretFiles({ directory, clock, onChange: () => this.#schedule() });
    this.#speakers = new SpeakerKeeper({
      createSpeaker: ports.createSpeaker,
      clock,
      log,
      onRoutesChange: () => this.#schedule(),
      onFatal: ports.onFatal,
    });
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
        omitted: () => this.#omitted,
        routes: () => this.routes(),
      }),
    );
    this.#pods = createPods({
      node,
      clock,
      ipam,
      dataplane: ports.dataplane,
      resources: this.#resources,
      knowledge: () => this.#followed.knowledge(),
      hasInterface: ports.hasInterface,
    });
    this.#leaks = new LeakCollector({
      ...{ graceMs: settings.leakGraceMs, clock, log, leaks: () => this.#leaksNow() },
      release: (leaks) => this.#pods.collect(leaks),
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
      onSnapshot: ({ entries }) => {
        this.#answers.snapshot(entries.values());
        this.#schedule();
      },
      onChanges: (changes) => {
        this.#answers.changes(changes);
        const { blocks } = this.#followed.knowledge();
        if (changes.some((change) => isComputedFrom(changeKey(change), blocks))) this.#schedule();
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
    const { node, version, dataplane, clock } = this.#ports;
    const { speaker } = this.#speakers;
    const self = this.#followed.knowledge().resources.Node.get(node);
    const own = self === undefined ? undefined : clusterNode(self);
    const address = (own?.address ?? own?.ipv6?.address)?.address;
    const bgp = this.#speakerSettings(false);
    return {
      node,
      version,
      pid: process.pid,
      startedAt: new Date(this.#startedAt).toISOString(),
      bgp: {
        asn: bgp?.asn ?? 0,
        bgpIdentifier: formatIpv4(bgp?.bgpIdentifier ?? 0),
        address: address === undefined ? '' : formatIpAddress(address),
        converged: speaker?.isConverged() ?? false,
        peers: (speaker?.peers() ?? []).map(peerStatus),
      },
      ...(this.#addresses && { addresses: this.#addresses.map(addressReport) }),
      datastore: {
        type: this.#settings.datastore.type,
        ...datastoreReport(this.#syncer?.view(), clock),
        ...(this.#followed.isLocked() && { locked: true }),
      },
      dataplane: dataplaneReport(dataplane),
      nat: dataplane.nat().map(natReport),
      unmet: this.#unmet,
      ...(this.#settings.leakGraceMs > 0 && { leaks: this.#leaks.report() }),
      health: this.#ports.health.report(),
      settingProblems: this.#settingProblems(),
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
    if (how.kind !== 'drain') this.#isClosed = true;
    await this.#speakers.close(how);
    this.#isClosed = true;
    this.#stopTunnelRetry();
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

  /** Many changes in one turn of the event loop are one computation. */
  #speakerSettings(restarting: boolean): SpeakerSettings | undefined {
    const { hasIpv6 } = this.#ports;
    return speakerSettings(this.#followed.knowledge(), { ...this.#settings, hasIpv6, restarting });
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isClosed) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      const view = this.#syncer?.view();
      if (this.#isClosed || view?.inSync !== true) return;
      try {
        this.#followed.look(view);
        this.#recompute();
      } catch (error) {
        this.#ports.onFatal(error as Error);
      }
    });
  }

  #settingProblems(): readonly string[] {
    const other = this.#ports.settingProblem();
    return [...this.#followed.settingProblems(), ...(other === undefined ? [] : [other])];
  }

  /** Told before all else that is computed: the first inputs of the dataplane are already for the settings as they are. */
  #apply(settings: RuntimeSettings): void {
    if (!isDeepStrictEqual(settings.felix, this.#runtime.felix)) this.#ports.dataplane.configure(settings.felix);
    this.#runtime = settings;
    this.#ports.onRuntimeSettings(settings);
  }

  #recompute(): void {
    const { node, dataplane, onBgpLogLevel } = this.#ports;
    const { resources } = this.#followed.knowledge();
    // Locked before anything was known of it.
    if (this.#followed.isLocked() && resources.Node.size === 0) return;
    const settings = this.#speakerSettings(dataplane.adoptedRoutes() > 0);
    if (settings === undefined) {
      this.#sayOnce(
        'this node has no Node resource with an address in the datastore: sessions and routes stay as they are',
        { node },
      );
      return;
    }
    onBgpLogLevel(bgpLogLevel(this.#followed.knowledge()));
    const peers = computePeers(resources, node, {
      ...CALICO_PEER_DEFAULTS,
      holdSeconds: this.#settings.bgp.holdSeconds,
      passwords: this.#secrets.lookup(),
    });
    this.#omitted = peers.omitted;
    this.#unmet = unmetWishes(resources, bgpNodes(resources).get(node), peers);
    for (const { isMeant, ...each } of peers.omitted) {
      if (isMeant === true) this.#sayOnce('a BGP peer is left out, as the resources say', each, 'info');
    }
    for (const wish of this.#unmet) this.#sayOnce('what a resource asks for is not done', { wish });
    this.#speakers.update({
      settings,
      peers: peers.peers,
      originated: ownRoutes(this.#followed.knowledge()).originated,
    });
    // Until the speaker listens nothing is written: a port that is taken ends the agent before it changed the host.
    if (this.#speakers.speaker === undefined) return;
    this.#updateDataplane();
    this.#settleTunnels();
    if (!this.#followed.isLocked()) this.#unwantedBlocks.settle(this.#followed.knowledge());
  }

  #updateDataplane(): void {
    const { speaker } = this.#speakers;
    if (speaker === undefined) return;
    const learned = { routes: speaker.learnedRoutes(), complete: speaker.isConverged() };
    const inputs = dataplaneInputs(this.#followed.knowledge(), learned, this.#assigned);
    if (inputs !== undefined) this.#ports.dataplane.update(inputs);
  }

  /** Others send to a tunnel address as soon as they hear of it, so the device has it first. */
  async #carryTunnelAddress(kind: TunnelKind, address: IpAddress): Promise<void> {
    this.#assigned.set(kind, address);
    this.#updateDataplane();
    await this.#ports.dataplane.settled();
  }

  /** Of a view that is old, or that lacks an endpoint because nobody can read it, an address is not called leaked. */
  #leaksNow(): readonly Leak[] | undefined {
    const view = this.#syncer?.view();
    const isEvidence = view?.inSync === true && view.stale === undefined && this.#followed.isWhole();
    return isEvidence && !this.#followed.isLocked() ? leaksOf(view.entries, this.#followed.knowledge()) : undefined;
  }

  /** One at a time; what it writes comes back as a change, and so once more through here until nothing is left to do. */
  #settleTunnels(): void {
    if (this.#isSettlingTunnels || this.#followed.isLocked()) return;
    this.#isSettlingTunnels = true;
    const { clock, log } = this.#ports;
    const known = this.#followed.knowledge();
    void this.#tunnels
      .settle(known)
      // What was given is in the Node resource by now, or no longer ours: from here on that counts alone.
      .then(() => this.#assigned.clear())
      .catch((error: unknown) => {
        log.warn({ error: (error as Error).message }, 'no tunnel address yet; will try again');
        this.#stopTunnelRetry = clock.after(TUNNEL_RETRY_MS, () => this.#schedule());
      })
      .finally(() => {
        this.#isSettlingTunnels = false;
        // What changed meanwhile was not looked at.
        if (this.#followed.knowledge() !== known) this.#schedule();
      });
  }

  /** An operator's mistake is told once, not at every change of something else. */
  #sayOnce(message: string, fields: object, level: 'info' | 'warn' = 'warn'): void {
    const what = JSON.stringify([message, fields]);
    if (this.#reported.has(what)) return;
    if (this.#reported.size > 1000) this.#reported.clear();
    this.#reported.add(what);
    this.#ports.log[level](fields, message);
  }
}
