/** Walks over whole tables, a little at a time: whatever changes between two steps, all ends as if each had been one. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NO_LLGR } from '../../../bird/rib/well-known.ts';
import type { PathAttributes } from '../../../bird/wire.ts';
import { attributesOf, RoutingBench } from '../../support/routing-bench.ts';

const PREFIXES = ['10.0.0.0/24', '10.0.1.0/24', '10.0.2.0/24', '10.0.3.0/24', '10.0.4.0/24', '10.0.5.0/24'];
const ADDRESSES = ['10.9.0.2', '10.9.0.3', '10.9.0.4'];

/** Two that are equally good, a longer one, and one that nobody may keep for long. */
const SETS: readonly PathAttributes[] = [
  attributesOf(1),
  attributesOf(2),
  attributesOf(3, { asPath: [{ type: 'sequence', asns: [65001, 65002] }] }),
  attributesOf(4, { communities: [4, NO_LLGR] }),
];
const FILTERS = [
  [],
  [{ name: 'none of 1', rules: [{ family: 4, action: 'reject', match: { community: 1 } }] }],
  [
    {
      name: 'prefer 3',
      rules: [
        { family: 4, action: 'accept', match: { community: 3 }, operations: [{ do: 'setLocalPref', localPref: 200 }] },
      ],
    },
  ],
] as const;

const WALKS = ['flush', 'sweepStale', 'startLongLived', 'refresh'] as const;

type Step = { readonly peer: number } & (
  | { readonly do: 'announce'; readonly prefix: number; readonly set: number; readonly pathId: number }
  | { readonly do: 'withdraw'; readonly prefix: number; readonly pathId: number }
  | { readonly do: (typeof WALKS)[number] | 'markStale' | 'pump' | 'remove' }
  | { readonly do: 'reconnect'; readonly addPath: boolean; readonly bgpIdentifier: number }
  | { readonly do: 'import' | 'export'; readonly filters: number }
  | { readonly do: 'originate'; readonly prefixes: readonly string[] }
);

interface Timed {
  readonly step: Step;
  /** How many rows of each walk come before the next step. */
  readonly slice: number;
}

/** Mostly the first: what overlaps must concern the same rows. */
const peer = fc.constantFrom(0, 0, 0, 0, 1, 2);
const prefix = fc.nat(PREFIXES.length - 1);
const pathId = fc.nat(2);
const step = (doing: Step['do'], fields: Record<string, fc.Arbitrary<unknown>>) =>
  fc.record({ do: fc.constant(doing), peer, ...fields }) as fc.Arbitrary<Step>;
const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: step('announce', { prefix, set: fc.nat(SETS.length - 1), pathId }) },
  { weight: 2, arbitrary: step('withdraw', { prefix, pathId }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom(...WALKS), peer }) },
  { weight: 3, arbitrary: step('markStale', {}) },
  { weight: 2, arbitrary: step('pump', {}) },
  { weight: 1, arbitrary: step('remove', {}) },
  { weight: 1, arbitrary: step('reconnect', { addPath: fc.boolean(), bgpIdentifier: fc.constantFrom(10, 20) }) },
  { weight: 1, arbitrary: step('import', { filters: fc.nat(2) }) },
  { weight: 1, arbitrary: step('export', { filters: fc.nat(2) }) },
  { weight: 1, arbitrary: step('originate', { prefixes: fc.subarray(PREFIXES) }) },
);
const runs = fc.array(fc.record({ step: steps, slice: fc.constantFrom(0, 0, 1, 2) }), { maxLength: 30 });

/** The tables after these steps; `isWhole`: each walk is over before the next step. */
class Run {
  readonly bench = new RoutingBench(ADDRESSES.map((address) => ({ address })));
  /** Where a peer stands in the bench: one that was removed and came back stands at the end. */
  readonly #at = ADDRESSES.map((_, i) => i);
  readonly #hasPathIds = ADDRESSES.map(() => false);

  constructor(list: readonly Timed[], isWhole: boolean) {
    for (const [at] of ADDRESSES.entries()) {
      for (const each of PREFIXES) this.bench.announce(at, each, { attributes: SETS[at]! });
    }
    this.bench.sync();
    for (const { step: next, slice } of list) {
      this.#perform(next);
      if (isWhole) this.bench.settle();
      else this.bench.routing.settle(slice);
    }
    this.bench.sync();
  }

