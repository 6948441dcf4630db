import type { CloseHow, Speaker, SpeakerSettings } from '../../bird/index.ts';
import type { Dataplane } from '../../felix/index.ts';
import type { DrainRequest, NodeStatus, PodRequest, PodResult, RouteReport } from '../api/contract.ts';
import type { BgpApi } from '../api/bgp-routes.ts';
import type { NodeApi } from '../api/node-routes.ts';
import type { AgentSettings } from '../config/settings.ts';
import { CALICO_PREFIX } from '../datastore/keys.ts';
import { changeKey } from '../datastore/ledger.ts';
import type { Store } from '../datastore/store.ts';
import { startSyncer } from '../datastore/syncer.ts';
import type { Syncer, SyncHandlers, SyncView } from '../datastore/syncer.ts';
import { createIpam } from '../ipam/index.ts';
import type { TunnelKind } from '../ipam/index.ts';
import { formatIpAddress, formatIpv4 } from '../model/ip.ts';
import type { IpAddress } from '../model/ip.ts';
import { createResourceClient, emptyResources, ResourceReader } from '../resources/index.ts';
import type { ResourceClient } from '../resources/index.ts';
import type { BgpState } from '../health/verdicts.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger, LogLevel } from '../runtime/logger.ts';
import type { Random } from '../runtime/random.ts';
import { BgpAnswers } from '../speaker/bgp-answers.ts';
import { peerStatus } from '../speaker/bgp-status.ts';
import { SpeakerKeeper } from '../speaker/speaker-keeper.ts';
import type { ChosenAddress } from './address-choice.ts';
import { bgpNodes } from './bgp-nodes.ts';
import type { AgentHealth } from './agent-health.ts';
import {
  bgpLogLevel,
  clusterNode,
  dataplaneInputs,
  isComputedFrom,
  lentAddresses,
  localBlocks,
  speakerSettings,
} from './cluster-view.ts';
import type { Knowledge } from './cluster-view.ts';
import { agentBackground } from './background.ts';
import { ownRoutes } from './own-routes.ts';
import { CALICO_PEER_DEFAULTS, computePeers } from './peers.ts';
import type { Omitted } from './peers.ts';
import { createPods } from './pods.ts';
import type { Pods } from './pods.ts';
import { SecretFiles } from './secret-files.ts';
import { addressReport, dataplaneReport, natReport, routeReport } from './status.ts';
import { TunnelAddresses } from './tunnel-addresses.ts';
import { unmetWishes } from './unmet.ts';

export interface AgentPorts {
  readonly node: string;
  readonly version: string;
  readonly store: Store;
  readonly dataplane: Dataplane;
  /** This host's kernel speaks IPv6, as long as the process lives. */
  readonly hasIpv6: boolean;
  /** Whoever made it starts and closes it. */
  readonly health: AgentHealth;
  readonly createSpeaker: (settings: SpeakerSettings) => Speaker;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly datastoreLog: Logger;
  /** What BGPConfiguration says of bird's log. */
  readonly onBgpLogLevel: (level: LogLevel) => void;
  /** Told once, where the agent cannot go on. */
  readonly onFatal: (error: Error) => void;
  /** Somebody asked the agent to leave the cluster's routing for good. */
  readonly onStopped: () => void;
}

const TUNNEL_RETRY_MS = 5_000;

const NOT_READ_YET = { inSync: false, revision: 0, stale: undefined };

/**
 * The one place that knows both sides. Every change, of the datastore or of bird's routes, leads to one computation over
 * all that is known; its results are handed over whole, and bird and felix find the difference themselves.
 */
