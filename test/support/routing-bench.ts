/** All tables of a speaker without sockets: peers speak through their sinks, and what each was told is read off its UPDATEs. */
import { expect } from 'vitest';
import type { Negotiated } from '../../bird/peer/negotiate.ts';
import type { LocalRestart } from '../../bird/peer/restart-capabilities.ts';
import { ACCEPTED } from '../../bird/policy/import.ts';
import type { JudgedSet } from '../../bird/rib/lane.ts';
import { AttributeCache } from '../../bird/rib/attribute-cache.ts';
import { NO_PREFIX, packPrefix, PrefixTable } from '../../bird/rib/prefix-table.ts';
import { UpdateReader } from '../../bird/rib/update-reader.ts';
import type { PathSink } from '../../bird/rib/update-reader.ts';
import { Routing } from '../../bird/routing.ts';
import type { LimitReached, RoutingPeer } from '../../bird/routing.ts';
import type { Telling } from '../../bird/routing/exports.ts';
import type { RoutingSettings } from '../../bird/routing/peer.ts';
import type { OriginatedAttributes, PeerSettings } from '../../bird/settings.ts';
import { learnedRoutes, routeViews } from '../../bird/snapshot.ts';
import type { RouteView } from '../../bird/view.ts';
import { canonicalAttributes, EXTENDED_MAX_OCTETS, Framer, messageType } from '../../bird/wire.ts';
import type { PathAttributes } from '../../bird/wire.ts';
import type { IpFamily } from '../../src/model/ip.ts';
import { formatIpAddress, formatPrefix, parseIpAddress, parsePrefix } from '../../src/model/ip.ts';
import { agreed, localSettings, openOf, peerSettings } from './bgp.ts';
import type { PeerText } from './bgp.ts';

export type AddPath = NonNullable<PeerSettings['addPath']>;

export interface BenchPeer extends Partial<PeerText> {
  readonly address: string;
  /** As of a session that begins at once; null: none begins. */
  readonly session?: SessionText | null;
}

export interface SessionText {
  readonly bgpIdentifier?: number;
  readonly addPath?: AddPath;
  readonly extendedNextHop?: boolean;
  readonly extendedMessages?: boolean;
  readonly localAddress?: string;
  readonly gracefulRestart?: LocalRestart;
}

const ROUTE_REFRESH = 5;

export class RoutingBench {
  news = 0;
  readonly limits: LimitReached[] = [];
  readonly leftOut: string[] = [];
  readonly routing: Routing;
  readonly peers: RoutingPeer[] = [];
  /** Per peer: `10.0.0.0/24`, with `#3` behind it where the path came with an identifier, to the attributes. */
  readonly told: Map<string, PathAttributes>[] = [];
  /** Per peer: octets of every message that it was sent. */
  readonly octets: number[][] = [];
  /** What was written to peers of a group, each time. */
  readonly together: Uint8Array[] = [];
  readonly #readers: UpdateReader[] = [];
  readonly #removed = new Set<number>();
  /** Peers that have room, by index. */
  readonly #ready = new Set<number>();

  /** `atOnce`: what needs no decision is selected before `settle`, as in a speaker that does not defer. */
  constructor(peers: readonly BenchPeer[], settings: Partial<RoutingSettings> = {}, atOnce = true) {
    this.routing = new Routing(
      { bgpIdentifier: 1, transit: true, clusterId: undefined, seed: 1, ...settings },
      {
        routesChanged: () => this.news++,
        workWaits: () => undefined,
        hasNews: () => undefined,
        isReady: ({ index }) => this.#ready.has(index),
        tell: (peer, messages) => {
          this.together.push(messages);
          this.#read(this.peers.lastIndexOf(peer), messages);
        },
        limitReached: (_, reached) => this.limits.push(reached),
        leftOut: (_, text) => this.leftOut.push(text),
      },
    );
    this.routing.selectAtOnce(atOnce);
    for (const peer of peers) this.addPeer(peer);
  }

  addPeer({ session = {}, ...text }: BenchPeer): number {
    const at = this.peers.push(this.routing.addPeer(peerSettings({ remoteAsn: 65001, ...text }))) - 1;
    this.told.push(new Map());
    this.octets.push([]);
    if (session !== null) this.up(at, session);
    return at;
  }

