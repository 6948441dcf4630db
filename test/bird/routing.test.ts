import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ACCEPTED } from '../../bird/policy/import.ts';
import { AttributeCache, decisionRecord } from '../../bird/rib/attribute-cache.ts';
import { selectBest } from '../../bird/rib/decision.ts';
import type { Candidate } from '../../bird/rib/decision.ts';
import { packPrefix } from '../../bird/rib/prefix-table.ts';
import type { JudgedSet } from '../../bird/rib/lane.ts';
import { UpdateReader } from '../../bird/rib/update-reader.ts';
import type { ReceivedPath } from '../../bird/rib/update-reader.ts';
import { LOCAL_SOURCE, Routing } from '../../bird/routing.ts';
import type { RoutingListener, RoutingPeer } from '../../bird/routing.ts';
import { learnedRoutes, routeViews } from '../../bird/snapshot.ts';
import { canonicalAttributes } from '../../bird/wire.ts';
import type { PathAttributes } from '../../bird/wire.ts';
import type { IpFamily } from '../../src/model/ip.ts';
import { formatIpAddress, formatPrefix, ipv4Address, parsePrefix } from '../../src/model/ip.ts';
import { agreed, localSettings, openOf, peerSettings } from '../support/bgp.ts';

const PREFIXES = ['10.0.0.0/24', '10.0.1.0/24', '10.0.2.0/24'];
const ADDRESSES = ['10.9.0.2', '10.9.0.3', '10.9.0.4'];

/** Told apart by community and next hop; the first two are equally good, the third is worse. */
const SETS: readonly PathAttributes[] = [1, 2, 3].map((i) => ({
  origin: 'igp',
  asPath: [{ type: 'sequence', asns: i === 3 ? [65001, 65002] : [65001] }],
  nextHop: Uint8Array.of(10, 8, 0, i),
  communities: [i],
}));

const local = localSettings({ remoteAsn: 65001 });
const negotiated = (at: number): ReturnType<typeof agreed> => agreed(local, openOf(local, at + 10));
const OURS = Uint8Array.of(10, 9, 0, 1);

const deaf: RoutingListener = {
  routesChanged: () => undefined,
  workWaits: () => undefined,
  hasNews: () => undefined,
  limitReached: () => undefined,
  leftOut: () => undefined,
};

const acceptAll = (_: IpFamily, attributes: number): JudgedSet => ({
  attributes,
  used: attributes,
  rejection: ACCEPTED,
});

const pathOf = (prefix: string, pathId?: number): ReceivedPath => ({ ...packPrefix(parsePrefix(prefix)), pathId });

/** A speaker with up to three switches of one AS, without sockets: what each was told is read off its UPDATEs. */
class Bench {
  news = 0;
  readonly routing = new Routing(
    { bgpIdentifier: 1, transit: true, clusterId: undefined, seed: 1 },
    { ...deaf, routesChanged: () => this.news++ },
  );
  readonly peers: readonly RoutingPeer[];
  readonly told: readonly Map<string, string>[];
  readonly #readers: readonly UpdateReader[];

