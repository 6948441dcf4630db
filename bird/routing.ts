import type { IpFamily } from '../src/model/ip.ts';
import type { Negotiated } from './peer/negotiate.ts';
import { addCommunity } from './policy/attributes.ts';
import type { ImportContext } from './policy/import.ts';
import { ACCEPTED, judgeAttributes, REJECTED_OWN_BLOCK } from './policy/import.ts';
import { isInside } from './policy/packed.ts';
import { exportTarget } from './policy/export.ts';
import type { ExportSource } from './policy/export.ts';
import { AdjRibIn } from './rib/adj-rib-in.ts';
import { AdjRibOut } from './rib/adj-rib-out.ts';
import { AttributeCache } from './rib/attribute-cache.ts';
import type { Candidate } from './rib/decision.ts';
import type { SettleListener } from './rib/loc-rib.ts';
import { ABSENT } from './rib/int-table.ts';
import { LocRib } from './rib/loc-rib.ts';
import { NO_PREFIX, packPrefix, PrefixTable } from './rib/prefix-table.ts';
import type { PackedPrefix } from './rib/prefix-table.ts';

import type { OriginatedRoute, PeerSettings } from './settings.ts';
import type { ExportView } from './update/export-group.ts';
import { ExportGroup, viewKey } from './update/export-group.ts';
import type { EncodedSet } from './update/pack.ts';
import { packNext } from './update/pack.ts';
import type { UpdateSink } from './rib/update-reader.ts';
import { canonicalAttributes, MAX_OCTETS } from './wire.ts';
import type { NextHopBytes } from './wire.ts';

export const FAMILIES: readonly IpFamily[] = [4, 6];

/** Index of the routes of this node among the sources. */
export const LOCAL_SOURCE = 0;

/** The tables of one family, shared by all peers. */
export interface FamilyTables {
  readonly prefixes: PrefixTable;
  readonly locRib: LocRib;
  readonly originated: AdjRibIn;
}

/** One peer as the tables know it; lives as long as the peer is configured, sessions come and go. */
export interface RoutingPeer {
  readonly index: number;
  settings: PeerSettings;
  /** For the last tie-break. */
  readonly addressValue: bigint;
  readonly adjRibIn: Readonly<Record<IpFamily, AdjRibIn>>;
  readonly adjRibOut: Readonly<Record<IpFamily, AdjRibOut>>;
  /** Of the last session too, for its routes may outlive it. */
  identity: { readonly bgpIdentifier: number; readonly external: boolean };
  importContext: ImportContext | undefined;
  /** Per family of the session that is up; empty where none is. */
  readonly exportGroups: Map<IpFamily, ExportGroup>;
}

export interface RoutingSettings {
  readonly transit: boolean;
  readonly clusterId: number | undefined;
  readonly seed: number;
}

/** What happened to the tables, for those who pass it on. */
export interface RoutingListener {
  /** A best route, or a set of equal paths, is another now. */
  routesChanged(): void;
  /** Selection is due: call `settle` soon. */
  workWaits(): void;
  /** There is something to tell this peer: call `nextUpdate` when its session has room. */
  hasNews(peer: RoutingPeer): void;
}

/** All routing tables of the speaker: Adj-RIB-In per peer → decision → Adj-RIB-Out per peer. Knows no session and no time. */
export class Routing {
  readonly attributes: AttributeCache;
  readonly tables: Readonly<Record<IpFamily, FamilyTables>>;
  readonly #settings: RoutingSettings;
  readonly #listener: RoutingListener;
  readonly #peers = new Map<number, RoutingPeer>();
  readonly #groups = new Map<string, ExportGroup>();
  readonly #scratch = new Uint8Array(MAX_OCTETS);
  #clusterId: number | undefined;
  #isDraining = false;
  #ownBlocks: Readonly<Record<IpFamily, readonly PackedPrefix[]>> = { 4: [], 6: [] };

