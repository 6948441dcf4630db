import type { IpFamily } from '../../src/model/ip.ts';
import { hasPathIds } from '../peer/negotiate.ts';
import { ONLY_PATH } from '../rib/adj-rib-out.ts';
import { ABSENT } from '../rib/int-table.ts';
import type { Best } from '../rib/loc-rib.ts';
import { ExportGroup, viewKey } from '../update/export-group.ts';
import type { Exported, ExportOrigin, ExportView } from '../update/export-group.ts';
import { packNext } from '../update/pack.ts';
import { EXTENDED_MAX_OCTETS } from '../wire.ts';
import type { OfferedPath } from './candidate.ts';
import { exportView } from './export-view.ts';
import { takesAigp } from './imports.ts';
import { complain, FAMILIES } from './peer.ts';
import type { RoutingCore, RoutingPeer } from './peer.ts';
import { LOCAL_SOURCE } from './sources.ts';

/** Where our own routes come from. */
const OURSELVES: ExportOrigin = { source: { kind: 'local' }, peer: 0 };

interface PeerWalk {
  readonly peer: RoutingPeer;
  readonly family: IpFamily;
  readonly name: string;
}

/** What was selected becomes rows of Adj-RIB-Out, wanted against told, and these become UPDATEs. */
export class Exports {
  readonly #core: RoutingCore;
  readonly #groups = new Map<string, ExportGroup>();
  readonly #scratch = new Uint8Array(EXTENDED_MAX_OCTETS);

  constructor(core: RoutingCore) {
    this.#core = core;
  }

