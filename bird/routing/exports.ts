import type { IpFamily } from '../../src/model/ip.ts';
import { hasPathIds } from '../peer/negotiate.ts';
import { NOTHING_TOLD, PathsOut } from '../rib/adj-rib-out.ts';
import { ABSENT } from '../rib/int-table.ts';
import { Batch, BATCH_ROWS, partsFor } from '../update/batch.ts';
import type { BatchView } from '../update/batch.ts';
import type { Exported, ExportGroup } from '../update/export-group.ts';
import { Member } from '../update/member.ts';
import { packNext } from '../update/pack.ts';
import { asTold } from '../update/told-sets.ts';
import { EXTENDED_MAX_OCTETS } from '../wire.ts';
import { ExportGroups } from './export-groups.ts';
import type { Audience } from './export-groups.ts';
import { PathExports } from './path-exports.ts';
import { FAMILIES, originOfSource } from './peer.ts';
import type { RoutingCore, RoutingPeer } from './peer.ts';
import { LOCAL_SOURCE } from './sources.ts';

/** What came of telling the groups. */
export interface Telling {
  /** There is more that can be told now. */
  readonly hasMore: boolean;
  /** Peers without room that the others of their group wait for. */
  readonly waitingFor: number;
}

/** Fewer would no longer share a message. */
const LEAST_ROWS = 256;

/** What was selected becomes rows of the Adj-RIBs-Out, and what changes there becomes UPDATEs. */
export class Exports {
  readonly #core: RoutingCore;
  readonly #groups: ExportGroups;
  readonly #paths: PathExports;
  readonly #scratch = new Uint8Array(EXTENDED_MAX_OCTETS);
  readonly #batch = new Batch();

  constructor(core: RoutingCore) {
    this.#core = core;
    this.#groups = new ExportGroups(core);
    this.#paths = new PathExports(core);
  }

  /** Whether a peer takes more than the best path of a prefix. */
  hasPathReceivers(family: IpFamily): boolean {
    return this.#paths.hasPeers(family);
  }

  /** Everything is due to be told. */
  sessionUp(peer: RoutingPeer): void {
    if (peer.session === undefined) return;
    const { families, send } = peer.session.negotiated;
    for (const family of families) {
      const group = this.#groups.enter(peer, family);
      peer.exportGroups.set(family, group);
      if (hasPathIds(send, family)) this.#addPaths(peer, family);
      else this.#addMember(peer, family, group);
    }
    this.#core.work();
  }

