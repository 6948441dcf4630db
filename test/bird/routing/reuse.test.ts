/** Numbers of prefixes, sets and sources that are given away and mean others later: nobody may notice. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { RouteFilter } from '../../../bird/policy/filter.ts';
import type { PathAttributes } from '../../../bird/wire.ts';
import { formatPrefix } from '../../../src/model/ip.ts';
import { attributesOf, RoutingBench } from '../../support/routing-bench.ts';

const PREFIXES = Array.from({ length: 48 }, (_, i) => `10.0.${i}.0/24`);
/** So many come and go in between that the numbers of those that are gone are used again. */
const PASSING = 60;
const ADDRESSES = ['10.9.0.2', '10.9.0.3', '10.9.0.4', '10.9.0.5'];
const BOTH = { send: true, receive: true };

const path = (...asns: number[]): NonNullable<PathAttributes['asPath']> => [{ type: 'sequence', asns }];
/** Equal ones, worse ones, and of one neighboring AS some that only MED tells apart. */
const SETS: readonly PathAttributes[] = [
  attributesOf(1, { asPath: path(65001) }),
  attributesOf(2, { asPath: path(65002) }),
  attributesOf(3, { asPath: path(65001, 65009) }),
  attributesOf(4, { asPath: path(65001), med: 9 }),
  attributesOf(5, { asPath: path(65003), med: 3 }),
  attributesOf(6, { asPath: path(65003), med: 4 }),
  attributesOf(7, { asPath: path(65001, 64512) }),
];
const rules = (...list: RouteFilter['rules']): readonly RouteFilter[] => [{ name: 'test', rules: list }];
const FILTERS: readonly (readonly RouteFilter[])[] = [
  [],
  rules({ family: 4, action: 'reject', match: { community: 1 } }),
  rules({ family: 4, action: 'accept', match: { community: 3 }, operations: [{ do: 'setLocalPref', localPref: 200 }] }),
];

type Step = { readonly peer: number } & (
  | {
      readonly do: 'announce';
      readonly from: number;
      readonly count: number;
      readonly set: number;
      readonly id: number;
    }
  | { readonly do: 'withdraw'; readonly from: number; readonly count: number; readonly id: number }
  | { readonly do: 'reconnect'; readonly addPath: boolean }
  | { readonly do: 'import' | 'export'; readonly filters: number }
  | { readonly do: 'settle'; readonly limit: number }
  | { readonly do: 'pass'; readonly isSettled: boolean }
  | { readonly do: 'originate'; readonly from: number; readonly count: number }
  | { readonly do: 'remove' | 'pump' | 'tidy' | 'sync' | 'refresh' | 'markStale' | 'sweepStale' }
);
const peer = fc.nat(ADDRESSES.length - 1);
const step = (doing: Step['do'], fields: Record<string, fc.Arbitrary<unknown>> = {}) =>
  fc.record({ do: fc.constant(doing), peer, ...fields }) as fc.Arbitrary<Step>;
const some = { from: fc.nat(PREFIXES.length - 1), count: fc.constantFrom(1, 5, PREFIXES.length), id: fc.nat(2) };
const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: step('announce', { ...some, set: fc.nat(SETS.length - 1) }) },
  { weight: 5, arbitrary: step('withdraw', some) },
  { weight: 4, arbitrary: step('pass', { isSettled: fc.boolean() }) },
  { weight: 4, arbitrary: step('settle', { limit: fc.constantFrom(1, 7, 40) }) },
  { weight: 2, arbitrary: step('pump') },
  { weight: 2, arbitrary: step('sync') },
  { weight: 1, arbitrary: step('refresh') },
  { weight: 1, arbitrary: step('tidy') },
  { weight: 1, arbitrary: step('markStale') },
  { weight: 1, arbitrary: step('sweepStale') },
  { weight: 1, arbitrary: step('originate', { from: some.from, count: fc.nat(6) }) },
  { weight: 1, arbitrary: step('remove') },
  { weight: 1, arbitrary: step('reconnect', { addPath: fc.boolean() }) },
  { weight: 1, arbitrary: step('import', { filters: fc.nat(FILTERS.length - 1) }) },
  { weight: 1, arbitrary: step('export', { filters: fc.nat(FILTERS.length - 1) }) },
);

/** What a peer is set up for, and what stands of all that it said: sets by prefix and path identifier. */
interface Said {
  addPath: boolean;
  imports: number;
  exports: number;
  readonly paths: Map<string, Map<number | undefined, number>>;
  /** Of them, `prefix id`, those that were not said again since. */
  stale: Set<string>;
}
const silent = (addPath: boolean): Said => ({ addPath, imports: 0, exports: 0, paths: new Map(), stale: new Set() });
const sessionOf = (at: number, { addPath }: Said) => ({ bgpIdentifier: at + 10, ...(addPath && { addPath: BOTH }) });
const settingsOf = (at: number) => ({ address: ADDRESSES[at]!, remoteAsn: 65001 + at });

class Run {
  readonly bench: RoutingBench;
  readonly said: Said[] = ADDRESSES.map((_, at) => silent(at % 3 === 0));
  own: readonly string[] = [];
  /** Where a peer stands in the bench. */
  readonly #at = ADDRESSES.map((_, i) => i);
  #passed = 0;

