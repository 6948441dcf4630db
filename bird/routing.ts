import type { IpFamily } from '../src/model/ip.ts';
import { isSame } from '../src/model/same.ts';
import type { Negotiated } from './peer/negotiate.ts';
import { importContext } from './policy/import.ts';
import { AdjRibIn } from './rib/adj-rib-in.ts';
import { AttributeCache } from './rib/attribute-cache.ts';
import { decisionProcess, selectBest } from './rib/decision.ts';
import { Lane } from './rib/lane.ts';
import type { RibMemory } from './rib/lane.ts';
import type { SettleListener, ShortWay } from './rib/loc-rib.ts';
import { LocRib } from './rib/loc-rib.ts';
import { PathTable } from './rib/path-table.ts';
import { PrefixTable } from './rib/prefix-table.ts';
import type { UpdateSink } from './rib/update-reader.ts';
import { candidateOf } from './routing/candidate.ts';
import { Chores } from './routing/chores.ts';
import { Exports } from './routing/exports.ts';
import type { Telling } from './routing/exports.ts';
import { ImportPolicy, importKey } from './routing/import-policy.ts';
import { Imports } from './routing/imports.ts';
import { originate } from './routing/originated.ts';
import { FAMILIES, newPeer, originOf } from './routing/peer.ts';
import type {
  FamilyTables,
  PerFamily,
  RoutingCore,
  RoutingListener,
  RoutingPeer,
  RoutingSettings,
} from './routing/peer.ts';
import { nextRefresh } from './routing/refresh.ts';
import { LOCAL_SOURCE, Sources } from './routing/sources.ts';
import type { OriginatedRoute, PeerSettings } from './settings.ts';
import { canonicalAttributes } from './wire.ts';

export { FAMILIES } from './routing/peer.ts';
export type { LimitReached, RoutingListener, RoutingPeer } from './routing/peer.ts';
export { LOCAL_SOURCE } from './routing/sources.ts';

/** More paths than this of one peer for one prefix are not used. */
export const MAX_LANES = 64;

/** All routing tables of the speaker: Adj-RIB-In per peer → decision → Adj-RIB-Out per peer. Knows no session and no time. */
export class Routing {
  readonly attributes: AttributeCache;
  readonly tables: PerFamily<FamilyTables>;
  /** For those who ask and change nothing. */
  readonly core: RoutingCore;
  readonly exports: Exports;
  readonly #listener: RoutingListener;
  readonly #imports: Imports;