  /** Removes a peer and adds another in its stead; answers where that stands. */
  replace(at: number, peer: BenchPeer): number {
    this.routing.removePeer(this.peers[at]!);
    this.#removed.add(at);
    this.told[at]!.clear();
    return this.addPeer(peer);
  }

  up(at: number, session: SessionText = {}): void {
    const peer = this.peers[at]!;
    const { localAddress = peer.settings.address.family === 4 ? '10.9.0.1' : 'fd00:9::1' } = session;
    this.routing.sessionUp(peer, this.#session(peer.settings, at, session), octetsOf(localAddress));
    this.told[at]!.clear();
    this.#readers[at] = this.#readerOf(at, session);
  }

  down(at: number): void {
    this.routing.sessionDown(this.peers[at]!);
    this.told[at]!.clear();
  }

  adjust(at: number, changes: Partial<PeerSettings>): void {
    const peer = this.peers[at]!;
    this.routing.adjustPeer(peer, { ...peer.settings, ...changes });
  }

  announce(at: number, prefix: string, { attributes, pathId }: { attributes: PathAttributes; pathId?: number }): void {
    const { attributes: sets, families } = this.routing.sinkFor(this.peers[at]!);
    const { address, length } = parsePrefix(prefix);
    const sink = families[address.family];
    const id = sets.intern(attributes);
    sets.retain(id);
    const route = sink.judge(id);
    sets.retain(route.used);
    const prefixId = sink.prefixes.internPrefix({ address, length });
    if (pathId === undefined) sink.announceAll(Int32Array.of(prefixId), 1, route);
    else sink.announce(prefixId, pathId, route);
    sink.applied();
    sets.release(route.used);
    sets.release(id);
  }

  withdraw(at: number, prefix: string, pathId?: number): void {
    const sink = this.routing.sinkFor(this.peers[at]!).families[parsePrefix(prefix).address.family];
    const { w0, w1, w2, w3, length } = packPrefix(parsePrefix(prefix));
    const id = sink.prefixes.find(w0, w1, w2, w3, length);
    if (pathId === undefined) sink.withdrawAll(Int32Array.of(id), 1);
    else if (id !== NO_PREFIX) sink.withdraw(id, pathId);
    sink.applied();
  }

  originate(prefixes: readonly string[], attributes?: OriginatedAttributes): void {
    const given = attributes === undefined ? {} : { attributes };
    this.routing.setOriginated(prefixes.map((text) => ({ prefix: parsePrefix(text), reason: 'test', ...given })));
  }

  settle(): void {
    while (this.routing.settle(100));
  }

  /**
   * Tells a peer what is next for it, the others having no room; false where it knows everything. Marks of a refresh are
   * told as `BoRR` and `EoRR`.
   */
  pump(at: number): boolean {
    const peer = this.peers[at]!;
    const before = this.octets[at]!.length;
    this.tell([at], true);
    for (const family of peer.settings.families) {
      const messages = this.routing.nextUpdate(peer, family) ?? this.routing.nextRefresh(peer, family);
      if (messages !== undefined) this.#read(at, messages);
    }
    return this.octets[at]!.length > before || this.#isWalking(peer);
  }

  /** Tells the groups once; only these peers have room. */
  tell(ready: readonly number[], leaveBehind = false): Telling {
    for (const at of ready) this.#ready.add(this.peers[at]!.index);
    const telling = this.routing.tell(leaveBehind);
    this.#ready.clear();
    return telling;
  }

  /** Everybody is told everything, those of a group together. */
  sync(): void {
    do {
      this.settle();
      while (this.tell([...this.peers.keys()]).hasMore);
    } while ([...this.peers.keys()].filter((at) => this.pump(at)).length > 0);
  }

  /** What a peer has of a prefix: the first community, or `own`, of each path. */
  has(at: number, prefix: string): readonly string[] {
    return [...this.told[at]!]
      .filter(([key]) => key.split('#')[0] === prefix)
      .map(([, { communities }]) => String(communities?.[0] ?? 'own'))
      .sort();
  }

  views(): readonly RouteView[] {
    return routeViews(this.routing, this.peers, { which: 'all' });
  }

  reasons(prefix: string): readonly string[] {
    return this.views()
      .filter((view) => formatPrefix(view.prefix) === prefix)
      .map(({ reason }) => reason);
  }

  /** As an owner sees it; must never throw, whatever selection is at. */
  learned(): readonly string[] {
    this.views();
    return learnedRoutes(this.routing)
      .map(({ prefix, nextHops }) => `${formatPrefix(prefix)} via ${nextHops.map(formatIpAddress).join(', ')}`)
      .sort();
  }

  /** All peers and own routes go: what is held then is a leak. */
  held(): readonly number[] {
    this.originate([]);
    for (const [at, peer] of this.peers.entries()) if (!this.#removed.has(at)) this.routing.removePeer(peer);
    this.settle();
    const { attributes, tables } = this.routing;
    return [attributes.size, tables[4].prefixes.size, tables[6].prefixes.size];
  }

  /** There is more for it than one message took. */
  #isWalking(peer: RoutingPeer): boolean {
    return peer.settings.families.some(
      (family) => peer.exportGroups.has(family) && this.routing.exports.isTelling(peer, family),
    );
  }

  #read(at: number, messages: Uint8Array): void {
    const framer = new Framer(EXTENDED_MAX_OCTETS);
    framer.push(messages);
    for (let frame = framer.next(); frame !== undefined; frame = framer.next()) {
      this.octets[at]!.push(frame.length);
      if (messageType(frame) !== ROUTE_REFRESH) expect(this.#readers[at]!.read(frame)).toEqual({});
    }
  }

  #session(settings: PeerSettings, at: number, { bgpIdentifier = at + 10, ...session }: SessionText): Negotiated {
    const { localAsn: asn, remoteAsn, families } = settings;
    const local = localSettings({ asn, remoteAsn, families, ...session });
    const open = openOf({ ...local, addPath: { send: true, receive: true } }, bgpIdentifier);
    return agreed(local, open);
  }

