import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AttributeCache, decisionRecord } from '../../../bird/rib/attribute-cache.ts';
import { decisionProcess, selectBest } from '../../../bird/rib/decision.ts';
import type { Candidate } from '../../../bird/rib/decision.ts';
import { ABSENT } from '../../../bird/rib/int-table.ts';
import { LocRib } from '../../../bird/rib/loc-rib.ts';
import type { Deciding } from '../../../bird/rib/loc-rib.ts';
import { PrefixTable } from '../../../bird/rib/prefix-table.ts';
import { qualityOf } from '../../../bird/rib/quality.ts';
import { LLGR_STALE } from '../../../bird/rib/well-known.ts';
import type { PathAttributes } from '../../../bird/wire.ts';
import { canonicalAttributes } from '../../../bird/wire.ts';
import { pathAttributes } from '../../support/bgp-arbitraries.ts';

const LOCAL = 0;
/** Two peers outside, two inside. */
const SOURCES = [LOCAL, 1, 2, 3, 4];
const isExternal = (source: number): boolean => source === 1 || source === 2;

/** Few values, so that paths are often equal, or nearly so. */
const sets: fc.Arbitrary<PathAttributes> = fc
  .record({
    localPref: fc.constantFrom(undefined, 0, 100, 200, 0xffff_ffff),
    asns: fc.constantFrom([], [1], [2], [1, 2], [2, 1]),
    origin: fc.constantFrom('igp' as const, 'incomplete' as const),
    med: fc.constantFrom(undefined, 0, 5, 0xffff_ffff),
    communities: fc.constantFrom(undefined, undefined, [7, LLGR_STALE]),
  })
  .map(({ localPref, asns, origin, med, communities }) => ({
    origin,
    asPath: asns.length === 0 ? [] : [{ type: asns[0] === 2 ? ('set' as const) : ('sequence' as const), asns }],
    ...(localPref !== undefined && { localPref }),
    ...(med !== undefined && { med }),
    ...(communities !== undefined && { communities }),
  }));

function setUp(deciding: (attributes: AttributeCache) => Deciding) {
  const memory = { prefixes: new PrefixTable(4, 1), attributes: new AttributeCache() };
  const locRib = new LocRib(memory, deciding(memory.attributes));
  const offers = new Map<number, Map<number, number>>(SOURCES.map((source) => [source, new Map<number, number>()]));
  for (const source of SOURCES) {
    locRib.addSource(source, { usable: (prefix) => offers.get(source)!.get(prefix) ?? ABSENT });
  }
  return { ...memory, locRib, offers };
}

const candidateOf =
  (cache: AttributeCache) =>
  (source: number, attributes: number): Candidate => ({
    ...decisionRecord(cache.attributes(attributes)),
    source,
    local: source === LOCAL,
    external: isExternal(source),
    igpCost: 0,
    routerId: 5 - source,
    peerAddress: BigInt(source),
    pathId: 0,
  });

test('the short way finds what the elimination finds, best and equals', () => {
  const paths = fc.array(fc.tuple(fc.constantFrom(...SOURCES, ...SOURCES.slice(1)), sets), { maxLength: 5 });
  let short = 0;
  fc.assert(
    fc.property(fc.array(paths, { maxLength: 6 }), fc.boolean(), (rounds, alwaysCompareMed) => {
      const process = decisionProcess({ alwaysCompareMed });
      let full = 0;
      const { locRib, offers, attributes, prefixes } = setUp((cache) => ({
        candidateOf: candidateOf(cache),
        select: (candidates) => {
          full++;
          return selectBest(candidates, process);
        },
        originOf: (source) => (source === LOCAL ? 'local' : isExternal(source) ? 'external' : 'internal'),
      }));
      const prefix = prefixes.intern(1, 0, 0, 0, 24);
      prefixes.retain(prefix);
      for (const round of rounds) {
        for (const source of SOURCES) {
          const set = round.find(([own]) => own === source)?.[1];
          const own = offers.get(source)!;
          if (set === undefined) own.delete(prefix);
          else own.set(prefix, attributes.intern(set));
          if (set !== undefined) attributes.retain(own.get(prefix)!);
          locRib.touch(prefix, source);
        }
        full = 0;
        locRib.settle(1, { bestChanged: () => undefined, equalsChanged: () => undefined, settled: undefined });
        const all = SOURCES.filter((source) => offers.get(source)!.has(prefix));
        if (all.length > 1 && full === 0) short++;
        const found = selectBest(
          all.map((source) => candidateOf(attributes)(source, offers.get(source)!.get(prefix)!)),
          process,
        );
        const order = found?.multipath.map(({ source }) => source) ?? [];
        expect(locRib.best(prefix)?.source).toBe(order[0]);
        expect(locRib.equals(prefix)?.map(({ source }) => source)).toEqual(order.length > 1 ? order : undefined);
      }
    }),
    { numRuns: 500 },
  );
  expect(short).toBeGreaterThan(100);
});

test('every prefix that is due is settled once, in the order in which it came, however many wait', () => {
  const steps = fc.array(fc.tuple(fc.nat(60_000), fc.nat(3000), fc.nat(4000)), { maxLength: 12 });
  fc.assert(
    fc.property(steps, (list) => {
      const { locRib, prefixes } = setUp(() => ({
        candidateOf: () => expect.fail('nothing is offered'),
        select: () => undefined,
        originOf: undefined,
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
        locRib.settle(limit, { bestChanged: settle, equalsChanged: settle, settled: settle });
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
      const [one, other] = [qualityOf(canonicalAttributes(a)), qualityOf(canonicalAttributes(b))];
      expect(Math.sign(one.rank - other.rank)).toBe(compare(keys(a), keys(b)));
      expect(one.med).toBe(a.med ?? 0);
    }),
    { numRuns: 1000 },
  );
});
