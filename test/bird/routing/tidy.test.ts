import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { PathAttributes } from '../../../bird/wire.ts';
import { formatPrefix } from '../../../src/model/ip.ts';
import type { IpFamily } from '../../../src/model/ip.ts';
import { attributesOf, octetsOf, RoutingBench } from '../../support/routing-bench.ts';
import type { SessionText } from '../../support/routing-bench.ts';

/** More than the tables keep without an effort. */
const COUNT = 2500;
const NUMBERS = Array.from({ length: COUNT }, (_, i) => i);
const FAMILIES = {
  4: { prefixes: NUMBERS.map((i) => `10.${i >> 8}.${i & 255}.0/24`), network: '10.9.0.', nextHop: '10.8.0.1' },
  6: {
    prefixes: NUMBERS.map((i) => `2001:db8:${(i + 1).toString(16)}::/48`),
    network: 'fd00:9::',
    nextHop: 'fd00:8::1',
  },
};
const attributesIn = (family: IpFamily, mark: number): PathAttributes =>
  attributesOf(mark, { nextHop: octetsOf(FAMILIES[family].nextHop) });
const LISTENER = 2;

type Step =
  | { readonly do: 'announce' | 'withdraw'; readonly peer: number; readonly from: number; readonly share: number }
  | { readonly do: 'tidy'; readonly rows: number; readonly times: number }
  | { readonly do: 'sync' }
  | { readonly do: 'settle' };

const change: fc.Arbitrary<Step> = fc.record({
  do: fc.constantFrom('announce' as const, 'withdraw' as const, 'withdraw' as const),
  peer: fc.nat(1),
  from: fc.nat(COUNT - 1),
  /** Of all prefixes, from there on and around. */
  share: fc.constantFrom(0.01, 0.5, 1),
});
const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof<fc.MaybeWeightedArbitrary<Step>[]>(
    { weight: 4, arbitrary: change },
    {
      weight: 3,
      arbitrary: fc.record({ do: fc.constant('tidy' as const), rows: fc.constantFrom(10, 700), times: fc.nat(5) }),
    },
    { weight: 3, arbitrary: fc.constantFrom<Step>({ do: 'sync' }, { do: 'settle' }) },
  ),
  { maxLength: 20 },
);

const benchOf = (family: IpFamily, sessions: readonly SessionText[] = []): RoutingBench =>
  new RoutingBench(
    [0, 1, 2].map((at) => ({
      ...{ address: `${FAMILIES[family].network}${2 + at}`, remoteAsn: 65001 + at, families: [family] },
      session: sessions[at] ?? {},
    })),
  );

test.each([4, 6] as const)(
  'IPv%s: whatever is put in order between changes: selected, told and shown is what the peers say, and nothing of it stays',
  (family) => {
    const all = FAMILIES[family].prefixes;
    fc.assert(
      fc.property(steps, (list) => {
        const bench = benchOf(family);
        const said = [new Set<string>(), new Set<string>()];
        for (const step of [...list, { do: 'sync' } as const]) {
          if (step.do === 'sync') {
            bench.sync();
            const wanted = all.filter((prefix) => said.some((of) => of.has(prefix)));
            const views = bench.views().map(({ prefix }) => formatPrefix(prefix));
            expect(new Set(views)).toEqual(new Set(wanted));
            expect([...bench.told[LISTENER]!.keys()].sort()).toEqual(wanted.sort());
            expect(bench.learned().length).toBe(wanted.length);
            expect(bench.routing.tables[family].prefixes.size).toBe(wanted.length);
          } else if (step.do === 'settle') bench.settle();
          else if (step.do === 'tidy') for (let i = 0; i < step.times; i++) bench.routing.tidy(step.rows);
          else {
            const { peer, from, share } = step;
            for (let i = 0; i < COUNT * share; i++) {
              const prefix = all[(from + i) % COUNT]!;
              if (step.do === 'announce') bench.announce(peer, prefix, { attributes: attributesIn(family, 1 + peer) });
              else bench.withdraw(peer, prefix);
              if (step.do === 'announce') said[peer]!.add(prefix);
              else said[peer]!.delete(prefix);
            }
          }
        }
      }),
      { numRuns: family === 4 ? 25 : 8 },
    );
  },
);

test.each([4, 6] as const)(
  'IPv%s: what several paths of many prefixes took is given back, be the prefixes there still or not',
  (family) => {
    const all = FAMILIES[family].prefixes;
    /** Two peers whose paths are as good, told to one that takes all of them. */
    const bench = benchOf(family, [{}, {}, { addPath: { send: true, receive: true } }]);
    const { prefixes, locRib, paths } = bench.routing.tables[family];
    const octets = () => [locRib.octets, paths.octets];
    const tidy = (): void => {
      expect(bench.routing.isUntidy).toBe(true);
      while (bench.routing.tidy(700));
      expect(bench.routing.isUntidy).toBe(false);
    };
    const [before] = octets();
    for (const peer of [0, 1]) {
      for (const prefix of all) bench.announce(peer, prefix, { attributes: attributesIn(family, 1) });
    }
    bench.sync();
    expect(locRib.equals(0)?.length).toBe(2);
    const [full, fullPaths] = octets();

    for (const prefix of all) bench.withdraw(1, prefix);
    bench.sync();
    tidy();
    expect(prefixes.size).toBe(COUNT);
    // Two links, of eight octets and of twelve, for each.
    expect(full! - locRib.octets).toBeGreaterThan(40 * COUNT);

    for (const prefix of all) bench.withdraw(0, prefix);
    bench.sync();
    tidy();
    expect(locRib.octets).toBeLessThan(2 * before!);
    expect(paths.octets).toBeLessThan(fullPaths! / 100);

    for (const peer of [0, 1]) bench.announce(peer, all[7]!, { attributes: attributesIn(family, 1) });
    bench.sync();
    expect([locRib.equals(0)?.length, [...bench.told[LISTENER]!.keys()].length]).toEqual([2, 2]);
    expect(bench.held()).toEqual([0, 0, 0]);
  },
);

test.each([4, 6] as const)(
  'IPv%s: when all routes are gone the tables are as long as in the beginning, and what comes then is told',
  (family) => {
    const all = FAMILIES[family].prefixes;
    const bench = benchOf(family);
    const { prefixes, locRib } = bench.routing.tables[family];
    const told = () => bench.routing.exports.explain(bench.peers[LISTENER]!, family, { prefix: 0, source: 1 })?.kind;
    const rows = () => [prefixes.capacity, locRib.rows];
    const before = rows();
    for (const prefix of all) bench.announce(0, prefix, { attributes: attributesIn(family, 1) });
    bench.sync();
    expect(rows().every((count) => count >= COUNT)).toBe(true);

    for (const prefix of all) bench.withdraw(0, prefix);
    expect(bench.routing.tidy(COUNT)).toBe(false);
    bench.sync();
    expect(rows().every((count) => count >= COUNT)).toBe(true);
    let slices = 1;
    while (bench.routing.tidy(100)) slices++;
    expect([slices, rows()]).toEqual([COUNT / 100, before]);

    bench.announce(0, all[7]!, { attributes: attributesIn(family, 1) });
    bench.sync();
    expect([[...bench.told[LISTENER]!.keys()], told()]).toEqual([[all[7]], 'send']);
    expect(bench.held()).toEqual([0, 0, 0]);
  },
);
