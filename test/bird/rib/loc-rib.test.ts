import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AttributeCache } from '../../../bird/rib/attribute-cache.ts';
import { decisionRecord } from '../../../bird/rib/decision-record.ts';
import { decisionProcess, selectBest } from '../../../bird/rib/decision.ts';
import type { Candidate } from '../../../bird/rib/decision.ts';
import { ABSENT } from '../../../bird/rib/int-table.ts';
import { LocRib } from '../../../bird/rib/loc-rib.ts';
import type { Best, Deciding, PathPeer } from '../../../bird/rib/loc-rib.ts';
import { PrefixTable } from '../../../bird/rib/prefix-table.ts';
import { qualityOf } from '../../../bird/rib/quality.ts';
import { LLGR_STALE } from '../../../bird/rib/well-known.ts';
import type { PathAttributes } from '../../../bird/wire.ts';
import { canonicalAttributes } from '../../../bird/wire.ts';
import { pathAttributes } from '../../support/bgp-arbitraries.ts';
import { keptSet } from '../../support/kept-set.ts';

const LOCAL = 0;
/** Two peers outside, two inside. */
const SOURCES = [LOCAL, 1, 2, 3, 4];
const isExternal = (source: number): boolean => source === 1 || source === 2;
/** Two of the same BGP Identifier, as of one router: then the address decides. */
const peerOf = (source: number): PathPeer | undefined =>
  source === LOCAL
    ? undefined
    : {
        identity: { bgpIdentifier: [0, 9, 9, 7, 3][source]!, external: isExternal(source) },
        addressValue: BigInt(10 - source),
      };

/** Few values, so that paths are often equal, or nearly so. */
const sets: fc.Arbitrary<PathAttributes> = fc
  .record({
    localPref: fc.constantFrom(undefined, 0, 100, 200, 0xffff_ffff),
    asns: fc.constantFrom([], [1], [2], [1, 2], [2, 1]),
    origin: fc.constantFrom('igp' as const, 'incomplete' as const),
    med: fc.constantFrom(undefined, 0, 5, 0xffff_ffff),
    communities: fc.constantFrom(undefined, undefined, [7, LLGR_STALE]),
    reflected: fc.constantFrom({}, {}, {}, {}, { originatorId: 1 }, { originatorId: 8, clusterList: [5, 6] }),
  })
  .map(({ localPref, asns, origin, med, communities, reflected }) => ({
    origin,
    asPath: asns.length === 0 ? [] : [{ type: asns[0] === 2 ? ('set' as const) : ('sequence' as const), asns }],
    ...(localPref !== undefined && { localPref }),
    ...(med !== undefined && { med }),
    ...(communities !== undefined && { communities }),
    ...reflected,
  }));

function setUp(deciding: (attributes: AttributeCache) => Omit<Deciding, 'own'>) {
  const memory = { prefixes: new PrefixTable(4, 1), attributes: new AttributeCache() };
  const locRib = new LocRib(memory, { own: LOCAL, ...deciding(memory.attributes) });
  const offers = new Map<number, Map<number, number>>(SOURCES.map((source) => [source, new Map<number, number>()]));
  for (const source of SOURCES) {
    locRib.addSource(source, { usable: (prefix) => offers.get(source)!.get(prefix) ?? ABSENT });
  }
  return { ...memory, locRib, offers };
}

const candidateOf =
  (cache: AttributeCache) =>
  (source: number, attributes: number): Candidate => {
    const record = decisionRecord(cache.attributes(attributes));
    const { identity, addressValue } = peerOf(source) ?? { identity: { bgpIdentifier: 0 }, addressValue: 0n };
    return {
      ...record,
      source,
      local: source === LOCAL,
      external: isExternal(source),
      igpCost: 0,
      routerId: record.originatorId ?? identity.bgpIdentifier,
      peerAddress: addressValue,
      pathId: 0,
    };
  };

/** One source offers another path, or none; then perhaps selection runs. A set is one of a few, so that many paths tie. */
const changes = fc.array(
  fc.record({
    source: fc.constantFrom(...SOURCES, ...SOURCES.slice(1), ...SOURCES.slice(1)),
    set: fc.option(fc.nat(3), { freq: 6, nil: undefined }),
    isSettled: fc.boolean(),
  }),
  { maxLength: 30 },
);
const pools = fc.array(sets, { minLength: 1, maxLength: 4 });
const flags = fc.tuple(fc.boolean(), fc.boolean(), fc.boolean());