  constructor(count = ADDRESSES.length) {
    const addresses = ADDRESSES.slice(0, count);
    this.told = addresses.map(() => new Map<string, string>());
    this.peers = addresses.map((address) => this.routing.addPeer(peerSettings({ address, remoteAsn: 65001 })));
    this.peers.forEach((peer, at) => this.routing.sessionUp(peer, negotiated(at), OURS));
    this.#readers = this.told.map((told) => {
      const attributes = new AttributeCache(canonicalAttributes, 1);
      return new UpdateReader(negotiated(0), {
        attributes,
        keepsAigp: false,
        judge: acceptAll,
        announce: (_, words, route) =>
          told.set(textOf(words), attributes.attributes(route.attributes).communities?.join() ?? 'own'),
        withdraw: (_, words) => void told.delete(textOf(words)),
      });
    });
  }

  announce(peer: number, prefix: number, { set, rejection }: { set: number; rejection: number }): void {
    const { attributes } = this.routing;
    const id = attributes.intern(SETS[set]!);
    attributes.retain(id);
    const sink = this.routing.sinkFor(this.peers[peer]!);
    sink.announce(4, pathOf(PREFIXES[prefix]!), { attributes: id, used: id, rejection });
    attributes.release(id);
  }

  withdraw(peer: number, prefix: number): void {
    this.routing.sinkFor(this.peers[peer]!).withdraw(4, pathOf(PREFIXES[prefix]!));
  }

  originate(prefixes: readonly string[]): void {
    this.routing.setOriginated(prefixes.map((text) => ({ prefix: parsePrefix(text), reason: 'test' })));
  }

  settle(): void {
    while (this.routing.settle(100));
  }

  /** Sends one UPDATE to a peer; false where it knows everything. */
  pump(peer: number): boolean {
    const frame = this.routing.nextUpdate(this.peers[peer]!, 4);
    if (frame === undefined) return false;
    expect(this.#readers[peer]!.read(frame)).toEqual({});
    return true;
  }

  /** As an owner sees it; must never throw, whatever selection is at. */
  learned(): readonly string[] {
    routeViews(this.routing, this.peers);
    return learnedRoutes(this.routing)
      .map(({ prefix, nextHops }) => `${formatPrefix(prefix)} via ${nextHops.map(formatIpAddress).join(', ')}`)
      .sort();
  }
}

const textOf = ({ w0, length }: { readonly w0: number; readonly length: number }): string =>
  formatPrefix({ address: ipv4Address(w0), length });

describe('between a change and its selection', () => {
  test('the routes can be read: the best route stands until another is selected', () => {
    const bench = new Bench(1);
    bench.announce(0, 0, { set: 0, rejection: 0 });
    bench.settle();
    bench.withdraw(0, 0);
    expect(bench.learned()).toEqual(['10.0.0.0/24 via 10.8.0.1']);
    bench.settle();
    expect(bench.learned()).toEqual([]);
  });

  test.each([1, 2])('a route withdrawn and told at once with another next hop is news, with %i peers', (count) => {
    const bench = new Bench(count);
    bench.announce(0, 0, { set: 0, rejection: 0 });
    bench.settle();
    if (count > 1) while (bench.pump(1));
    const before = bench.news;
    bench.withdraw(0, 0);
    bench.announce(0, 0, { set: 1, rejection: 0 });
    bench.settle();
    expect(bench.learned()).toEqual(['10.0.0.0/24 via 10.8.0.2']);
    expect(bench.news).toBeGreaterThan(before);
    if (count > 1) while (bench.pump(1));
    expect(bench.told[1]?.get('10.0.0.0/24')).toBe(count > 1 ? '2' : undefined);
  });

  test('one of two equal paths that goes is news, though the best path stays', () => {
    const bench = new Bench();
    bench.announce(0, 0, { set: 0, rejection: 0 });
    bench.announce(1, 0, { set: 1, rejection: 0 });
    bench.settle();
    expect(bench.learned()).toEqual(['10.0.0.0/24 via 10.8.0.1, 10.8.0.2']);
    const before = bench.news;
    bench.withdraw(1, 0);
    bench.settle();
    expect(bench.learned()).toEqual(['10.0.0.0/24 via 10.8.0.1']);
    expect(bench.news).toBeGreaterThan(before);
  });
});

