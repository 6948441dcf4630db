import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { RouteFilter } from '../../../bird/policy/filter.ts';
import { decisionRecord } from '../../../bird/rib/decision-record.ts';
import { selectBest } from '../../../bird/rib/decision.ts';
import type { Candidate } from '../../../bird/rib/decision.ts';
import type { PathAttributes } from '../../../bird/wire.ts';
import { parsePrefix } from '../../../src/model/ip.ts';
import { attributesOf, RoutingBench } from '../../support/routing-bench.ts';

const PREFIXES = ['10.0.0.0/24', '10.0.1.0/24', '10.0.2.0/24'];
const ADDRESSES = ['10.9.0.2', '10.9.0.3', '10.9.0.4'];
const OWN_ASN = 64512;

/** The first two are equally good, the third is worse, and the last has been here already. */
const SETS: readonly PathAttributes[] = [[65001], [65001], [65001, 65002], [65001, OWN_ASN]].map((asns, i) =>
  attributesOf(i + 1, { asPath: [{ type: 'sequence', asns }] }),
);

/** What a filter on a set and on a prefix would do, as rules and in plain words. */
interface Policy {
  readonly filters: readonly RouteFilter[];
  readonly used: (set: number, prefix: string) => PathAttributes | undefined;
}

const rules = (...list: RouteFilter['rules']): readonly RouteFilter[] => [{ name: 'test', rules: list }];
const POLICIES: readonly Policy[] = [
  { filters: [], used: (set) => SETS[set] },
  {
    filters: rules({ family: 4, action: 'reject', match: { community: 1 } }),
    used: (set) => (set === 0 ? undefined : SETS[set]),
  },
  {
    filters: rules(
      { family: 4, action: 'reject', match: { prefix: { cidr: parsePrefix(PREFIXES[1]!), operator: 'equal' } } },
      { family: 4, action: 'accept', match: { community: 3 }, operations: [{ do: 'setLocalPref', localPref: 200 }] },
    ),
    used: (set, prefix) => {
      if (prefix === PREFIXES[1]) return undefined;
      return set === 2 ? { ...SETS[2]!, localPref: 200 } : SETS[set];
    },
  },
];

type PeerStep = { readonly peer: number } & (
  | { readonly do: 'announce'; readonly prefix: number; readonly set: number; readonly pathId: number }
  | { readonly do: 'withdraw'; readonly prefix: number; readonly pathId: number }
  | { readonly do: 'flush' | 'markStale' | 'sweepStale' | 'pump' | 'refresh' }
  | { readonly do: 'reconnect'; readonly receive: boolean; readonly send: boolean }
  | { readonly do: 'import' | 'export'; readonly policy: number }
);
type Step =
  | PeerStep
  | { readonly do: 'settle'; readonly limit: number }
  | { readonly do: 'originate'; readonly prefixes: readonly string[] };

const stepsOf = (peers: number): fc.Arbitrary<readonly Step[]> => {
  const peer = fc.nat(peers - 1);
  const prefix = fc.nat(PREFIXES.length - 1);
  const pathId = fc.nat(2);
  const policy = fc.nat(POLICIES.length - 1);
  const step = (doing: Step['do'], fields: Record<string, fc.Arbitrary<unknown>>) =>
    fc.record({ do: fc.constant(doing), ...fields }) as fc.Arbitrary<Step>;
  const ofPeer = fc.constantFrom('flush', 'markStale', 'sweepStale', 'pump', 'pump', 'refresh');
  const one = fc.oneof(
    { weight: 5, arbitrary: step('announce', { peer, prefix, set: fc.nat(SETS.length - 1), pathId }) },
    { weight: 3, arbitrary: step('withdraw', { peer, prefix, pathId }) },
    { weight: 3, arbitrary: fc.record({ do: ofPeer, peer }) },
    { weight: 1, arbitrary: step('reconnect', { peer, receive: fc.boolean(), send: fc.boolean() }) },
    { weight: 1, arbitrary: step('import', { peer, policy }) },
    { weight: 1, arbitrary: step('export', { peer, policy }) },
    { weight: 4, arbitrary: step('settle', { limit: fc.integer({ min: 1, max: 2 }) }) },
    { weight: 1, arbitrary: step('originate', { prefixes: fc.subarray(PREFIXES) }) },
  );
  return fc.array(one, { maxLength: 60 });
};
const runs = fc.constantFrom(1, 2, 3).chain((peers) => fc.tuple(fc.constant(peers), stepsOf(peers)));

interface Path {
  readonly set: number;
  readonly pathId: number | undefined;
  stale: boolean;
}

class ModelPeer {
  receive = false;
  send = false;
  imports = POLICIES[0]!;
  exports = POLICIES[0]!;
  /** By prefix. */
  readonly paths = new Map<string, Path[]>();

  put(prefix: string, pathId: number | undefined, set: number | undefined): void {
    // Without ADD-PATH there is one path; with it, a path without identifier gives way to the first new one.
    const before = (this.paths.get(prefix) ?? []).filter((path) => pathId !== undefined && path.pathId !== pathId);
    const isNew = this.paths.get(prefix)?.some((path) => path.pathId === pathId) !== true;
    const kept = isNew && set !== undefined ? before.filter((path) => path.pathId !== undefined) : before;
    this.paths.set(prefix, set === undefined ? kept : [...kept, { set, pathId, stale: false }]);
  }
}

interface Found {
  /** Undefined: this node. */
  readonly peer: number | undefined;
  readonly set: number;
  readonly attributes: PathAttributes;
}

/** What the steps come to, worked out from scratch. */
class Model {
  own: readonly string[] = [];
  readonly peers: readonly ModelPeer[];

  constructor(peers: number) {
    this.peers = Array.from({ length: peers }, () => new ModelPeer());
  }