test('whatever changes and whenever it is selected, the short way finds what the elimination finds, best and equals', () => {
  let [short, idle, atOnce] = [0, 0, 0];
  fc.assert(
    fc.property(fc.tuple(pools, changes), flags, ([pool, list], [alwaysCompareMed, hearsOfAll, isAtOnce]) => {
      const process = decisionProcess({ alwaysCompareMed });
      let full = 0;
      const { locRib, offers, attributes, prefixes } = setUp((cache) => ({
        candidateOf: candidateOf(cache),
        select: (candidates) => {
          full++;
          return selectBest(candidates, process);
        },
        short: { peerOf, alwaysCompareMed },
        hearsOfAll: () => hearsOfAll,
      }));
      const prefix = prefixes.intern(1, 0, 0, 0, 24);
      prefixes.retain(prefix);
      const news: string[] = [];
      const listener = {
        bestChanged: () => news.push('best'),
        bestsChanged: (ids: Int32Array, count: number) => {
          expect([...ids.subarray(0, count)]).toEqual([prefix]);
          news.push('best');
          atOnce++;
        },
        equalsChanged: () => news.push('equals'),
        settled: undefined,
      };
      if (isAtOnce) locRib.selectAtOnce(listener);
      let before = order(locRib, prefix);
      for (const { source, set: at, isSettled } of list) {
        const set = at === undefined ? undefined : pool[at % pool.length];
        const own = offers.get(source)!;
        const areNew = !own.has(prefix);
        if (set === undefined) own.delete(prefix);
        else own.set(prefix, attributes.intern(set));
        if (set !== undefined) attributes.retain(own.get(prefix)!);
        const ids = Int32Array.of(prefix);
        if (set === undefined) locRib.withdrawn(ids, 1, source);
        else locRib.offered(ids, 1, { source, attributes: own.get(prefix)!, areNew });
        const isDue = locRib.hasDirty;
        if (!isDue && news.length === 0) idle++;
        expect(isDue || !hearsOfAll).toBe(true);
        if (!isSettled) continue;
        full = 0;
        locRib.settle(1, listener);
        const all = SOURCES.filter((each) => offers.get(each)!.has(prefix));
        if (all.length > 1 && full === 0) short++;
        const found = selectBest(
          all.map((each) => candidateOf(attributes)(each, offers.get(each)!.get(prefix)!)),
          process,
        );
        const paths = (found?.multipath ?? []).map((path): Best => ({
          source: path.source,
          attributes: offers.get(path.source)!.get(prefix)!,
        }));
        expect(locRib.best(prefix)).toEqual(paths[0]);
        expect(order(locRib, prefix)).toEqual(bestFirst(paths));
        if (news.length === 0) expect(order(locRib, prefix)).toEqual(before);
        before = order(locRib, prefix);
        news.length = 0;
      }
    }),
    { numRuns: 1000 },
  );
  expect(short).toBeGreaterThan(1000);
  expect(idle).toBeGreaterThan(100);
  expect(atOnce).toBeGreaterThan(100);
});

const order = (locRib: LocRib, prefix: number): readonly Best[] =>
  bestFirst(locRib.equals(prefix) ?? [locRib.best(prefix) ?? []].flat());

/** Those behind the best in no order. */
const bestFirst = ([best, ...others]: readonly Best[]): readonly Best[] =>
  best === undefined ? [] : [best, ...others.sort((a, b) => a.source - b.source)];

const deciding = (cache: AttributeCache): Omit<Deciding, 'own'> => ({
  candidateOf: candidateOf(cache),
  select: selectBest,
  short: { peerOf, alwaysCompareMed: false },
  hearsOfAll: () => false,
});

const nothing = (): undefined => undefined;
const QUIET = { bestChanged: nothing, bestsChanged: nothing, equalsChanged: nothing, settled: undefined };