describe('a route reflector', () => {
  const inside = localSettings();
  const client = (address: string) => peerSettings({ address, routeReflectorClient: true });
  const session = (bgpIdentifier: number): ReturnType<typeof agreed> => agreed(inside, openOf(inside, bgpIdentifier));

  function reflector(): { readonly routing: Routing; readonly originators: () => readonly (number | undefined)[] } {
    const routing = new Routing({ bgpIdentifier: 1, transit: false, clusterId: 9, seed: 1 }, deaf);
    const listener = routing.addPeer(client('10.9.0.9'));
    routing.sessionUp(listener, session(99), OURS);
    const told: (number | undefined)[] = [];
    const attributes = new AttributeCache(canonicalAttributes, 1);
    const reader = new UpdateReader(session(1), {
      attributes,
      keepsAigp: false,
      judge: acceptAll,
      announce: (_, __, route) => void told.push(attributes.attributes(route.attributes).originatorId),
      withdraw: () => undefined,
    });
    const originators = (): readonly (number | undefined)[] => {
      while (routing.settle(100));
      for (let next = routing.nextUpdate(listener, 4); next !== undefined; next = routing.nextUpdate(listener, 4))
        reader.read(next);
      return told;
    };
    return { routing, originators };
  }

  function tell(routing: Routing, peer: RoutingPeer): void {
    const id = routing.attributes.intern(SETS[0]!);
    routing.attributes.retain(id);
    routing.sinkFor(peer).announce(4, pathOf(PREFIXES[0]!), { attributes: id, used: id, rejection: 0 });
    routing.attributes.release(id);
  }

  test('names the new identifier of a client that comes back with another', () => {
    const { routing, originators } = reflector();
    const peer = routing.addPeer(client('10.9.0.2'));
    routing.sessionUp(peer, session(7), OURS);
    tell(routing, peer);
    expect(originators()).toEqual([7]);
    routing.sessionDown(peer);
    routing.sessionUp(peer, session(8), OURS);
    tell(routing, peer);
    expect(originators()).toEqual([7, 8]);
  });

  test('does not take a new client for the one that was removed', () => {
    const { routing, originators } = reflector();
    const old = routing.addPeer(client('10.9.0.2'));
    routing.sessionUp(old, session(7), OURS);
    tell(routing, old);
    expect(originators()).toEqual([7]);
    routing.removePeer(old);
    const fresh = routing.addPeer(client('10.9.0.3'));
    routing.sessionUp(fresh, session(8), OURS);
    tell(routing, fresh);
    expect(originators()).toEqual([7, 8]);
  });
});

type Step =
  | {
      readonly do: 'announce';
      readonly peer: number;
      readonly prefix: number;
      readonly set: number;
      readonly rejection: number;
    }
  | { readonly do: 'withdraw'; readonly peer: number; readonly prefix: number }
  | { readonly do: 'flush' | 'markStale' | 'sweepStale' | 'pump' | 'reconnect'; readonly peer: number }
  | { readonly do: 'settle'; readonly limit: number }
  | { readonly do: 'originate'; readonly prefixes: readonly string[] };

const stepsOf = (peers: number): fc.Arbitrary<readonly Step[]> => {
  const peer = fc.nat(peers - 1);
  const prefix = fc.nat(PREFIXES.length - 1);
  const rejection = fc.constantFrom(0, 0, 0, 1);
  const ofPeer = fc.constantFrom('flush', 'markStale', 'sweepStale', 'reconnect', 'pump', 'pump');
  const step = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ do: fc.constant('announce'), peer, prefix, set: fc.nat(SETS.length - 1), rejection }),
    },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('withdraw'), peer, prefix }) },
    { weight: 3, arbitrary: fc.record({ do: ofPeer, peer }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('settle'), limit: fc.integer({ min: 1, max: 2 }) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('originate'), prefixes: fc.subarray(PREFIXES) }) },
  );
  return fc.array(step, { maxLength: 60 });
};
const runs = fc.constantFrom(1, 2, 3).chain((peers) => fc.tuple(fc.constant(peers), stepsOf(peers)));

interface Offer {
  readonly set: number;
  readonly rejection: number;
  stale: boolean;
}

/** What the steps come to, worked out from scratch. */
class Model {
  own: readonly string[] = [];
  readonly offers = ADDRESSES.map(() => new Map<string, Offer>());

