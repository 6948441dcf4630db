import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatPrefix } from '../../../src/model/ip.ts';
import { attributesOf, RoutingBench } from '../../support/routing-bench.ts';

/** More than the tables keep without an effort. */
const COUNT = 2500;
const PREFIXES = Array.from({ length: COUNT }, (_, i) => `10.${i >> 8}.${i & 255}.0/24`);
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

const benchOf = (): RoutingBench =>
  new RoutingBench([
    { address: '10.9.0.2', remoteAsn: 65001 },
    { address: '10.9.0.3', remoteAsn: 65002 },
    { address: '10.9.0.4', remoteAsn: 65003 },
  ]);

test('whatever is put in order between changes: selected, told and shown is what the peers say, and nothing of it stays', () => {
  fc.assert(
    fc.property(steps, (list) => {
      const bench = benchOf();
      const said = [new Set<string>(), new Set<string>()];
      for (const step of [...list, { do: 'sync' } as const]) {
        if (step.do === 'sync') {
          bench.sync();
          const wanted = PREFIXES.filter((prefix) => said.some((of) => of.has(prefix)));
          const views = bench.views().map(({ prefix }) => formatPrefix(prefix));
          expect(new Set(views)).toEqual(new Set(wanted));
          expect([...bench.told[LISTENER]!.keys()].sort()).toEqual(wanted.sort());
          expect(bench.learned().length).toBe(wanted.length);
          expect(bench.routing.tables[4].prefixes.size).toBe(wanted.length);
        } else if (step.do === 'settle') bench.settle();
        else if (step.do === 'tidy') for (let i = 0; i < step.times; i++) bench.routing.tidy(step.rows);
        else {
          const { peer, from, share } = step;
          for (let i = 0; i < COUNT * share; i++) {
            const prefix = PREFIXES[(from + i) % COUNT]!;
            if (step.do === 'announce') bench.announce(peer, prefix, { attributes: attributesOf(1 + peer) });
            else bench.withdraw(peer, prefix);
            if (step.do === 'announce') said[peer]!.add(prefix);
            else said[peer]!.delete(prefix);
          }
        }
      }
    }),
    { numRuns: 25 },
  );
});

/** Two peers whose paths are as good, told to one that takes all of them. */
const contested = (): RoutingBench =>
  new RoutingBench([
    { address: '10.9.0.2', remoteAsn: 65001 },
    { address: '10.9.0.3', remoteAsn: 65002, session: { bgpIdentifier: 3 } },
    { address: '10.9.0.4', remoteAsn: 65003, session: { addPath: { send: true, receive: true } } },
  ]);

test('what several paths of many prefixes took is given back, be the prefixes there still or not', () => {
  const bench = contested();
  const { prefixes, locRib, paths } = bench.routing.tables[4];
  const octets = () => [locRib.octets, paths.octets];
  const tidy = (): void => {
    expect(bench.routing.isUntidy).toBe(true);
    while (bench.routing.tidy(700));
    expect(bench.routing.isUntidy).toBe(false);
  };
  const [before] = octets();
  for (const peer of [0, 1]) {
    for (const prefix of PREFIXES) bench.announce(peer, prefix, { attributes: attributesOf(1) });
  }
  bench.sync();
  expect(locRib.equals(0)?.length).toBe(2);
  const [full, fullPaths] = octets();

  for (const prefix of PREFIXES) bench.withdraw(1, prefix);
  bench.sync();
  tidy();
  expect(prefixes.size).toBe(COUNT);
  // Two links, of eight octets and of twelve, for each.
  expect(full! - locRib.octets).toBeGreaterThan(40 * COUNT);

  for (const prefix of PREFIXES) bench.withdraw(0, prefix);
  bench.sync();
  tidy();
  expect(locRib.octets).toBeLessThan(2 * before!);
  expect(paths.octets).toBeLessThan(fullPaths! / 100);

  for (const peer of [0, 1]) bench.announce(peer, PREFIXES[7]!, { attributes: attributesOf(1) });
  bench.sync();
  expect([locRib.equals(0)?.length, [...bench.told[LISTENER]!.keys()].length]).toEqual([2, 2]);
  expect(bench.held()).toEqual([0, 0, 0]);
});

test('when all routes are gone the tables are as long as in the beginning, and what comes then is told', () => {
  const bench = benchOf();
  const { prefixes, locRib } = bench.routing.tables[4];
  const told = () => bench.routing.exports.explain(bench.peers[LISTENER]!, 4, { prefix: 0, source: 1 })?.kind;
  const rows = () => [prefixes.capacity, locRib.rows];
  const before = rows();
  for (const prefix of PREFIXES) bench.announce(0, prefix, { attributes: attributesOf(1) });
  bench.sync();
  expect(rows().every((count) => count >= COUNT)).toBe(true);

  for (const prefix of PREFIXES) bench.withdraw(0, prefix);
  expect(bench.routing.tidy(COUNT)).toBe(false);
  bench.sync();
  expect(rows().every((count) => count >= COUNT)).toBe(true);
  let slices = 1;
  while (bench.routing.tidy(100)) slices++;
  expect([slices, rows()]).toEqual([COUNT / 100, before]);

  bench.announce(0, PREFIXES[7]!, { attributes: attributesOf(1) });
  bench.sync();
  expect([[...bench.told[LISTENER]!.keys()], told()]).toEqual([[PREFIXES[7]], 'send']);
  expect(bench.held()).toEqual([0, 0, 0]);
});
