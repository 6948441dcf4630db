/** Prefix limits that drop: what is used, and what waits beyond them, whatever comes, goes and is set in between. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { RouteFilter } from '../../../bird/policy/filter.ts';
import type { IpFamily } from '../../../src/model/ip.ts';
import { attributesOf, octetsOf, RoutingBench } from '../../support/routing-bench.ts';

const COUNT = 12;
const LIMIT = 5;
const FAMILIES = {
  4: { prefixOf: (i: number) => `10.0.${i}.0/24`, peers: ['10.9.0.2', '10.9.0.3'], nextHop: '10.8.0.1' },
  6: { prefixOf: (i: number) => `2001:db8:${i}::/48`, peers: ['fd00:9::2', 'fd00:9::3'], nextHop: 'fd00:8::1' },
} as const;
const limitOf = (family: IpFamily, maximum: number) =>
  ({ prefixLimits: { [family]: { maximum, warnPercent: 100, action: 'drop' } } }) as const;
const filterOf = (family: IpFamily): RouteFilter => ({
  ...{ name: 'test', rules: [{ family, action: 'reject', match: { community: 1 } }] },
});

const step = fc.record({
  do: fc.constantFrom(
    ...(['announce', 'announce', 'announce', 'withdraw', 'withdraw', 'flush', 'mark stale', 'sweep', 'age'] as const),
    ...(['limit', 'limit', 'filter', 'reconnect', 'settle', 'settle', 'sync', 'tidy'] as const),
  ),
  from: fc.nat(COUNT - 1),
  count: fc.constantFrom(1, 3, COUNT),
  id: fc.nat(2),
  mark: fc.constantFrom(1, 2),
  limit: fc.nat(COUNT + 2),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** One peer, beside what it has said, as `prefix id`, and what of that is stale. */
class Run {
  readonly bench: RoutingBench;
  readonly said = new Set<string>();
  stale = new Set<string>();
  limit = LIMIT;
  isFiltered = false;
  readonly #family: IpFamily;
  readonly #addPath: boolean;

  constructor(family: IpFamily, addPath: boolean) {
    this.#family = family;
    this.#addPath = addPath;
    const [first, second] = FAMILIES[family].peers;
    const families = [family];
    this.bench = new RoutingBench([
      { address: first, families, session: this.#session, ...limitOf(family, LIMIT) },
      { address: second, families, remoteAsn: 65002 },
    ]);
  }

  get tables() {
    return this.bench.peers[0]!.adjRibIn[this.#family];
  }

  take(next: Step): void {
    const { bench, tables } = this;
    const { routing, peers } = bench;
    switch (next.do) {
      case 'announce':
      case 'withdraw':
        for (let i = 0; i < next.count; i++) this.#say(next, (next.from + i) % COUNT);
        return;
      case 'flush':
        routing.flush(peers[0]!, this.#family);
        this.said.clear();
        return;
      case 'mark stale':
        tables.markStale();
        this.stale = new Set(this.said);
        return;
      case 'sweep':
        routing.sweepStale(peers[0]!, this.#family);
        for (const path of this.stale) this.said.delete(path);
        this.stale.clear();
        return;
      case 'age':
        routing.startLongLived(peers[0]!, this.#family);
        return;
      case 'limit':
        this.limit = next.limit;
        bench.adjust(0, limitOf(this.#family, next.limit));
        return;
      case 'filter':
        this.isFiltered = !this.isFiltered;
        bench.adjust(0, { importFilters: this.isFiltered ? [filterOf(this.#family)] : [] });
        return;
      case 'reconnect':
        bench.down(0);
        this.take({ ...next, do: 'mark stale' });
        bench.up(0, this.#session);
        return;
      case 'settle':
        routing.settle(next.count);
        return;
      case 'sync':
        bench.sync();
        return;
      case 'tidy':
        routing.tidy(20);
    }
  }

  get #session() {
    return { bgpIdentifier: 7, ...(this.#addPath && { addPath: { send: true, receive: true } }) };
  }

  #say({ do: what, id, mark }: Step, number: number): void {
    const { prefixOf, nextHop } = FAMILIES[this.#family];
    const prefix = prefixOf(number);
    const pathId = this.#addPath ? id : undefined;
    const path = `${prefix} ${pathId}`;
    this.stale.delete(path);
    if (what === 'announce') {
      const attributes = attributesOf(mark, { nextHop: octetsOf(nextHop) });
      this.bench.announce(0, prefix, { attributes, ...(pathId !== undefined && { pathId }) });
      this.said.add(path);
    } else {
      this.bench.withdraw(0, prefix, pathId);
      this.said.delete(path);
    }
  }
}

test.each([
  ['IPv4', 4, false],
  ['IPv4 and several paths of a prefix', 4, true],
  ['IPv6', 6, false],
  ['IPv6 and several paths of a prefix', 6, true],
] as const)('of a peer with %s as many are used as the limit allows, and the rest waits', (_, family, addPath) => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40, size: 'max' }), (steps) => {
      const run = new Run(family, addPath);
      for (const each of steps) run.take(each);
      run.take({ ...steps[0]!, do: 'sweep' });
      run.bench.sync();

      const { bench, said, limit, tables } = run;
      const used = Math.min(said.size, limit);
      expect([tables.received, tables.counted, tables.beyond, tables.stale]).toEqual([
        ...[said.size, used, said.size - used, 0],
      ]);
      if (!run.isFiltered) expect(tables.accepted).toBe(used);
      const rows = tables.lanes.flatMap((lane) => [...lane.prefixes()].filter((prefix) => lane.usable(prefix) >= 0));
      expect([tables.accepted, bench.routing.tables[family].locRib.size]).toEqual([rows.length, new Set(rows).size]);
      expect(bench.held()).toEqual([0, 0, 0]);
    }),
    { numRuns: 100 },
  );
});
