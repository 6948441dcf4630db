/** Prefix limits that drop: what is used, and what waits beyond them, whatever comes, goes and is set in between. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { RouteFilter } from '../../../bird/policy/filter.ts';
import { attributesOf, RoutingBench } from '../../support/routing-bench.ts';

const PREFIXES = Array.from({ length: 12 }, (_, i) => `10.0.${i}.0/24`);
const LIMIT = 5;
const limitOf = (maximum: number) => ({ prefixLimits: { 4: { maximum, warnPercent: 100, action: 'drop' } } }) as const;
const FILTER: RouteFilter = { name: 'test', rules: [{ family: 4, action: 'reject', match: { community: 1 } }] };

const step = fc.record({
  do: fc.constantFrom(
    ...(['announce', 'announce', 'announce', 'withdraw', 'withdraw', 'flush', 'mark stale', 'sweep', 'age'] as const),
    ...(['limit', 'limit', 'filter', 'reconnect', 'settle', 'settle', 'sync', 'tidy'] as const),
  ),
  from: fc.nat(PREFIXES.length - 1),
  count: fc.constantFrom(1, 3, PREFIXES.length),
  id: fc.nat(2),
  mark: fc.constantFrom(1, 2),
  limit: fc.nat(PREFIXES.length + 2),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** One peer, beside what it has said, as `prefix id`, and what of that is stale. */
class Run {
  readonly bench: RoutingBench;
  readonly said = new Set<string>();
  stale = new Set<string>();
  limit = LIMIT;
  isFiltered = false;
  readonly #addPath: boolean;

  constructor(addPath: boolean) {
    this.#addPath = addPath;
    this.bench = new RoutingBench([
      { address: '10.9.0.2', session: this.#session, ...limitOf(LIMIT) },
      { address: '10.9.0.3', remoteAsn: 65002 },
    ]);
  }

  get tables() {
    return this.bench.peers[0]!.adjRibIn[4];
  }

  take(next: Step): void {
    const { bench, tables } = this;
    const { routing, peers } = bench;
    switch (next.do) {
      case 'announce':
      case 'withdraw':
        for (let i = 0; i < next.count; i++) this.#say(next, PREFIXES[(next.from + i) % PREFIXES.length]!);
        return;
      case 'flush':
        routing.flush(peers[0]!, 4);
        this.said.clear();
        return;
      case 'mark stale':
        tables.markStale();
        this.stale = new Set(this.said);
        return;
      case 'sweep':
        routing.sweepStale(peers[0]!, 4);
        for (const path of this.stale) this.said.delete(path);
        this.stale.clear();
        return;
      case 'age':
        routing.startLongLived(peers[0]!, 4);
        return;
      case 'limit':
        this.limit = next.limit;
        bench.adjust(0, limitOf(next.limit));
        return;
      case 'filter':
        this.isFiltered = !this.isFiltered;
        bench.adjust(0, { importFilters: this.isFiltered ? [FILTER] : [] });
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

  #say({ do: what, id, mark }: Step, prefix: string): void {
    const pathId = this.#addPath ? id : undefined;
    const path = `${prefix} ${pathId}`;
    this.stale.delete(path);
    if (what === 'announce') {
      this.bench.announce(0, prefix, { attributes: attributesOf(mark), ...(pathId !== undefined && { pathId }) });
      this.said.add(path);
    } else {
      this.bench.withdraw(0, prefix, pathId);
      this.said.delete(path);
    }
  }
}

test.each([
  ['one path', false],
  ['several paths', true],
])('of a peer with %s of a prefix as many are used as the limit allows, and the rest waits', (_, addPath) => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40, size: 'max' }), (steps) => {
      const run = new Run(addPath);
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
      expect([tables.accepted, bench.routing.tables[4].locRib.size]).toEqual([rows.length, new Set(rows).size]);
      expect(bench.held()).toEqual([0, 0, 0]);
    }),
    { numRuns: 200 },
  );
});