  take(step: Step): void {
    if (step.do === 'originate') this.own = step.prefixes;
    if (!('peer' in step)) return;
    const peer = this.peers[step.peer]!;
    switch (step.do) {
      case 'announce':
      case 'withdraw': {
        const pathId = peer.receive ? step.pathId : undefined;
        peer.put(PREFIXES[step.prefix]!, pathId, step.do === 'announce' ? step.set : undefined);
        return;
      }
      case 'flush':
        peer.paths.clear();
        return;
      case 'markStale':
        for (const path of [...peer.paths.values()].flat()) path.stale = true;
        return;
      case 'sweepStale':
        for (const [prefix, paths] of peer.paths)
          peer.paths.set(
            prefix,
            paths.filter(({ stale }) => !stale),
          );
        return;
      case 'reconnect':
        peer.receive = step.receive;
        peer.send = step.send;
        return;
      case 'import':
        peer.imports = POLICIES[step.policy]!;
        return;
      case 'export':
        peer.exports = POLICIES[step.policy]!;
        return;
      default: // changes nothing of what the peers said
    }
  }

  /** All usable paths of a prefix, best first and then the equal ones in order, then the rest. */
  paths(prefix: string): { readonly all: readonly Found[]; readonly equal: readonly Found[] } {
    const found: Found[] = this.own.includes(prefix)
      ? [{ peer: undefined, set: -1, attributes: { origin: 'igp', asPath: [] } }]
      : [];
    const ids: number[] = found.map(() => 0);
    for (const [at, peer] of this.peers.entries()) {
      for (const { set, pathId = 0 } of peer.paths.get(prefix) ?? []) {
        const attributes = set === SETS.length - 1 ? undefined : peer.imports.used(set, prefix);
        if (attributes === undefined) continue;
        found.push({ peer: at, set, attributes });
        ids.push(pathId);
      }
    }
    const candidates = found.map(({ peer, attributes }, i): Candidate => ({
      ...decisionRecord(attributes),
      source: i,
      local: peer === undefined,
      external: peer !== undefined,
      igpCost: 0,
      routerId: peer === undefined ? 0 : peer + 10,
      peerAddress: BigInt(peer ?? 0),
      pathId: ids[i]!,
    }));
    return { all: found, equal: (selectBest(candidates)?.multipath ?? []).map(({ source }) => found[source]!) };
  }

  learned(): readonly string[] {
    return PREFIXES.flatMap((prefix) => {
      const { equal } = this.paths(prefix);
      const [first, ...others] = equal.map(({ set }) => `10.8.0.${set + 1}`);
      if (first === undefined || equal[0]?.peer === undefined) return [];
      return [`${prefix} via ${[...new Set([first, ...others.sort()])].join(', ')}`];
    });
  }

  /** The marks of the paths that a peer is to have. */
  has(at: number, prefix: string): readonly string[] {
    const { all, equal } = this.paths(prefix);
    const { send, exports } = this.peers[at]!;
    const offered = send ? all : equal.slice(0, 1);
    return offered
      .filter(({ peer, set }) => peer !== at && (peer === undefined || exports.used(set, prefix) !== undefined))
      .filter(({ peer }) => peer !== undefined || exports !== POLICIES[2] || prefix !== PREFIXES[1])
      .map(({ peer, set }) => (peer === undefined ? 'own' : String(set + 1)))
      .sort();
  }
}

function perform(bench: RoutingBench, step: Step, model: Model): void {
  const { routing } = bench;
  if (step.do === 'originate') bench.originate(step.prefixes);
  if (step.do === 'settle') routing.settle(step.limit);
  if (!('peer' in step)) return;
  const peer = bench.peers[step.peer]!;
  const withId = (pathId: number) => (model.peers[step.peer]!.receive ? { pathId } : {});
  switch (step.do) {
    case 'announce':
      bench.announce(step.peer, PREFIXES[step.prefix]!, { attributes: SETS[step.set]!, ...withId(step.pathId) });
      return;
    case 'withdraw':
      bench.withdraw(step.peer, PREFIXES[step.prefix]!, withId(step.pathId).pathId);
      return;
    case 'flush':
    case 'sweepStale':
    case 'refresh':
      routing[step.do](peer, 4);
      return;
    case 'markStale':
      peer.adjRibIn[4].markStale();
      return;
    case 'pump':
      bench.pump(step.peer);
      return;
    case 'reconnect':
      bench.down(step.peer);
      bench.up(step.peer, { addPath: { send: step.send, receive: step.receive } });
      return;
    case 'import':
      bench.adjust(step.peer, { importFilters: POLICIES[step.policy]!.filters });
      return;
    case 'export':
      bench.adjust(step.peer, { exportFilters: POLICIES[step.policy]!.filters });
  }
}

test('whatever comes and whenever it is selected: reading never throws, every change is news, and all ends as it must', () => {
  fc.assert(
    fc.property(runs, fc.boolean(), ([peers, list], isAtOnce) => {
      const bench = new RoutingBench(
        ADDRESSES.slice(0, peers).map((address) => ({ address })),
        {},
        isAtOnce,
      );
      const model = new Model(peers);
      for (const step of list) {
        const [before, news] = [bench.learned().join('; '), bench.news];
        perform(bench, step, model);
        model.take(step);
        if (bench.learned().join('; ') !== before) expect(bench.news).toBeGreaterThan(news);
      }
      bench.sync();
      expect(bench.learned()).toEqual(model.learned());
      for (const at of bench.peers.keys()) {
        for (const prefix of PREFIXES) expect(bench.has(at, prefix)).toEqual(model.has(at, prefix));
      }
      expect(bench.held()).toEqual([0, 0, 0]);
    }),
    { numRuns: 300 },
  );
});