  /** Whether a peer takes more than the best path of a prefix. */
  hasPathReceivers(family: IpFamily): boolean {
    for (const peer of this.#core.sources.peers()) if (peer.adjRibOut[family].hasPaths) return true;
    return false;
  }

  /** Everything is due to be told. */
  sessionUp(peer: RoutingPeer): void {
    if (peer.session === undefined) return;
    const { families, send } = peer.session.negotiated;
    for (const family of families) {
      const group = this.#groupOf(peer, family);
      this.#begin(peer, family, hasPathIds(send, family));
      peer.exportGroups.set(family, group);
      group.users++;
      this.#tell(peer, family);
    }
    this.#core.work();
  }

  sessionDown(peer: RoutingPeer): void {
    for (const family of FAMILIES) {
      this.#core.chores.drop(choreName(peer, family));
      this.#core.chores.drop(againName(peer, family));
    }
    for (const group of peer.exportGroups.values()) this.#leave(group);
    peer.exportGroups.clear();
    peer.refreshDue.clear();
    peer.refreshing.clear();
    for (const family of FAMILIES) this.#begin(peer, family, false);
    this.#core.work();
  }

  /** What policy looks at for this peer may be another: behind the changes it is told what differs, and nothing else. */
  retarget(peer: RoutingPeer): void {
    for (const [family, before] of peer.exportGroups) {
      const group = this.#groupOf(peer, family);
      if (group === before) continue;
      group.users++;
      peer.exportGroups.set(family, group);
      this.#leave(before);
      this.#tell(peer, family);
    }
    this.#core.work();
  }

  /** Whether the peer is still to be told something, as far as it is selected. */
  hasNewsFor(peer: RoutingPeer): boolean {
    return [...peer.exportGroups.keys()].some(
      (family) =>
        peer.adjRibOut[family].hasPending || this.isTelling(peer, family) || this.isTellingAgain(peer, family),
    );
  }

  /** A walk is on its way that may find more for the peer: what it has been told is not all that it is to know. */
  isTelling(peer: RoutingPeer, family: IpFamily): boolean {
    return this.#core.chores.has(choreName(peer, family));
  }

  isTellingAgain(peer: RoutingPeer, family: IpFamily): boolean {
    return this.#core.chores.has(againName(peer, family));
  }

  /** The best path of a prefix is another, or what is told of it. */
  bestChanged(family: IpFamily, prefix: number): void {
    const best = this.#core.tables[family].locRib.best(prefix);
    for (const peer of this.#core.sources.peers()) {
      if (!peer.adjRibOut[family].hasPaths) this.#updateBest(peer, family, { prefix, best });
    }
  }

  /** Some path of a prefix is another. */
  pathsChanged(family: IpFamily, prefix: number): void {
    for (const peer of this.#core.sources.peers()) {
      if (peer.adjRibOut[family].hasPaths) this.#updatePaths(peer, family, prefix);
    }
  }

  /** Export remembers peers by index: an index that means another peer must not find what the last one left. */
  forget(): void {
    for (const group of this.#groups.values()) group.clear();
  }

  /** The next UPDATE for a peer whose session is up, or undefined where it knows all of this family. */
  nextUpdate(peer: RoutingPeer, family: IpFamily): Uint8Array | undefined {
    const group = peer.exportGroups.get(family);
    if (group === undefined || peer.session === undefined) return undefined;
    return packNext({
      adjRibOut: peer.adjRibOut[family],
      prefixes: this.#core.tables[family].prefixes,
      send: peer.session.negotiated.send,
      encodedSet: (attributes) => group.encodedSet(attributes),
      scratch: this.#scratch,
    });
  }

  /** Everything that the peer has is due to be told once more. RFC 2918 §4. */
  tellAgain(peer: RoutingPeer, family: IpFamily): void {
    const adjRibOut = peer.adjRibOut[family];
    this.#walk({ peer, family, name: againName(peer, family) }, (prefix) => {
      const paths = adjRibOut.pathsOf(prefix);
      for (const path of paths) adjRibOut.tellAgain(prefix, path, this.#wanted(peer, family, { prefix, path }));
      if (paths.length > 0) this.#core.listener.hasNews(peer);
      return paths.length > 0;
    });
    this.#core.work();
  }

  /** What became of a path on its way to this peer; undefined where there is no session. */
  explain(
    peer: RoutingPeer,
    family: IpFamily,
    path: { readonly prefix: number; readonly source: number },
  ): Exported | undefined {
    const group = peer.exportGroups.get(family);
    const attributes = this.#core.tables[family].locRib.offer(path.prefix, path.source);
    if (group === undefined || attributes === ABSENT) return undefined;
    if (this.#isOwn(peer, path.source)) return { kind: 'kept back', reason: 'it came from this peer' };
    return group.explain(attributes, this.originOf(path.source), path.prefix);
  }

  originOf(source: number): ExportOrigin {
    return this.#core.sources.peer(source)?.origin ?? OURSELVES;
  }

  #update(peer: RoutingPeer, family: IpFamily, prefix: number): void {
    const { locRib } = this.#core.tables[family];
    if (peer.adjRibOut[family].hasPaths) this.#updatePaths(peer, family, prefix);
    else this.#updateBest(peer, family, { prefix, best: locRib.best(prefix) });
  }

  #updateBest(
    peer: RoutingPeer,
    family: IpFamily,
    { prefix, best }: { readonly prefix: number; readonly best: Best | undefined },
  ): void {
    const group = peer.exportGroups.get(family);
    if (group === undefined) return;
    const wanted = best === undefined ? undefined : this.#exported(peer, group, { prefix, ...best });
    if (peer.adjRibOut[family].want(prefix, ONLY_PATH, wanted)) this.#core.listener.hasNews(peer);
  }

