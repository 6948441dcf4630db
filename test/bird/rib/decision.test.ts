import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decisionProcess, selectBest } from '../../../bird/rib/decision.ts';
import type { Candidate } from '../../../bird/rib/decision.ts';

const candidate = (changes: Partial<Candidate> = {}): Candidate => ({
  source: 1,
  local: false,
  longLivedStale: false,
  aigp: undefined,
  pathId: 0,
  localPref: 100,
  asPathLength: 1,
  origin: 0,
  med: 0,
  neighborAs: 65001,
  external: true,
  igpCost: 0,
  routerId: 1,
  clusterListLength: 0,
  peerAddress: 1n,
  ...changes,
});

/** In the order of the rules: the first wins although all that comes later speaks for the second. */
const RANKING: readonly (readonly [string, Partial<Candidate>, Partial<Candidate>])[] = [
  ['originated by this node', { local: true, longLivedStale: true }, { localPref: 900 }],
  ['not long-lived stale', {}, { longLivedStale: true, localPref: 900 }],
  ['higher LOCAL_PREF', { localPref: 200 }, { asPathLength: 0 }],
  ['a) shorter AS_PATH', { origin: 2 }, { asPathLength: 2 }],
  ['b) lower ORIGIN', { med: 9 }, { origin: 1 }],
  ['c) lower MED per neighboring AS', { external: false }, { med: 9 }],
  ['d) EBGP over IBGP', { igpCost: 9 }, { external: false }],
  ['e) lower interior cost', { routerId: 9 }, { igpCost: 9 }],
  ['f) lower BGP Identifier', { clusterListLength: 9 }, { routerId: 9 }],
  ['shorter CLUSTER_LIST', { peerAddress: 9n }, { clusterListLength: 9 }],
  ['g) lower peer address', { pathId: 9 }, { peerAddress: 9n }],
  ['lower path identifier', {}, { pathId: 9 }],
];

describe('each rule decides in its turn, whichever came first, and is named', () => {
  for (const [rule, better, worse] of RANKING) {
    test(rule, () => {
      const winner = candidate({ source: 1, ...better });
      const loser = candidate({ source: 2, ...worse });
      for (const order of [
        [winner, loser],
        [loser, winner],
      ]) {
        const selection = selectBest(order);
        expect(selection?.best).toBe(winner);
        expect(selection?.lostBy.get(loser)).toBe(rule);
      }
    });
  }
});

test('no candidate, no selection', () => expect(selectBest([])).toBeUndefined());

test('MED is compared within one neighboring AS alone', () => {
  const cheap = candidate({ source: 1, med: 0, neighborAs: 65001, routerId: 3 });
  const dear = candidate({ source: 2, med: 50, neighborAs: 65002, routerId: 1 });
  const dearer = candidate({ source: 3, med: 60, neighborAs: 65002, routerId: 0 });
  expect(selectBest([cheap, dear, dearer])?.best).toBe(dear);
});

test('paths that differ in tie-breaks alone go side by side', () => {
  const [a, b, c] = [
    candidate({ source: 1, routerId: 2 }),
    candidate({ source: 2, routerId: 1, peerAddress: 5n }),
    candidate({ source: 3, asPathLength: 2 }),
  ];
  expect(selectBest([a, b, c])?.multipath).toEqual([b, a]);
});

describe('as it is set', () => {
  const always = decisionProcess({ alwaysCompareMed: true });
  const withAigp = decisionProcess({ aigp: true });

  test('MED is compared between neighboring ASes too', () => {
    const cheap = candidate({ source: 1, med: 1, neighborAs: 65001, routerId: 9 });
    const dear = candidate({ source: 2, med: 2, neighborAs: 65002, routerId: 1 });
    expect(selectBest([cheap, dear])?.best).toBe(dear);
    expect(selectBest([dear, cheap], always)?.best).toBe(cheap);
    expect(selectBest([dear, cheap], always)?.lostBy.get(dear)).toBe('c) lower MED');
  });

  test('AIGP decides after LOCAL_PREF and before AS_PATH, and a path with it beats one without', () => {
    const near = candidate({ source: 1, aigp: 5n, asPathLength: 9 });
    const far = candidate({ source: 2, aigp: 2n ** 60n });
    const none = candidate({ source: 3, asPathLength: 0 });
    const preferred = candidate({ source: 4, localPref: 200 });
    expect(selectBest([none, far, near])?.best).toBe(none);
    const selection = selectBest([none, far, near], withAigp);
    expect(selection?.best).toBe(near);
    expect([none, far].map((each) => selection?.lostBy.get(each))).toEqual(['AIGP over none', 'lower AIGP']);
    expect(selectBest([near, preferred], withAigp)?.best).toBe(preferred);
  });

  test('AIGP counts with the interior cost', () => {
    const a = candidate({ source: 1, aigp: 10n, igpCost: 5 });
    const b = candidate({ source: 2, aigp: 12n, igpCost: 1 });
    expect(selectBest([a, b], withAigp)?.best).toBe(b);
  });
});

/** Mostly equal, so that the rules where order could matter are really reached; each its own address or path. */
const candidates = fc
  .array(
    fc.record({
      longLivedStale: fc.constantFrom(false, false, false, true),
      aigp: fc.constantFrom(undefined, undefined, undefined, 1n, 2n),
      med: fc.constantFrom(0, 0, 1, 2),
      as: fc.nat(2),
      external: fc.constantFrom(true, true, true, false),
      routerId: fc.nat(1),
      peer: fc.nat(1),
    }),
    { minLength: 2, maxLength: 5 },
  )
  .map((list) =>
    list.map(({ as, peer, ...rest }, i) =>
      candidate({ source: i, neighborAs: as, peerAddress: BigInt(peer), pathId: 9 - i, ...rest }),
    ),
  );

const processes = fc
  .record({ alwaysCompareMed: fc.boolean(), aigp: fc.boolean() })
  .map((settings) => decisionProcess(settings));

const permutations = <T>(list: readonly T[]): readonly (readonly T[])[] =>
  list.length <= 1
    ? [list]
    : list.flatMap((one, i) => permutations([...list.slice(0, i), ...list.slice(i + 1)]).map((rest) => [one, ...rest]));

test('the best route and the equal paths do not depend on the order of arrival', () => {
  fc.assert(
    fc.property(candidates, processes, (routes, process) => {
      const selections = permutations(routes).map((order) => selectBest(order, process)!);
      expect(new Set(selections.map(({ best }) => best)).size).toBe(1);
      expect(new Set(selections.map(({ multipath }) => multipath.map(({ source }) => source).join())).size).toBe(1);
    }),
  );
});

test('MED compared everywhere is a total order: what two make of it, more do not change', () => {
  fc.assert(
    fc.property(candidates, (routes) => {
      const process = decisionProcess({ alwaysCompareMed: true });
      const winner = routes.reduce((a, b) => selectBest([a, b], process)!.best);
      expect(selectBest(routes, process)!.best).toBe(winner);
    }),
  );
});

test('every candidate but the best has a rule that removed it', () => {
  fc.assert(
    fc.property(candidates, processes, (routes, process) => {
      const { best, lostBy } = selectBest(routes, process)!;
      expect([...lostBy.keys(), best].map(({ source }) => source).sort()).toEqual(routes.map(({ source }) => source));
    }),
  );
});