  /** The peer's side: what we send is read with what it said. */
  #readerOf(at: number, session: SessionText): UpdateReader {
    const told = this.told[at]!;
    const attributes = new AttributeCache(canonicalAttributes, 1);
    const negotiated = this.#session(this.peers[at]!.settings, at, session);
    return new UpdateReader(
      { ...negotiated, receive: { ...negotiated.send, external: negotiated.external } },
      {
        attributes,
        keepsAigp: true,
        families: { 4: toldSink(4, told, attributes), 6: toldSink(6, told, attributes) },
      },
    );
  }
}

/** Writes down what is told, by `10.0.0.0/24`, with `#3` behind it where there is an identifier. */
function toldSink(family: IpFamily, told: Map<string, PathAttributes>, attributes: AttributeCache): PathSink {
  const prefixes = new PrefixTable(family, 1);
  const held = new Set<number>();
  const keyOf = (prefix: number, pathId: number | undefined): string =>
    `${formatPrefix(prefixes.prefix(prefix))}${pathId === undefined ? '' : `#${pathId}`}`;
  const announce = (prefix: number, pathId: number | undefined, route: JudgedSet): void => {
    if (!held.has(prefix)) prefixes.retain(prefix);
    held.add(prefix);
    told.set(keyOf(prefix, pathId), attributes.attributes(route.attributes));
  };
  const withdraw = (prefix: number, pathId: number | undefined): void =>
    expect(told.delete(keyOf(prefix, pathId))).toBe(true);
  return {
    prefixes,
    judge: (set) => ({ attributes: set, used: set, rejection: ACCEPTED }),
    announce,
    withdraw,
    announceAll: (ids, count, route) => ids.subarray(0, count).forEach((id) => announce(id, undefined, route)),
    withdrawAll: (ids, count) => ids.subarray(0, count).forEach((id) => withdraw(id, undefined)),
    applied: () => undefined,
  };
}

export const octetsOf = (address: string): Uint8Array =>
  Uint8Array.from(parseIpAddress(address).words.flatMap((w) => [w >>> 24, (w >>> 16) & 255, (w >>> 8) & 255, w & 255]));

/** Told apart by community and next hop. */
export const attributesOf = (mark: number, changes: PathAttributes = {}): PathAttributes => ({
  origin: 'igp',
  asPath: [{ type: 'sequence', asns: [65001] }],
  nextHop: Uint8Array.of(10, 8, 0, mark),
  communities: [mark],
  ...changes,
});