  /** Every path that the peer has or may have. */
  #updatePaths(peer: RoutingPeer, family: IpFamily, prefix: number): void {
    const adjRibOut = peer.adjRibOut[family];
    const paths = new Set([...adjRibOut.pathsOf(prefix), ...this.#core.tables[family].locRib.sourcesOf(prefix)]);
    let isNews = false;
    for (const path of paths) {
      if (adjRibOut.want(prefix, path, this.#wanted(peer, family, { prefix, path }))) isNews = true;
    }
    if (isNews) this.#core.listener.hasNews(peer);
  }

  /** With ADD-PATH `path` is a source, and the path that it offers; else the best path is meant. */
  #wanted(
    peer: RoutingPeer,
    family: IpFamily,
    { prefix, path }: { readonly prefix: number; readonly path: number },
  ): number | undefined {
    const { locRib } = this.#core.tables[family];
    const group = peer.exportGroups.get(family);
    const best = locRib.best(prefix);
    // Nothing is told before selection has looked at the prefix.
    if (group === undefined || best === undefined) return undefined;
    if (!peer.adjRibOut[family].hasPaths) return this.#exported(peer, group, { prefix, ...best });
    const attributes = locRib.offer(prefix, path);
    return attributes === ABSENT ? undefined : this.#exported(peer, group, { prefix, source: path, attributes });
  }

  /** Split horizon: whoever it came from knows it. */
  #exported(peer: RoutingPeer, group: ExportGroup, { prefix, source, attributes }: OfferedPath): number | undefined {
    return this.#isOwn(peer, source) ? undefined : group.exported(attributes, this.originOf(source), prefix);
  }

  #isOwn(peer: RoutingPeer, source: number): boolean {
    return source !== LOCAL_SOURCE && this.#core.sources.peer(source) === peer;
  }

  /** Everything that is selected is due to be told, as far as the peer does not have it. */
  #tell(peer: RoutingPeer, family: IpFamily): void {
    const { locRib } = this.#core.tables[family];
    this.#walk({ peer, family, name: choreName(peer, family) }, (prefix) => {
      if (locRib.best(prefix) === undefined) return false;
      this.#update(peer, family, prefix);
      return true;
    });
  }

  /** Where the peer needs nothing, what waits for the end of the walk can be said: End-of-RIB, EoRR. */
  #walk({ peer, family, name }: PeerWalk, visit: (prefix: number) => boolean): void {
    const { chores, tables, listener } = this.#core;
    const { locRib } = tables[family];
    chores.set(name, { rows: () => locRib.rows, visit, end: () => listener.hasNews(peer) });
  }

  #begin(peer: RoutingPeer, family: IpFamily, addPath: boolean): void {
    const left = peer.adjRibOut[family].begin(addPath);
    this.#core.chores.add({ rows: () => left.slots, visit: (slot) => left.letGo(slot) });
  }

  #groupOf(peer: RoutingPeer, family: IpFamily): ExportGroup {
    const view = this.#viewOf(peer, family);
    const key = viewKey(view);
    const known = this.#groups.get(key);
    if (known !== undefined) return known;
    const memory = { prefixes: this.#core.tables[family].prefixes, attributes: this.#core.attributes };
    const group: ExportGroup = new ExportGroup(view, memory, (reason, origin) => this.#leftOut(group, reason, origin));
    this.#groups.set(key, group);
    return group;
  }

  #viewOf(peer: RoutingPeer, family: IpFamily): ExportView {
    const { settings, speaker } = this.#core;
    const { clusterId, isDraining: draining } = speaker;
    return exportView(peer, family, {
      transit: settings.transit,
      clusterId,
      draining,
      aigp: takesAigp(peer, settings),
    });
  }

  #leave(group: ExportGroup): void {
    if (--group.users > 0) return;
    group.clear();
    this.#groups.delete(viewKey(group.view));
  }

  #leftOut(group: ExportGroup, reason: string, origin: ExportOrigin): void {
    for (const peer of this.#core.sources.peers()) {
      if (peer.exportGroups.get(group.view.family) !== group || peer.index === origin.peer) continue;
      complain(this.#core, peer, { cause: 'left out', text: `a route is not told: ${reason}` });
    }
  }
}

const againName = ({ index }: RoutingPeer, family: IpFamily): string => `again ${index} IPv${family}`;
const choreName = ({ index }: RoutingPeer, family: IpFamily): string => `export ${index} IPv${family}`;
