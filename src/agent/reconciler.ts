import type { SpeakerSettings } from '../../bird/index.ts';
import type { Dataplane } from '../../felix/index.ts';
import { changeKey } from '../datastore/ledger.ts';
import type { Change } from '../datastore/store.ts';
import type { SyncView } from '../datastore/syncer.ts';
import type { Clock } from '../runtime/clock.ts';
import type { LogLevel } from '../runtime/logger.ts';
import type { SpeakerKeeper, SpeakerWish } from '../speaker/speaker-keeper.ts';
import { bgpNodes } from './bgp-nodes.ts';
import { bgpLogLevel } from './cluster-view.ts';
import { ComputeSchedule } from './compute-schedule.ts';
import type { DataplaneFeed } from './dataplane-feed.ts';
import type { FollowedCluster } from './followed-cluster.ts';
import type { NewEndpoints } from './new-endpoints.ts';
import { ownRoutes } from './own-routes.ts';
import { CALICO_PEER_DEFAULTS, computePeers } from './peers.ts';
import type { Omitted } from './peers.ts';
import type { PasswordLookup } from './peerings.ts';
import type { ToldOnce } from './told-once.ts';
import { unmetWishes } from './unmet.ts';
import { isIpamRecord, urgencyOf } from './urgency.ts';

export interface ReconcilerPorts {
  readonly node: string;
  readonly holdSeconds: number;
  readonly clock: Clock;
  readonly once: ToldOnce;
  /** Undefined until the datastore is followed. */
  readonly view: () => SyncView | undefined;
  readonly followed: FollowedCluster;
  readonly newEndpoints: Pick<NewEndpoints, 'has'>;
  readonly passwords: () => PasswordLookup;
  /** From what is known; undefined while this node has no address. */
  readonly speakerSettings: (restarting: boolean) => SpeakerSettings | undefined;
  readonly dataplane: Pick<Dataplane, 'ready' | 'adoptedRoutes'>;
  readonly speakers: SpeakerKeeper;
  readonly feed: DataplaneFeed;
  /** Bird and felix have been told. */
  readonly onTold: () => void;
  readonly onBgpLogLevel: (level: LogLevel) => void;
  /** An error in a computation is a bug. */
  readonly onFatal: (error: Error) => void;
}

/**
 * Level, not edge: whatever changes, of the datastore or of bird's routes, leads to one computation over all that is known, and its results are
 * handed over whole. It computes no more than what can be other: where nothing but this node's blocks is, what the speaker was told of its
 * peers stays the same object; where nothing but bird's routes is, felix alone is told.
 */
export class Reconciler {
  readonly #ports: ReconcilerPorts;
  readonly #schedule: ComputeSchedule;
  /** Something else than the blocks may be other than at the last computation. */
  #mustComputeAll = true;
  /** What the speaker was told by it, but for the routes. */
  #wish: SpeakerWish | undefined;
  #omitted: readonly Omitted[] = [];
  #unmet: readonly string[] = [];