  constructor() {
    this.bench = new RoutingBench(
      ADDRESSES.map((_, at) => ({ ...settingsOf(at), session: sessionOf(at, this.said[at]!) })),
    );
  }

  take(next: Step): void {
    const { bench } = this;
    const said = this.said[next.peer]!;
    const at = this.#at[next.peer]!;
    switch (next.do) {
      case 'announce':
      case 'withdraw':
        for (let i = 0; i < next.count; i++) {
          const prefix = PREFIXES[(next.from + i) % PREFIXES.length]!;
          const id = said.addPath ? next.id : undefined;
          const own = said.paths.get(prefix) ?? new Map<number | undefined, number>();
          said.paths.set(prefix, own);
          said.stale.delete(`${prefix} ${id}`);
          if (next.do === 'withdraw') {
            bench.withdraw(at, prefix, id);
            own.delete(id);
          } else {
            bench.announce(at, prefix, { attributes: SETS[next.set]!, ...(id !== undefined && { pathId: id }) });
            own.set(id, next.set);
          }
        }
        return;
      case 'originate':
        this.own = Array.from({ length: next.count }, (_, i) => PREFIXES[(next.from + i) % PREFIXES.length]!);
        bench.originate(this.own);
        return;
      case 'markStale':
        bench.peers[at]!.adjRibIn[4].markStale();
        said.stale = new Set(
          [...said.paths].flatMap(([prefix, own]) => [...own.keys()].map((id) => `${prefix} ${id}`)),
        );
        return;
      case 'sweepStale':
        bench.routing.sweepStale(bench.peers[at]!, 4);
        for (const [prefix, own] of said.paths)
          for (const id of [...own.keys()]) if (said.stale.has(`${prefix} ${id}`)) own.delete(id);
        return;
      case 'pass':
        this.#pass(at, said.addPath ? 0 : undefined, next.isSettled);
        return;
      case 'reconnect':
        bench.down(at);
        bench.routing.flush(bench.peers[at]!, 4);
        said.paths.clear();
        said.addPath = next.addPath;
        bench.up(at, sessionOf(next.peer, said));
        return;
      case 'remove':
        this.said[next.peer] = silent(false);
        this.#at[next.peer] = bench.replace(at, {
          ...settingsOf(next.peer),
          session: sessionOf(next.peer, this.said[next.peer]!),
        });
        return;
      case 'import':
        said.imports = next.filters;
        bench.adjust(at, { importFilters: FILTERS[next.filters]! });
        return;
      case 'export':
        said.exports = next.filters;
        bench.adjust(at, { exportFilters: FILTERS[next.filters]! });
        return;
      case 'settle':
        bench.routing.settle(next.limit);
        return;
      case 'pump':
        bench.pump(at);
        return;
      case 'sync':
        bench.sync();
        return;
      case 'tidy':
        bench.routing.tidy(50);
        return;
      case 'refresh':
        bench.routing.refresh(bench.peers[at]!, 4);
    }
  }

  /** What every path has come to, and what every peer has. */
  get state(): readonly unknown[] {
    const { bench } = this;
    bench.sync();
    const views = bench
      .views()
      .map(({ prefix, from, reason, best, communities, localPref, pathId }) =>
        [formatPrefix(prefix), from, reason, best, communities, localPref, pathId].join(' | '),
      );
    const told = this.#at.map((at) => PREFIXES.map((prefix) => bench.has(at, prefix).join()));
    const others = this.#at.map((at) => [...bench.told[at]!.keys()].filter((key) => !key.startsWith('10.0.')));
    return [views.sort(), bench.learned(), told, others];
  }

  /** Prefixes that nobody has seen before and nobody sees again. */
  #pass(at: number, pathId: number | undefined, isSettled: boolean): void {
    const come = Array.from({ length: PASSING }, () => `172.${this.#passed >> 8}.${this.#passed++ & 255}.0/24`);
    for (const [i, prefix] of come.entries())
      this.bench.announce(at, prefix, {
        attributes: { ...SETS[i % SETS.length]!, med: 100 + i },
        ...(pathId !== undefined && { pathId }),
      });
    if (isSettled) this.bench.settle();
    for (const prefix of come) this.bench.withdraw(at, prefix, pathId);
    if (isSettled) this.bench.settle();
  }
}

/** The same from scratch: each said once, to tables that have seen nothing else. */
function fresh({ said, own: originated }: Run): Run {
  const run = new Run();
  run.bench.originate(originated);
  for (const [at, { addPath, imports, exports, paths }] of said.entries()) {
    run.take({ do: 'reconnect', peer: at, addPath });
    run.take({ do: 'import', peer: at, filters: imports });
    run.take({ do: 'export', peer: at, filters: exports });
    for (const [prefix, own] of paths) {
      const from = PREFIXES.indexOf(prefix);
      for (const [id = 0, set] of own) run.take({ do: 'announce', peer: at, from, count: 1, set, id });
    }
  }
  return run;
}

test('whatever came and went before, the tables are as if they had seen the last of it alone', () => {
  fc.assert(
    fc.property(fc.array(steps, { maxLength: 40, size: 'max' }), (list) => {
      const run = new Run();
      for (const each of list) run.take(each);
      expect(run.state).toEqual(fresh(run).state);
      expect(run.bench.held()).toEqual([0, 0, 0]);
    }),
    { numRuns: 60 },
  );
}, 60_000);