export class Agent implements BgpApi, NodeApi {
  readonly #settings: AgentSettings;
  readonly #ports: AgentPorts;
  readonly #resources: ResourceClient;
  readonly #reader = new ResourceReader();
  #syncer: Syncer | undefined;
  #addresses: readonly ChosenAddress[] | undefined;
  readonly #speakers: SpeakerKeeper;
  readonly #pods: Pods;
  readonly #secrets: SecretFiles;
  readonly #startedAt: number;
  readonly #reported = new Set<string>();
  readonly bgp: BgpAnswers;
  #knowledge: Knowledge;
  #omitted: readonly Omitted[] = [];
  #unmet: readonly string[] = [];
  #isScheduled = false;
  #isClosed = false;
  readonly #tunnels: TunnelAddresses;
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
    const directory = settings.bgp.passwordDirectory;
    this.#secrets = new SecretFiles({ directory, clock, onChange: () => this.#schedule() });
    this.#knowledge = { node, resources: emptyResources(), blocks: [] };
    this.#speakers = new SpeakerKeeper({
      createSpeaker: ports.createSpeaker,
      clock,
      log,
      onRoutesChange: () => this.#schedule(),
      onFatal: ports.onFatal,
    });
    ports.health.attend({ view: () => this.#syncer?.view(), speaker: () => this.#bgpState() });
    this.bgp = new BgpAnswers(
      agentBackground({
        speaker: () => this.#speakers.speaker,
        knowledge: () => this.#knowledge,
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
      knowledge: () => this.#knowledge,
    });
  }

  /** Begins to work; until then it only answers. `addresses` are those that the node was registered with. */
  start(addresses?: readonly ChosenAddress[]): void {
    this.#addresses = addresses;
    const { store, clock, random, datastoreLog } = this.#ports;
    const handlers: SyncHandlers = {
      onSnapshot: () => this.#schedule(),
      onChanges: (changes) => {
        const { blocks } = this.#knowledge;
        if (changes.some((change) => isComputedFrom(changeKey(change), blocks))) this.#schedule();
      },
    };
    this.#syncer = startSyncer(store, CALICO_PREFIX, handlers, { clock, random, log: datastoreLog });
  }

  /** Looked for anew since. */
  setAddresses(addresses: readonly ChosenAddress[]): void {
    this.#addresses = addresses;
  }

  status(): NodeStatus {
    const { node, version, dataplane } = this.#ports;
    const { speaker } = this.#speakers;
    const self = this.#knowledge.resources.Node.get(node);
    const address = self === undefined ? undefined : clusterNode(self)?.address.address;
    const bgp = this.#speakerSettings(false);
    const { inSync, revision, stale } = this.#syncer?.view() ?? NOT_READ_YET;
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
      datastore: { type: this.#settings.datastore.type, inSync, revision, ...(stale === undefined ? {} : { stale }) },
      dataplane: dataplaneReport(dataplane),
      nat: dataplane.nat().map(natReport),
      unmet: this.#unmet,
      health: this.#ports.health.report(),
    };
  }

  routes(): readonly RouteReport[] {
    return this.#ports.dataplane.routes().map(routeReport);
  }

  addPod(request: PodRequest): Promise<PodResult> {
    return this.#pods.add(request);
  }

  removePod(containerId: string): Promise<void> {
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
    this.#secrets.close();
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
    return speakerSettings(this.#knowledge, { ...this.#settings, hasIpv6, restarting });
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isClosed) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      const view = this.#syncer?.view();
      if (this.#isClosed || view?.inSync !== true) return;
      try {
        this.#recompute(view);
      } catch (error) {
        this.#ports.onFatal(error as Error);
      }
    });
  }

  #recompute({ entries }: SyncView): void {
    const { node, dataplane, onBgpLogLevel } = this.#ports;
    const { resources, unreadable } = this.#reader.view(entries.values());
    const blocks = localBlocks(entries.values(), node);
    this.#knowledge = { node, resources, blocks, lent: lentAddresses(entries, { node, blocks }) };
    for (const { key, reason } of unreadable)
      this.#sayOnce('a stored entry cannot be used and is left out', { key, reason });
    const settings = this.#speakerSettings(dataplane.adoptedRoutes() > 0);
    if (settings === undefined) {
      this.#sayOnce(
        'this node has no Node resource with an address in the datastore: sessions and routes stay as they are',
        { node },
      );
      return;
    }
    onBgpLogLevel(bgpLogLevel(this.#knowledge));
    const peers = computePeers(resources, node, {
      ...CALICO_PEER_DEFAULTS,
      holdSeconds: this.#settings.bgp.holdSeconds,
      passwords: this.#secrets.lookup(),
    });
    this.#omitted = peers.omitted;
    this.#unmet = unmetWishes(resources, bgpNodes(resources).get(node), peers);
    for (const wish of this.#unmet) this.#sayOnce('what a resource asks for is not done', { wish });
    this.#speakers.update({ settings, peers: peers.peers, originated: ownRoutes(this.#knowledge).originated });
    // Until the speaker listens nothing is written: a port that is taken ends the agent before it changed the host.
    if (this.#speakers.speaker === undefined) return;
    this.#updateDataplane();
    this.#settleTunnels();
  }

  #updateDataplane(): void {
    const { speaker } = this.#speakers;
    if (speaker === undefined) return;
    const learned = { routes: speaker.learnedRoutes(), complete: speaker.isConverged() };
    const inputs = dataplaneInputs(this.#knowledge, learned, this.#assigned);
    if (inputs !== undefined) this.#ports.dataplane.update(inputs);
  }

  /** Others send to a tunnel address as soon as they hear of it, so the device has it first. */
  async #carryTunnelAddress(kind: TunnelKind, address: IpAddress): Promise<void> {
    this.#assigned.set(kind, address);
    this.#updateDataplane();
    await this.#ports.dataplane.settled();
  }

  /** One at a time; what it writes comes back as a change, and so once more through here until nothing is left to do. */
  #settleTunnels(): void {
    if (this.#isSettlingTunnels) return;
    this.#isSettlingTunnels = true;
    const { clock, log } = this.#ports;
    const known = this.#knowledge;
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
        if (this.#knowledge !== known) this.#schedule();
      });
  }

  /** An operator's mistake is told once, not at every change of something else. */
  #sayOnce(message: string, fields: object): void {
    const what = JSON.stringify([message, fields]);
    if (this.#reported.has(what)) return;
    if (this.#reported.size > 1000) this.#reported.clear();
    this.#reported.add(what);
    this.#ports.log.warn(fields, message);
  }
}