  constructor(settings: RoutingSettings, listener: RoutingListener) {
    this.#listener = listener;
    this.attributes = new AttributeCache(canonicalAttributes, settings.seed);
    this.tables = { 4: this.#makeTables(4, settings), 6: this.#makeTables(6, settings) };
    this.core = {
      settings,
      listener,
      attributes: this.attributes,
      tables: this.tables,
      sources: new Sources<RoutingPeer>(),
      chores: new Chores(),
      speaker: { clusterId: settings.clusterId, isDraining: false, ownBlocks: { 4: [], 6: [] } },
      work: () => {
        if (this.#hasWork() || this.exports.hasDue) listener.workWaits();
      },
    };
    this.#imports = new Imports(this.core);
    this.exports = new Exports(this.core);
  }

  /** Whose path a source is; undefined: this node's, or nobody's. */
  peer(source: number): RoutingPeer | undefined {
    return this.core.sources.peer(source);
  }

  addPeer(settings: PeerSettings): RoutingPeer {
    const { sources } = this.core;
    const index = sources.next;
    const tableOf = (family: IpFamily): AdjRibIn =>
      new AdjRibIn(this.#makeLane(family, index), (at) =>
        at < MAX_LANES ? this.#makeLane(family, sources.claim(peer, at)) : undefined,
      );
    const peer = newPeer(index, settings, {
      adjRibIn: { 4: tableOf(4), 6: tableOf(6) },
    });
    sources.claim(peer, 0);
    this.#imports.add(peer);
    return peer;
  }

  /**
   * Other settings for a peer that stays. What they change of what import, selection and export make of routes is worked
   * out behind the changes, from the routes as they were received; the peer is told differences alone.
   */
  adjustPeer(peer: RoutingPeer, settings: PeerSettings): void {
    const before = peer.settings;
    peer.settings = settings;
    const isOtherLimit = !isSame(before.prefixLimits, settings.prefixLimits);
    if (isOtherLimit) for (const family of FAMILIES) peer.limitStages[family] = 'within';
    if (this.#renewImport(peer) || isOtherLimit) this.#imports.judgeAgain(peer);
    if (before.routeReflectorClient !== settings.routeReflectorClient) this.#sourceChanged(peer);
    this.exports.retarget(peer);
  }

  /** We become a route reflector, one of another cluster, or none; no session notices. RFC 4456. */
  setClusterId(clusterId: number | undefined): void {
    this.core.speaker.clusterId = clusterId;
    for (const peer of this.core.sources.peers()) {
      if (peer.importSession !== undefined) peer.importSession = { ...peer.importSession, clusterId };
      if (this.#renewImport(peer)) this.#imports.judgeAgain(peer);
      this.exports.retarget(peer);
    }
  }

  /** Every peer is told everything anew, as the last choice; whoever comes later hears it so at once. RFC 8326. */
  setDraining(isDraining: boolean): void {
    this.core.speaker.isDraining = isDraining;
    for (const peer of this.core.sources.peers()) this.exports.retarget(peer);
  }

  /**
   * All its routes go, behind the changes. Selection for each is done out of turn, so that nothing refers to its sources
   * when they are given away again.
   */
  removePeer(peer: RoutingPeer): void {
    this.sessionDown(peer);
    const intakes = this.#imports.remove(peer);
    const own = this.core.sources.retire(peer);
    const clear = (family: IpFamily, end: () => void): void => {
      const { prefixes, locRib } = this.tables[family];
      const visit = (prefix: number): number => {
        const isAny = intakes[family].remove(prefix) || own.some((source) => locRib.refersTo(prefix, source));
        if (isAny) locRib.settleNow(prefix, this.#settling(family));
        return Number(isAny);
      };
      this.core.chores.add({ rows: () => prefixes.capacity, visit, end });
    };
    clear(4, () => clear(6, () => this.#releaseSources(peer, own)));
    this.core.work();
  }

  /** The session is up: what it may import is known, and everything is due to be told. `localAddress`: 4 or 16 octets. */
  sessionUp(peer: RoutingPeer, negotiated: Negotiated, localAddress: Uint8Array): void {
    const before = peer.identity;
    const { peerIdentifier, external, peerAsn } = negotiated;
    peer.session = { negotiated, localAddress };
    peer.identity = { bgpIdentifier: peerIdentifier, external };
    peer.importSession = {
      bgpIdentifier: this.core.settings.bgpIdentifier,
      clusterId: this.core.speaker.clusterId,
      peerAsn,
      external,
      localAddress,
    };
    peer.complaints.clear();
    for (const family of FAMILIES) peer.limitStages[family] = 'within';
    if (this.#renewImport(peer)) this.#imports.judgeAgain(peer);
    const isOther = before.bgpIdentifier !== peerIdentifier || before.external !== external;
    if (isOther) peer.origin = originOf(peer);
    if (before.bgpIdentifier !== 0 && isOther) this.#sourceChanged(peer);
    this.exports.sessionUp(peer);
  }

  sessionDown(peer: RoutingPeer): void {
    this.exports.sessionDown(peer);
    peer.importPolicy?.clear();
    peer.session = undefined;
  }

  /** Where the UPDATEs of this peer go, once `sessionUp` was told. */
  sinkFor(peer: RoutingPeer): UpdateSink {
    return this.#imports.sinkFor(peer);
  }

  flush(peer: RoutingPeer, family: IpFamily): void {
    this.#imports.of(peer, family).flush();
    this.core.work();
  }

  sweepStale(peer: RoutingPeer, family: IpFamily): void {
    this.#imports.of(peer, family).sweepStale();
    this.core.work();
  }

  /**
   * The restart time is over and the peer is not done: of what is stale goes what carries NO_LLGR, the rest is used with
   * LLGR_STALE, and so preferred least. What is so already stays as it is. RFC 9494 §4.2.
   */
  startLongLived(peer: RoutingPeer, family: IpFamily): void {
    this.#imports.of(peer, family).startLongLived();
    this.core.work();
  }

  /** The whole set of routes of this node. Selected at once, for they win whatever the peers say and however selection stands. */
  setOriginated(routes: readonly OriginatedRoute[]): void {
    originate(this.core, routes, (family, prefix) => {
      this.tables[family].locRib.settleNow(prefix, this.#settling(family));
    });
    this.#imports.setOwnBlocks(routes);
    this.core.work();
  }

  /** Whether what needs no decision is selected before `settle` comes to it; not while selection is deferred after our restart. */
  selectAtOnce(isAtOnce: boolean): void {
    for (const family of FAMILIES) {
      this.tables[family].locRib.selectAtOnce(isAtOnce ? this.#settling(family) : undefined);
    }
  }

  /** Does some of what is due, at most so many rows of each kind; true where there is more. */
  settle(limit: number): boolean {
    this.core.chores.run(limit);
    for (const family of FAMILIES) this.tables[family].locRib.settle(limit, this.#settling(family));
    return this.#hasWork();
  }

  /** The part of `settle` that needs no selection: what policy that has changed makes of routes. */
  doChores(limit: number): boolean {
    this.core.chores.run(limit);
    return this.core.chores.hasWork;
  }

  /** There is enough of what `tidy` gives back. */
  get isUntidy(): boolean {
    return FAMILIES.some((family) => {
      const { prefixes, locRib, paths } = this.tables[family];
      return prefixes.isUntidy || locRib.isUntidy || paths.isIdle;
    });
  }

  /**
   * Gives back what routes took that are gone, looking at no more than `rows` rows; true where there is more. For when nothing
   * is due: what comes back soon finds its place.
   */
  tidy(rows: number): boolean {
    if (this.#hasWork()) return false;
    for (const family of FAMILIES) {
      const { prefixes, locRib, paths } = this.tables[family];
      if (prefixes.tidy(rows)) return true;
      locRib.shorten();
      paths.shorten();
    }
    this.exports.shorten();
    return false;
  }

  /** Tells the groups of peers some of what was selected; see `Exports.tell`. */
  tell(leaveBehind: boolean): Telling {
    return this.exports.tell(leaveBehind);
  }

  /** The next UPDATEs for a peer alone, one behind the other; undefined where it knows all or is told with its group. */
  nextUpdate(peer: RoutingPeer, family: IpFamily): Uint8Array | undefined {
    return this.exports.nextUpdate(peer, family);
  }

  /** What follows when there is no UPDATE, and End-of-RIB was sent: the answer to a refresh, or undefined. */
  nextRefresh(peer: RoutingPeer, family: IpFamily): Uint8Array | undefined {
    return nextRefresh(this.exports, peer, family);
  }

  /** Whether `nextUpdate` has something for the peer, or selection may find something. */
  hasNewsFor(peer: RoutingPeer): boolean {
    return this.exports.hasNewsFor(peer) || this.#hasWork();
  }

  /** The peer asked for everything again; one wish, however often it asks. RFC 2918 §4. */
  refresh(peer: RoutingPeer, family: IpFamily): void {
    if (!peer.exportGroups.has(family)) return;
    peer.refreshDue.add(family);
    this.#listener.hasNews(peer);
  }

  #releaseSources(peer: RoutingPeer, own: readonly number[]): void {
    for (const source of own) {
      for (const family of FAMILIES) this.tables[family].locRib.removeSource(source);
      this.core.sources.release(source);
    }
    // One that never had a session left nothing there.
    if (peer.identity.bgpIdentifier !== 0) this.exports.forget();
  }

  #hasWork(): boolean {
    return this.core.chores.hasWork || FAMILIES.some((family) => this.tables[family].locRib.hasDirty);
  }

  #memory(family: IpFamily): RibMemory {
    return { prefixes: this.tables[family].prefixes, attributes: this.attributes };
  }

  #makeLane(family: IpFamily, source: number): Lane {
    const lane = new Lane(source, this.#memory(family));
    this.tables[family].locRib.addSource(source, lane);
    return lane;
  }

  #makeTables(family: IpFamily, settings: RoutingSettings): FamilyTables {
    const prefixes = new PrefixTable(family, settings.seed + family);
    const memory = { prefixes, attributes: this.attributes };
    const process = decisionProcess(settings.decision);
    const locRib = new LocRib(memory, {
      own: LOCAL_SOURCE,
      candidateOf: (source, attributes, prefix) => candidateOf(this.core, family, { source, attributes, prefix }),
      select: (candidates) => selectBest(candidates, process),
      short: settings.decision?.aigp === true ? undefined : this.#shortWay(settings),
      hearsOfAll: () => this.exports.hasPathReceivers(family),
    });
    const originated = new Lane(LOCAL_SOURCE, memory);
    locRib.addSource(LOCAL_SOURCE, originated);
    return { prefixes, locRib, paths: new PathTable(prefixes), originated };
  }

  #shortWay({ decision }: RoutingSettings): ShortWay {
    return { peerOf: (source) => this.peer(source), alwaysCompareMed: decision?.alwaysCompareMed === true };
  }

  #settling(family: IpFamily): SettleListener {
    const tellPaths = (prefix: number): void => this.exports.pathsChanged(family, prefix);
    return {
      bestChanged: (prefix) => {
        this.#listener.routesChanged();
        this.exports.bestChanged(family, prefix);
      },
      bestsChanged: (prefixes, count) => {
        this.#listener.routesChanged();
        this.exports.bestsChanged(family, prefixes, count);
      },
      equalsChanged: () => this.#listener.routesChanged(),
      settled: this.exports.hasPathReceivers(family) ? tellPaths : undefined,
    };
  }

  /** Import as the peer's settings and its last session have it; true where routes were judged by another before. */
  #renewImport(peer: RoutingPeer): boolean {
    if (peer.importSession === undefined) return false;
    const context = importContext(peer.settings, peer.importSession);
    const key = importKey(peer.settings, context);
    if (peer.importPolicy?.key === key) return false;
    const before = peer.importPolicy;
    before?.clear();
    peer.importPolicy = new ImportPolicy(peer.settings, context, this.attributes);
    return before !== undefined;
  }

  /**
   * What decides about the routes of a peer beside their attributes is another: they are selected anew, and those that
   * win are judged and told anew.
   */
  #sourceChanged(peer: RoutingPeer): void {
    peer.origin = originOf(peer);
    this.exports.forget();
    for (const family of FAMILIES) {
      const { locRib } = this.tables[family];
      this.#imports.of(peer, family).walkAll('source', (lane, prefix) => {
        locRib.touch(prefix, lane.source);
        if (locRib.best(prefix)?.source === lane.source) this.exports.bestChanged(family, prefix);
      });
    }
    this.core.work();
  }
}