test('two equal paths that go before selection runs leave no list behind without a best path', () => {
  const { locRib, offers, attributes, prefixes } = setUp(deciding);
  locRib.selectAtOnce(QUIET);
  const prefix = prefixes.intern(1, 0, 0, 0, 24);
  prefixes.retain(prefix);
  const set = attributes.intern({ origin: 'igp', asPath: [] });
  for (const source of [1, 2]) {
    offers.get(source)!.set(prefix, set);
    locRib.offered(Int32Array.of(prefix), 1, { source, attributes: set, areNew: true });
  }
  locRib.settle(1, QUIET);
  const paths = locRib.equals(prefix);
  expect(paths?.map(({ source }) => source).sort()).toEqual([1, 2]);
  for (const { source } of [...paths!].reverse()) {
    offers.get(source)!.delete(prefix);
    locRib.withdrawn(Int32Array.of(prefix), 1, source);
    expect([locRib.best(prefix), locRib.equals(prefix)]).toEqual([paths![0], paths]);
  }
  locRib.settle(1, QUIET);
  expect([locRib.best(prefix), locRib.equals(prefix), attributes.size]).toEqual([undefined, undefined, 0]);
});

test('attribute sets of equal paths are held while they are selected, and no longer', () => {
  const { locRib, offers, attributes, prefixes } = setUp(deciding);
  const all = Array.from({ length: 50 }, (_, i) => {
    const prefix = prefixes.intern(i, 0, 0, 0, 32);
    prefixes.retain(prefix);
    return prefix;
  });
  for (const [round, med] of [1, 2, undefined, 3].entries()) {
    for (const prefix of all) {
      for (const source of [1, 2]) {
        const own = offers.get(source)!;
        if (med === undefined) own.delete(prefix);
        else own.set(prefix, attributes.intern({ origin: 'igp', asPath: [], med, localPref: prefix }));
        locRib.touch(prefix, source);
        if (med !== undefined) attributes.retain(own.get(prefix)!);
      }
    }
    locRib.settle(all.length, QUIET);
    for (const prefix of all) {
      expect(locRib.equals(prefix)?.length, `round ${round}`).toBe(med === undefined ? undefined : 2);
      if (med === undefined) continue;
      // What the source held is let go: what is left is the best's hold and one for each of the equal paths.
      for (const source of [1, 2]) attributes.release(offers.get(source)!.get(prefix)!);
    }
    expect(attributes.size).toBe(med === undefined ? 0 : all.length);
  }
});

test('every prefix that is due is settled once, in the order in which it came, however many wait', () => {
  const steps = fc.array(fc.tuple(fc.nat(60_000), fc.nat(3000), fc.nat(4000)), { maxLength: 12 });
  fc.assert(
    fc.property(steps, (list) => {
      const { locRib, prefixes } = setUp(() => ({
        candidateOf: () => expect.fail('nothing is offered'),
        select: () => undefined,
        short: undefined,
        hearsOfAll: () => false,
      }));
      const due = new Set<number>();
      for (const [from, count, limit] of list) {
        for (let i = 0; i < count; i++) {
          const prefix = prefixes.intern(from + i, 0, 0, 0, 32);
          locRib.touch(prefix, 1);
          due.add(prefix);
        }
        const settled: number[] = [];
        const settle = (prefix: number): number => settled.push(prefix);
        locRib.settle(limit, {
          bestChanged: settle,
          bestsChanged: () => expect.fail('nothing is selected at once'),
          equalsChanged: settle,
          settled: settle,
        });
        expect(settled).toEqual([...due].slice(0, limit));
        for (const prefix of settled) due.delete(prefix);
        expect([locRib.hasDirty, prefixes.size]).toEqual([due.size > 0, due.size]);
      }
    }),
    { numRuns: 50 },
  );
});

test('the rank orders sets as the rules do, one after the other', () => {
  const all = fc.oneof(sets, pathAttributes);
  const keys = (set: PathAttributes): readonly number[] => {
    const { longLivedStale, localPref, asPathLength, origin } = decisionRecord(set);
    return [Number(longLivedStale), -localPref, asPathLength, origin];
  };
  const compare = (a: readonly number[], b: readonly number[]): number => {
    const at = a.findIndex((key, i) => key !== b[i]);
    return at === -1 ? 0 : Math.sign(a[at]! - b[at]!);
  };
  fc.assert(
    fc.property(all, all, (a, b) => {
      const [one, other] = [qualityOf(keptSet(canonicalAttributes(a))), qualityOf(keptSet(canonicalAttributes(b)))];
      expect(Math.sign(one.rank - other.rank)).toBe(compare(keys(a), keys(b)));
      expect(one.med).toBe(a.med ?? 0);
      expect(one.neighborAs).toBe(decisionRecord(a).neighborAs);
      expect(one.isReflected).toBe(a.originatorId !== undefined || (a.clusterList ?? []).length > 0);
    }),
    { numRuns: 1000 },
  );
});