  sessionDown(peer: RoutingPeer): void {
    this.#paths.sessionDown(peer);
    for (const family of FAMILIES) {
      const member = memberOf(peer, family);
      if (member === undefined) continue;
      member.leave();
      this.#core.chores.add({ rows: () => (member.behind > 0 ? Infinity : 0), visit: () => Number(member.letGo()) });
    }
    for (const group of peer.exportGroups.values()) this.#groups.leave(group);
    for (const { waiting } of this.#groups.following) waiting.delete(peer);
    peer.exportGroups.clear();
    peer.refreshDue.clear();
    peer.refreshing.clear();
    for (const family of FAMILIES) peer.adjRibOut[family] = NOTHING_TOLD;
    this.#core.work();
  }

  /** What policy looks at for this peer may be another: behind the changes it is told what differs, and nothing else. */
  retarget(peer: RoutingPeer): void {
    for (const [family, before] of peer.exportGroups) {
      const group = this.#groups.enter(peer, family);
      if (group !== before) {
        peer.exportGroups.set(family, group);
        const member = memberOf(peer, family);
        if (member === undefined) this.#paths.tell(peer, family);
        else member.moveTo(this.#groups.audienceOf(group).rib);
        this.#core.listener.hasNews(peer);
      }
      this.#groups.leave(before);
    }
    this.#core.work();
  }

  /** Whether the peer is still to be told something, as far as it is selected. */
  hasNewsFor(peer: RoutingPeer): boolean {
    return [...peer.exportGroups.keys()].some(
      (family) =>
        this.#paths.outOf(peer, family)?.hasPending === true ||
        this.isTelling(peer, family) ||
        this.isTellingAgain(peer, family),
    );
  }

  /** What the peer has been told is not all that it is to know; it hears of it (`hasNews`) when that has an end. */
  isTelling(peer: RoutingPeer, family: IpFamily): boolean {
    const member = memberOf(peer, family);
    if (member === undefined) return this.#paths.isTelling(peer, family);
    const audience = this.#groups.audienceOf(peer.exportGroups.get(family)!);
    const isTelling = member.isApart || audience.rib.hasDue;
    if (isTelling) audience.waiting.add(peer);
    return isTelling;
  }

  isTellingAgain(peer: RoutingPeer, family: IpFamily): boolean {
    return memberOf(peer, family)?.isTellingAgain ?? this.#paths.isTellingAgain(peer, family);
  }

  /** Some group is still to be told something. */
  get hasDue(): boolean {
    return this.#groups.following.some(({ rib }) => rib.hasDue);
  }

  /** The best path of a prefix is another, or what is told of it. */
  bestChanged(family: IpFamily, prefix: number): void {
    for (const audience of this.#groups.following) if (audience.family === family) audience.rib.touch(prefix);
  }

  /** The same of the first `count` of `prefixes`. */
  bestsChanged(family: IpFamily, prefixes: Int32Array, count: number): void {
    for (const audience of this.#groups.following) {
      if (audience.family === family) audience.rib.touchAll(prefixes, count);
    }
  }

  /** Some path of a prefix is another. */
  pathsChanged(family: IpFamily, prefix: number): void {
    this.#paths.changed(family, prefix);
  }

  /** Gives back rows that the prefixes do not reach to any more. */
  shorten(): void {
    for (const { rib } of this.#groups.following) rib.shorten();
  }

  /** Export remembers peers by index: an index that means another peer must not find what the last one left. */
  forget(): void {
    this.#groups.forget();
  }

  /**
   * Tells each group some of what is due. Where some of its peers have no room the others wait for them, unless
   * `leaveBehind`: then those are told by themselves from now on, when they have room.
   */
  tell(leaveBehind: boolean): Telling {
    let hasMore = false;
    let waitingFor = 0;
    for (const audience of this.#groups.following) {
      if (!audience.rib.hasDue) continue;
      const slow = [...audience.rib.together.values()].filter(({ peer }) => !this.#isReady(peer));
      // Where all are slow nobody waits.
      if (slow.length > 0 && slow.length === audience.rib.together.size) continue;
      if (slow.length > 0 && !leaveBehind) {
        waitingFor += slow.length;
        continue;
      }
      for (const watcher of slow) watcher.fallBehind();
      if (this.#tellGroup(audience)) hasMore = true;
    }
    return { hasMore, waitingFor };
  }

  /** The next UPDATEs for a peer alone, one behind the other; undefined where it knows all or is told with its group. */
  nextUpdate(peer: RoutingPeer, family: IpFamily): Uint8Array | undefined {
    const group = peer.exportGroups.get(family);
    if (group === undefined || peer.session === undefined) return undefined;
    const member = memberOf(peer, family);
    if (member !== undefined) return this.#nextOf(peer, member, group);
    const adjRibOut = this.#paths.outOf(peer, family);
    if (adjRibOut === undefined) return undefined;
    const { prefixes } = this.#viewOf(group);
    const { send } = peer.session.negotiated;
    const encodedSet = (attributes: number) => group.encodedSet(asTold(attributes));
    return packNext({ adjRibOut, prefixes, send, encodedSet, scratch: this.#scratch });
  }

  /** Everything that the peer has is due to be told once more. RFC 2918 §4. */
  tellAgain(peer: RoutingPeer, family: IpFamily): void {
    const member = memberOf(peer, family);
    if (member === undefined) this.#paths.tellAgain(peer, family);
    else member.tellAgain();
    this.#core.listener.hasNews(peer);
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
    const isOwn = path.source !== LOCAL_SOURCE && this.#core.sources.peer(path.source) === peer;
    if (isOwn) return { kind: 'kept back', reason: 'it came from this peer' };
    return group.explain(attributes, originOfSource(this.#core, path.source), path.prefix);
  }

  #addMember(peer: RoutingPeer, family: IpFamily, group: ExportGroup): void {
    const { attributes, tables } = this.#core;
    const memory = { attributes, prefixes: tables[family].prefixes };
    peer.adjRibOut[family] = new Member(peer.index, this.#groups.audienceOf(group).rib, memory);
  }

  #addPaths(peer: RoutingPeer, family: IpFamily): void {
    const { attributes, tables } = this.#core;
    const { prefixes, paths } = tables[family];
    const out = new PathsOut({ attributes, prefixes, paths });
    peer.adjRibOut[family] = out;
    this.#paths.sessionUp(peer, family, out);
  }

  /** True where there is more. */
  #tellGroup(audience: Audience): boolean {
    const { rib, wish } = audience;
    wish.forget();
    let failure: Error | undefined;
    try {
      rib.tell(rowsFor(rib.apart.size), this.#batch);
    } finally {
      // Where a row throws, those before it are told all the same, and the batch is empty for the next group.
      failure = this.#send(audience);
    }
    if (failure !== undefined) throw failure;
    if (rib.hasDue) return true;
    this.#quiet(audience);
    return false;
  }

  /** What the batch has goes to all that are told together; the others look for themselves. Answers what went wrong. */
  #send({ rib, group }: Audience): Error | undefined {
    const messages = this.#batch.isEmpty ? undefined : this.#batch.encode(this.#viewOf(group));
    if (messages !== undefined) {
      const { listener, sources } = this.#core;
      for (const { peer: index } of [...rib.together.values()]) {
        const peer = sources.peer(index);
        if (peer !== undefined) for (const part of partsFor(messages, index)) listener.tell(peer, part);
      }
    }
    for (const stray of rib.takeStrays()) this.#groups.wake(stray);
    for (const watcher of rib.apart) this.#groups.wake(watcher);
    return messages?.failure;
  }

  /** Nothing is due for the moment: what its peers are told behind all routes may be said. */
  #quiet({ waiting }: Audience): void {
    for (const peer of waiting) this.#core.listener.hasNews(peer);
    waiting.clear();
  }

  #nextOf(peer: RoutingPeer, member: Member, group: ExportGroup): Uint8Array | undefined {
    const hasMore = member.take(BATCH_ROWS, this.#batch);
    if (!this.#batch.isEmpty) {
      const { octets, failure } = this.#batch.encode(this.#viewOf(group));
      if (failure !== undefined) throw failure;
      return octets;
    }
    if (hasMore) this.#core.listener.hasNews(peer);
    // The room that it has now may be what its group waits for.
    else if (this.hasDue) this.#core.listener.workWaits();
    return undefined;
  }

  #isReady(index: number): boolean {
    const peer = this.#core.sources.peer(index);
    return peer !== undefined && this.#core.listener.isReady(peer);
  }

  #viewOf(group: ExportGroup): BatchView {
    const { family, send } = group.view;
    return {
      prefixes: this.#core.tables[family].prefixes,
      send,
      encodedSet: (told) => group.encodedSet(told),
    };
  }
}

/** In one turn: each peer that is told by itself looks at each row, too, and takes about as long with it. */
const rowsFor = (apart: number): number => Math.max(LEAST_ROWS, Math.floor(BATCH_ROWS / (1 + apart)));

/** Undefined for a peer with ADD-PATH in that family, and without a session. */
function memberOf(peer: RoutingPeer, family: IpFamily): Member | undefined {
  const adjRibOut = peer.adjRibOut[family];
  return adjRibOut instanceof Member ? adjRibOut : undefined;
}