  constructor(ports: ReconcilerPorts) {
    this.#ports = ports;
    this.#schedule = new ComputeSchedule({
      clock: ports.clock,
      all: () => this.#guarded(() => this.#compute()),
      routes: () => this.#guarded(() => this.#computeRoutes()),
      ready: () => ports.dataplane.ready(),
    });
  }

  /** BGP peers that the resources name and that are left out, each with its reason. */
  get omitted(): readonly Omitted[] {
    return this.#omitted;
  }

  /** What resources ask of this node and do not get, a sentence each. */
  get unmet(): readonly string[] {
    return this.#unmet;
  }

  /** Anything may be other. */
  askAll(): void {
    this.#mustComputeAll = true;
    this.#schedule.ask();
  }

  /** Nobody waits for what follows. */
  askSoon(): void {
    this.#schedule.askSoon();
  }

  /** The datastore's view did, by these; of most changes nothing follows here. */
  changed(changes: readonly Change[] | 'all'): void {
    this.#ports.followed.changed(changes);
    if (changes === 'all') this.askAll();
    else this.#ask(changes);
  }

  /** bird's routes changed, or there is another speaker. */
  askRoutes(): void {
    if (this.#ports.feed.canTakeRoutes) this.#schedule.askRoutes();
    else this.askAll();
  }

  /** Before somebody asks what is known: nothing is computed for it. */
  look(): void {
    const { view, followed, feed } = this.#ports;
    const now = view();
    if (now?.inSync !== true || !followed.lookIfNew(now)) return;
    // While it is locked nothing is known of the view, and of the endpoints that are in it neither.
    if (!followed.isLocked()) feed.looked(now.revision);
  }

  close(): void {
    this.#schedule.close();
  }

  #ask(changes: readonly Change[]): void {
    const { followed, newEndpoints } = this.#ports;
    const awareness = { knowledge: followed.knowledge(), isNewEndpoint: (name: string) => newEndpoints.has(name) };
    const others = changes.filter((change) => !isIpamRecord(changeKey(change)));
    if (urgencyOf(others, awareness) !== 'asked') this.#mustComputeAll = true;
    const urgency = urgencyOf(changes, awareness);
    if (urgency === 'now') this.#schedule.ask();
    else if (urgency === 'soon') this.#schedule.askSoon();
  }

  #guarded(compute: () => void): void {
    if (this.#ports.view()?.inSync !== true) return;
    try {
      compute();
    } catch (error) {
      this.#ports.onFatal(error as Error);
    }
  }

  #compute(): void {
    const { feed, followed } = this.#ports;
    this.look();
    feed.began();
    if (!this.#mustComputeAll && this.#wish !== undefined) {
      this.#tell(this.#wish, () => feed.computedBlocks(followed.knowledge()));
      return;
    }
    this.#mustComputeAll = false;
    this.#wish = this.#computeWish();
    if (this.#wish !== undefined) this.#tell(this.#wish, () => feed.computed());
  }

  /** From what the datastore says nothing new follows. */
  #computeRoutes(): void {
    const { feed } = this.#ports;
    if (feed.canTakeRoutes) feed.routesChanged();
  }

  /** Undefined: the speaker stays as it is. */
  #computeWish(): SpeakerWish | undefined {
    const { node, followed, dataplane, onBgpLogLevel, once, holdSeconds, passwords } = this.#ports;
    const { resources } = followed.knowledge();
    // Locked before anything was known of it.
    if (followed.isLocked() && resources.Node.size === 0) return undefined;
    const settings = this.#ports.speakerSettings(dataplane.adoptedRoutes() > 0);
    if (settings === undefined) {
      once.say(
        'this node has no Node resource with an address in the datastore: sessions and routes stay as they are',
        { node },
      );
      return undefined;
    }
    onBgpLogLevel(bgpLogLevel(followed.knowledge()));
    const nodes = bgpNodes(resources);
    const defaults = { ...CALICO_PEER_DEFAULTS, nodes, holdSeconds, passwords: passwords() };
    const peers = computePeers(resources, node, defaults);
    this.#omitted = peers.omitted;
    this.#unmet = unmetWishes(resources, nodes.get(node), peers);
    for (const { isMeant, ...each } of peers.omitted) {
      if (isMeant === true) once.say('a BGP peer is left out, as the resources say', each, 'info');
    }
    for (const wish of this.#unmet) once.say('what a resource asks for is not done', { wish });
    return { settings, peers: peers.peers, originated: [] };
  }

  #tell(wish: SpeakerWish, feed: () => void): void {
    const { followed, speakers, onTold } = this.#ports;
    speakers.update({ ...wish, originated: ownRoutes(followed.knowledge()).originated });
    // Until the speaker listens nothing is written: a port that is taken ends the agent before it changed the host.
    if (speakers.speaker === undefined) return;
    feed();
    onTold();
  }
}