  constructor(settings: RoutingSettings, listener: RoutingListener) {
    this.#settings = settings;
    this.#clusterId = settings.clusterId;
    this.#listener = listener;
    this.attributes = new AttributeCache(canonicalAttributes, settings.seed);
    this.tables = { 4: this.#makeTables(4), 6: this.#makeTables(6) };
  }

  peer(index: number): RoutingPeer | undefined {
    return this.#peers.get(index);
  }

  addPeer(settings: PeerSettings): RoutingPeer {
    let index = LOCAL_SOURCE + 1;
    while (this.#peers.has(index)) index++;
    const memory = (family: IpFamily) => ({ prefixes: this.tables[family].prefixes, attributes: this.attributes });
    const peer: RoutingPeer = {
      index,
      settings,
      addressValue: settings.address.words.reduce((value, word) => (value << 32n) | BigInt(word), 0n),
      adjRibIn: { 4: new AdjRibIn(memory(4)), 6: new AdjRibIn(memory(6)) },
      adjRibOut: { 4: new AdjRibOut(memory(4)), 6: new AdjRibOut(memory(6)) },
      identity: { bgpIdentifier: 0, external: false },
      importContext: undefined,
      exportGroups: new Map(),
    };
    this.#peers.set(index, peer);
    for (const family of FAMILIES) this.tables[family].locRib.addSource(index, peer.adjRibIn[family]);
    return peer;
  }

  /** Other settings for a peer that stays. */
  adjustPeer(peer: RoutingPeer, settings: PeerSettings): void {
    const { routeReflectorClient } = peer.settings;
    peer.settings = settings;
    if (routeReflectorClient !== settings.routeReflectorClient) this.#sourceChanged(peer);
    this.#retarget(peer);
  }

  /** We become a route reflector, one of another cluster, or none; the sessions do not notice. RFC 4456. */
  setClusterId(clusterId: number | undefined): void {
    if (clusterId === this.#clusterId) return;
    this.#clusterId = clusterId;
    for (const peer of this.#peers.values()) {
      if (peer.importContext !== undefined) peer.importContext = { ...peer.importContext, clusterId };
      for (const family of FAMILIES) this.#judgeAgain(peer, family, 'attributes too');
      this.#retarget(peer);
    }
  }

  /** Every peer is told everything anew, as the last choice; whoever comes later hears it so at once. RFC 8326. */
  setDraining(isDraining: boolean): void {
    this.#isDraining = isDraining;
    for (const peer of this.#peers.values()) this.#retarget(peer);
  }

  /** All its routes go, and selection for them is done at once, so that the index may be used again. */
  removePeer(peer: RoutingPeer): void {
    this.sessionDown(peer);
    for (const family of FAMILIES) {
      this.flush(peer, family);
      const { locRib } = this.tables[family];
      locRib.settleWhere((prefix) => locRib.refersTo(prefix, peer.index), this.#settleListener(family));
      locRib.removeSource(peer.index);
    }
    this.#peers.delete(peer.index);
    this.#forgetExports();
  }

  /** The session is up: what it may import is known, and everything is due to be told. */
  sessionUp(peer: RoutingPeer, session: Negotiated, context: ImportContext): void {
    const before = peer.identity;
    peer.identity = { bgpIdentifier: session.peerIdentifier, external: session.external };
    peer.importContext = context;
    const isOther = before.bgpIdentifier !== session.peerIdentifier || before.external !== session.external;
    if (before.bgpIdentifier !== 0 && isOther) this.#sourceChanged(peer);
    for (const family of session.families) {
      const group = this.#groupOf(this.#viewOf(peer, session, { context, family }));
      group.users++;
      peer.exportGroups.set(family, group);
      this.tables[family].locRib.forEachBest((prefix) => this.#exportTo(peer, family, prefix));
    }
  }

  sessionDown(peer: RoutingPeer): void {
    for (const group of peer.exportGroups.values()) leave(group);
    peer.exportGroups.clear();
    for (const family of FAMILIES) peer.adjRibOut[family].clear();
  }

  /** Where the UPDATEs of this peer go. */
  sinkFor(peer: RoutingPeer, context: ImportContext): UpdateSink {
    return {
      attributes: this.attributes,
      judge: (attributes) => judgeAttributes(attributes, peer.importContext ?? context),
      announce: (family, words, { attributes, rejection }) => {
        const { prefixes, locRib } = this.tables[family];
        const prefix = prefixes.intern(words.w0, words.w1, words.w2, words.w3, words.length);
        const verdict = rejection === ACCEPTED ? this.#judgePrefix(peer, family, words) : rejection;
        if (peer.adjRibIn[family].announce(prefix, attributes, verdict)) locRib.touch(prefix, peer.index);
        this.#work(locRib);
      },
      withdraw: (family, words) => {
        const { prefixes, locRib } = this.tables[family];
        const prefix = prefixes.find(words.w0, words.w1, words.w2, words.w3, words.length);
        if (prefix === NO_PREFIX) return;
        peer.adjRibIn[family].withdraw(prefix, () => locRib.touch(prefix, peer.index));
        this.#work(locRib);
      },
    };
  }

  flush(peer: RoutingPeer, family: IpFamily): void {
    this.#withdrawAll(peer, family, peer.adjRibIn[family].prefixes());
  }

  sweepStale(peer: RoutingPeer, family: IpFamily): void {
    this.#withdrawAll(peer, family, peer.adjRibIn[family].stalePrefixes());
  }

  /**
   * The restart time is over and the peer is not done: what is stale gets the community LLGR_STALE, and what must not
   * live so long goes. Routes that are long-lived stale already stay as they are. RFC 9494 §4.2.
   */
  startLongLived(peer: RoutingPeer, family: IpFamily): void {
    const { locRib } = this.tables[family];
    const adjRibIn = peer.adjRibIn[family];
    for (const prefix of adjRibIn.stalePrefixes()) {
      const attributes = this.attributes.attributes(adjRibIn.get(prefix));
      if (attributes.communities?.includes(NO_LLGR) === true) {
        adjRibIn.withdraw(prefix, () => locRib.touch(prefix, peer.index));
        continue;
      }
      const marked = this.attributes.intern(addCommunity(attributes, LLGR_STALE));
      if (adjRibIn.replace(prefix, marked)) locRib.touch(prefix, peer.index);
    }
    this.#work(locRib);
  }

  /** The whole set of routes of this node. Selected at once, for they win whatever the peers say and however selection stands. */
  setOriginated(routes: readonly OriginatedRoute[]): void {
    const own = this.attributes.intern({ origin: 'igp', asPath: [] });
    this.attributes.retain(own);
    for (const family of FAMILIES) {
      const { prefixes, locRib, originated } = this.tables[family];
      const wanted = new Set<number>();
      for (const { prefix } of routes.filter((route) => route.prefix.address.family === family)) {
        const id = prefixes.internPrefix(prefix);
        wanted.add(id);
        if (originated.announce(id, own, ACCEPTED)) locRib.touch(id, LOCAL_SOURCE);
      }
      for (const id of originated.prefixes()) {
        if (!wanted.has(id)) originated.withdraw(id, () => locRib.touch(id, LOCAL_SOURCE));
      }
      const isOurs = (id: number): boolean => originated.usable(id) !== ABSENT || locRib.refersTo(id, LOCAL_SOURCE);
      locRib.settleWhere(isOurs, this.#settleListener(family));
    }
    this.attributes.release(own);
    this.#setOwnBlocks(routes);
  }

  /** Selects for some of what is due; true where more is. */
  settle(limit: number): boolean {
    for (const family of FAMILIES) {
      this.tables[family].locRib.settle(limit, this.#settleListener(family));
    }
    return FAMILIES.some((family) => this.tables[family].locRib.hasDirty);
  }

  /** The next UPDATE for a peer whose session is up, or undefined where it knows all of this family. */
  nextUpdate(peer: RoutingPeer, family: IpFamily): Uint8Array | undefined {
    const group = peer.exportGroups.get(family);
    if (group === undefined) return undefined;
    const adjRibOut = peer.adjRibOut[family];
    const { prefixes } = this.tables[family];
    const encodedSet = (attributes: number): EncodedSet => group.encodedSet(attributes);
    return packNext({ adjRibOut, prefixes, encodedSet, scratch: this.#scratch });
  }

  /** Whether `nextUpdate` has something for the peer, or selection may find something. */
  hasNewsFor(peer: RoutingPeer): boolean {
    return [...peer.exportGroups.keys()].some(
      (family) => peer.adjRibOut[family].hasPending || this.tables[family].locRib.hasDirty,
    );
  }

  /** The peer asked for everything again. RFC 2918 §4. */
  refresh(peer: RoutingPeer, family: IpFamily): void {
    peer.adjRibOut[family].tellAgain((prefix) => this.#wantedBy(peer, family, prefix));
    this.#listener.hasNews(peer);
  }

  candidateOf(source: number, attributes: number): Candidate {
    const record = this.attributes.record(attributes);
    const peer = this.#peers.get(source);
    const { bgpIdentifier, external } = peer?.identity ?? { bgpIdentifier: 0, external: false };
    return {
      source,
      local: source === LOCAL_SOURCE,
      localPref: record.localPref,
      asPathLength: record.asPathLength,
      origin: record.origin,
      med: record.med,
      neighborAs: record.neighborAs,
      external,
      igpCost: 0, // every next hop is on a link or behind the tunnel: nobody here knows of an IGP
      routerId: record.originatorId ?? bgpIdentifier,
      clusterListLength: record.clusterListLength,
      peerAddress: peer?.addressValue ?? 0n,
    };
  }

  #makeTables(family: IpFamily): FamilyTables {
    const prefixes = new PrefixTable(family, this.#settings.seed + family);
    const locRib = new LocRib({ prefixes, attributes: this.attributes }, (source, attributes) =>
      this.candidateOf(source, attributes),
    );
    const originated = new AdjRibIn({ prefixes, attributes: this.attributes });
    locRib.addSource(LOCAL_SOURCE, originated);
    return { prefixes, locRib, originated };
  }

  #work(locRib: LocRib): void {
    if (locRib.hasDirty) this.#listener.workWaits();
  }

  #settleListener(family: IpFamily): SettleListener {
    return {
      bestChanged: (prefix) => this.#bestChanged(family, prefix),
      equalsChanged: () => this.#listener.routesChanged(),
    };
  }

  #withdrawAll(peer: RoutingPeer, family: IpFamily, prefixes: Int32Array): void {
    const { locRib } = this.tables[family];
    for (const prefix of prefixes) {
      peer.adjRibIn[family].withdraw(prefix, () => locRib.touch(prefix, peer.index));
    }
    this.#work(locRib);
  }

  /**
   * What decides about the routes of a peer beside their attributes is another: they are selected anew, and those that
   * win are judged and told anew.
   */
  #sourceChanged(peer: RoutingPeer): void {
    this.#forgetExports();
    for (const family of FAMILIES) {
      const { locRib } = this.tables[family];
      for (const prefix of peer.adjRibIn[family].prefixes()) {
        locRib.touch(prefix, peer.index);
        if (locRib.best(prefix)?.source !== peer.index) continue;
        for (const other of this.#peers.values()) this.#exportTo(other, family, prefix);
      }
      this.#work(locRib);
    }
  }

  /** Export remembers sources by index: an index that means another source must not find what the last one left. */
  #forgetExports(): void {
    for (const group of this.#groups.values()) group.clear();
  }

  /** What policy looks at for this peer may be another: it is told what differs, and nothing else. */
  #retarget(peer: RoutingPeer): void {
    for (const [family, before] of peer.exportGroups) {
      const { view } = before;
      const group = this.#groupOf({ ...view, target: { ...view.target, ...this.#adjustable(peer) } });
      if (group === before) continue;
      group.users++;
      peer.exportGroups.set(family, group);
      leave(before);
      this.tables[family].locRib.forEachBest((prefix) => this.#exportTo(peer, family, prefix));
    }
  }

  #bestChanged(family: IpFamily, prefix: number): void {
    this.#listener.routesChanged();
    for (const peer of this.#peers.values()) this.#exportTo(peer, family, prefix);
  }

  #exportTo(peer: RoutingPeer, family: IpFamily, prefix: number): void {
    if (!peer.exportGroups.has(family)) return;
    if (peer.adjRibOut[family].want(prefix, this.#wantedBy(peer, family, prefix))) this.#listener.hasNews(peer);
  }

  #wantedBy(peer: RoutingPeer, family: IpFamily, prefix: number): number | undefined {
    const best = this.tables[family].locRib.best(prefix);
    // Split horizon: whoever it came from knows it.
    if (best === undefined || best.source === peer.index) return undefined;
    return peer.exportGroups.get(family)?.exported(best.attributes, this.#exportSource(best.source), best.source);
  }

  #exportSource(index: number): ExportSource {
    const peer = this.#peers.get(index);
    if (peer === undefined) return { kind: 'local' };
    return { kind: 'peer', ...peer.identity, routeReflectorClient: peer.settings.routeReflectorClient };
  }

  /** The part of a peer's view of us that may change while its session is up. */
  #adjustable({ settings }: RoutingPeer) {
    const { nextHop, routeReflectorClient } = settings;
    return { nextHop, routeReflectorClient, clusterId: this.#clusterId, draining: this.#isDraining };
  }

  #viewOf(
    peer: RoutingPeer,
    session: Negotiated,
    { context, family }: { readonly context: ImportContext; readonly family: IpFamily },
  ): ExportView {
    const target = exportTarget(peer.settings, {
      external: session.external,
      peerAsn: session.peerAsn,
      transit: this.#settings.transit,
      localAddress: nextHopOf(context.localAddress, family),
      longLived: false,
      clusterId: this.#clusterId,
      draining: this.#isDraining,
    });
    return { target, codec: session.codec, nextHopIn: family === 4 ? 'next-hop' : 'mp-reach' };
  }

  #groupOf(view: ExportView): ExportGroup {
    const key = viewKey(view);
    const group = this.#groups.get(key) ?? new ExportGroup(view, this.attributes);
    this.#groups.set(key, group);
    return group;
  }

  /** Other nodes borrow single addresses of our blocks (Calico's IPAM) and announce them; strangers have no business there. */
  #judgePrefix({ settings }: RoutingPeer, family: IpFamily, prefix: PackedPrefix): number {
    const isInternal = settings.remoteAsn === settings.localAsn;
    return !isInternal && isInside(this.#ownBlocks[family], prefix) ? REJECTED_OWN_BLOCK : ACCEPTED;
  }

  /**
   * Routes that stand are judged again: what was accepted before a block became ours must not stay.
   * A switch is another matter: what it originates are aggregates, and their parts come from the nodes.
   */
  #setOwnBlocks(routes: readonly OriginatedRoute[]): void {
    if (this.#settings.transit) return;
    const blocksOf = (family: IpFamily): readonly PackedPrefix[] =>
      routes.filter(({ prefix }) => prefix.address.family === family).map(({ prefix }) => packPrefix(prefix));
    this.#ownBlocks = { 4: blocksOf(4), 6: blocksOf(6) };
    for (const peer of this.#peers.values()) for (const family of FAMILIES) this.#judgeAgain(peer, family);
  }

  #judgeAgain(peer: RoutingPeer, family: IpFamily, extent: 'prefix' | 'attributes too' = 'prefix'): void {
    const { prefixes, locRib } = this.tables[family];
    const adjRibIn = peer.adjRibIn[family];
    const context = extent === 'prefix' ? undefined : peer.importContext;
    for (const prefix of adjRibIn.prefixes()) {
      const before = adjRibIn.rejection(prefix);
      const ofAttributes =
        context === undefined ? before : judgeAttributes(this.attributes.attributes(adjRibIn.get(prefix)), context);
      const isPrefixInDoubt = ofAttributes === ACCEPTED || ofAttributes === REJECTED_OWN_BLOCK;
      const verdict = isPrefixInDoubt ? this.#judgePrefix(peer, family, prefixes.packed(prefix)) : ofAttributes;
      if (adjRibIn.judgeAgain(prefix, verdict)) locRib.touch(prefix, peer.index);
    }
    this.#work(locRib);
  }
}

/** RFC 9494 §3.2, §3.3. */
const LLGR_STALE = 0xffff_0006;
const NO_LLGR = 0xffff_0007;

function leave(group: ExportGroup): void {
  if (--group.users === 0) group.clear();
}

/** Our end of the session as a next hop of `family`: an address of the other family is none. RFC 4760 §3. */
const nextHopOf = (localAddress: Uint8Array, family: IpFamily): NextHopBytes | undefined =>
  localAddress.length === (family === 4 ? 4 : 16) ? localAddress : undefined;