  /** What every path has come to, and what every peer has. */
  get state(): readonly unknown[] {
    const views = this.bench
      .views()
      .map(({ prefix: { address }, from, reason, stale, communities, localPref }) =>
        [address.words, from, reason, stale, communities, localPref].join(' | '),
      );
    const told = this.#at.flatMap((at) => PREFIXES.map((each) => this.bench.has(at, each)));
    const counts = this.#at.map((at) => {
      const { received, accepted, stale, counted } = this.bench.peers[at]!.adjRibIn[4];
      return [received, accepted, stale, counted];
    });
    return [views.sort(), this.bench.learned(), told, counts];
  }

  #perform(next: Step): void {
    const { bench } = this;
    const at = this.#at[next.peer]!;
    const routes = bench.peers[at]!;
    const withId = (id: number) => (this.#hasPathIds[next.peer] === true ? { pathId: id } : {});
    switch (next.do) {
      case 'announce':
        bench.announce(at, PREFIXES[next.prefix]!, { attributes: SETS[next.set]!, ...withId(next.pathId) });
        return;
      case 'withdraw':
        bench.withdraw(at, PREFIXES[next.prefix]!, withId(next.pathId).pathId);
        return;
      case 'markStale':
        routes.adjRibIn[4].markStale();
        return;
      case 'pump':
        bench.pump(at);
        return;
      case 'remove':
        this.#at[next.peer] = bench.replace(at, { address: ADDRESSES[next.peer]!, session: { bgpIdentifier: 10 } });
        this.#hasPathIds[next.peer] = false;
        return;
      case 'reconnect':
        bench.down(at);
        bench.up(at, { addPath: { send: next.addPath, receive: next.addPath }, bgpIdentifier: next.bgpIdentifier });
        this.#hasPathIds[next.peer] = next.addPath;
        return;
      case 'import':
        bench.adjust(at, { importFilters: FILTERS[next.filters]! });
        return;
      case 'export':
        bench.adjust(at, { exportFilters: FILTERS[next.filters]! });
        return;
      case 'originate':
        bench.originate(next.prefixes);
        return;
      default:
        bench.routing[next.do](routes, 4);
    }
  }
}

test('walks in slices end where whole ones do, whatever comes between the slices, and hold nothing behind', () => {
  fc.assert(
    fc.property(runs, (list) => {
      const [sliced, whole] = [new Run(list, false), new Run(list, true)];
      expect(sliced.state).toEqual(whole.state);
      expect(sliced.bench.held()).toEqual([0, 0, 0]);
    }),
    { numRuns: 500 },
  );
}, 60_000);

describe('between the slices of a walk', () => {
  const bench = () => new RoutingBench(ADDRESSES.slice(0, 2).map((address) => ({ address })));
  const announceAll = (b: RoutingBench): void => {
    for (const each of PREFIXES) b.announce(0, each, { attributes: SETS[0]! });
  };

  test('what a new session announces is not flushed with what the last one did', () => {
    const b = bench();
    announceAll(b);
    b.sync();
    b.routing.flush(b.peers[0]!, 4);
    b.routing.settle(1);
    b.announce(0, PREFIXES[4]!, { attributes: SETS[1]! });
    b.sync();
    expect(b.learned()).toEqual([`${PREFIXES[4]} via 10.8.0.2`]);
  });

  test('no more than a slice is done: a row a step', () => {
    const b = bench();
    announceAll(b);
    b.sync();
    b.routing.flush(b.peers[0]!, 4);
    b.routing.settle(2);
    expect(b.peers[0]!.adjRibIn[4].received).toBe(PREFIXES.length - 2);
  });

  test('the peer of a session that begins is being told, and so its End-of-RIB waits', () => {
    const b = bench();
    announceAll(b);
    b.sync();
    b.down(1);
    b.up(1);
    b.routing.settle(1);
    const { exports } = b.routing;
    expect([exports.isTelling(b.peers[1]!, 4), b.routing.hasNewsFor(b.peers[1]!)]).toEqual([true, true]);
    b.sync();
    expect([exports.isTelling(b.peers[1]!, 4), b.told[1]!.size]).toEqual([false, PREFIXES.length]);
  });

  test('the routes of a peer that is removed are replaced at once, also while selection is deferred', () => {
    const b = bench();
    announceAll(b);
    b.sync();
    b.announce(1, PREFIXES[0]!, { attributes: SETS[2]! });
    b.routing.removePeer(b.peers[0]!);
    while (b.routing.doChores(1));
    expect(b.learned()).toEqual([`${PREFIXES[0]} via 10.8.0.3`]);
  });

  test('a peer that is removed when all of its routes were refused leaves nothing, however many they were', () => {
    const b = bench();
    const looped = attributesOf(1, { asPath: [{ type: 'sequence', asns: [65001, b.peers[0]!.settings.localAsn] }] });
    for (let i = 0; i < 40; i++) b.announce(0, `10.1.${i}.0/24`, { attributes: looped });
    b.sync();
    expect(b.learned()).toEqual([]);
    expect(b.held()).toEqual([0, 0, 0]);
  });

  test('a row that throws is left out, and the walk goes on behind it', () => {
    const b = bench();
    announceAll(b);
    b.sync();
    const seen: number[] = [];
    const { chores } = b.routing.core;
    chores.add({
      rows: () => 3,
      visit: (row) => {
        if (row === 1) throw new Error('a bug');
        seen.push(row);
        return 1;
      },
    });
    expect(() => chores.run(10)).toThrow('a bug');
    chores.run(10);
    expect([seen, chores.hasWork]).toEqual([[0, 2], false]);
  });
});

test('paths that are stale and beyond the limit are not taken off it twice', () => {
  const prefixLimits = { 4: { maximum: 2, warnPercent: 100, action: 'drop' } } as const;
  const b = new RoutingBench([{ address: ADDRESSES[0]!, prefixLimits }]);
  for (const each of PREFIXES) b.announce(0, each, { attributes: SETS[0]! });
  b.peers[0]!.adjRibIn[4].markStale();
  for (const each of PREFIXES.slice(0, 4)) b.announce(0, each, { attributes: SETS[0]! });
  b.routing.sweepStale(b.peers[0]!, 4);
  b.sync();
  const { accepted, beyond } = b.peers[0]!.adjRibIn[4];
  expect([accepted, beyond]).toEqual([2, 2]);
});