  take(step: Step): void {
    if (step.do === 'originate') this.own = step.prefixes;
    const offers = 'peer' in step ? this.offers[step.peer]! : new Map<string, Offer>();
    switch (step.do) {
      case 'announce':
        offers.set(PREFIXES[step.prefix]!, { set: step.set, rejection: step.rejection, stale: false });
        return;
      case 'withdraw':
        offers.delete(PREFIXES[step.prefix]!);
        return;
      case 'flush':
        offers.clear();
        return;
      case 'markStale':
        for (const offer of offers.values()) offer.stale = true;
        return;
      case 'sweepStale':
        for (const [text, { stale }] of [...offers]) if (stale) offers.delete(text);
        return;
      default: // changes nothing of what the peers said
    }
  }

  /** The sources in the order of the decision, the equal ones alone; undefined: nobody offers it. */
  paths(text: string): readonly { readonly source: number; readonly set: number }[] {
    if (this.own.includes(text)) return [{ source: LOCAL_SOURCE, set: -1 }];
    const usable = this.offers.flatMap((offers, at) => {
      const offer = offers.get(text);
      return offer?.rejection === 0 ? [{ source: at + 1, set: offer.set }] : [];
    });
    const candidates = usable.map(({ source, set }): Candidate => {
      const record = decisionRecord(SETS[set]!);
      return {
        ...record,
        source,
        local: false,
        external: true,
        igpCost: 0,
        routerId: source,
        peerAddress: BigInt(source),
        pathId: 0,
      };
    });
    const multipath = selectBest(candidates)?.multipath ?? [];
    return multipath.map(({ source }) => usable.find((one) => one.source === source)!);
  }

  learned(): readonly string[] {
    return PREFIXES.flatMap((text) => {
      const paths = this.paths(text);
      const [first, ...others] = paths.map(({ set }) => `10.8.0.${set + 1}`);
      if (first === undefined || paths[0]?.source === LOCAL_SOURCE) return [];
      return [`${text} via ${[...new Set([first, ...others.sort()])].join(', ')}`];
    });
  }

  told(peerAt: number): ReadonlyMap<string, string> {
    const routes = PREFIXES.flatMap((text) => {
      const [best] = this.paths(text);
      if (best === undefined || best.source === peerAt + 1) return [];
      return [[text, best.source === LOCAL_SOURCE ? 'own' : String(best.set + 1)] as const];
    });
    return new Map(routes);
  }
}

function perform(bench: Bench, step: Step): void {
  const { routing } = bench;
  switch (step.do) {
    case 'announce':
      bench.announce(step.peer, step.prefix, step);
      return;
    case 'withdraw':
      bench.withdraw(step.peer, step.prefix);
      return;
    case 'flush':
    case 'sweepStale':
      routing[step.do](bench.peers[step.peer]!, 4);
      return;
    case 'markStale':
      bench.peers[step.peer]!.adjRibIn[4].markStale();
      return;
    case 'settle':
      routing.settle(step.limit);
      return;
    case 'pump':
      bench.pump(step.peer);
      return;
    case 'reconnect':
      routing.sessionDown(bench.peers[step.peer]!);
      bench.told[step.peer]!.clear();
      routing.sessionUp(bench.peers[step.peer]!, negotiated(step.peer), OURS);
      return;
    case 'originate':
      bench.originate(step.prefixes);
  }
}

test('whatever comes and whenever it is selected: reading never throws, every change is news, and all ends as it must', () => {
  fc.assert(
    fc.property(runs, ([peers, list]) => {
      const bench = new Bench(peers);
      const model = new Model();
      for (const step of list) {
        const [before, news] = [bench.learned().join('; '), bench.news];
        perform(bench, step);
        model.take(step);
        if (bench.learned().join('; ') !== before) expect(bench.news).toBeGreaterThan(news);
      }
      bench.settle();
      expect(bench.learned()).toEqual(model.learned());
      for (const [at, told] of bench.told.entries()) {
        while (bench.pump(at));
        expect(told).toEqual(model.told(at));
      }

      bench.originate([]);
      for (const peer of bench.peers) bench.routing.removePeer(peer);
      bench.settle();
      expect([bench.routing.attributes.size, bench.routing.tables[4].prefixes.size]).toEqual([0, 0]);
    }),
    { numRuns: 300 },
  );
});
