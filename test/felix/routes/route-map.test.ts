import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ipv4RouteId } from '../../../felix/routes/route-id.ts';
import type { RouteId } from '../../../felix/routes/route-id.ts';
import { RouteMap } from '../../../felix/routes/route-map.ts';

/** Few enough that they meet again, in rows as a cluster's blocks are. */
const id: fc.Arbitrary<RouteId> = fc.oneof(
  { weight: 9, arbitrary: fc.nat(200).map((i) => ipv4RouteId(0x0a00_0000 + i * 64, 26)) },
  fc.constantFrom('some', 'other'),
);
const step = fc.oneof(
  fc.record({ op: fc.constant('set' as const), id, value: fc.nat() }),
  fc.record({ op: fc.constant('delete' as const), id }),
);

/** A Map, but that texts come last. */
const entriesOf = (model: ReadonlyMap<RouteId, number>): readonly unknown[] => [
  ...[...model].filter(([one]) => typeof one === 'number'),
  ...[...model].filter(([one]) => typeof one === 'string'),
];

test('it holds what a Map holds, in the order of insertion', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400, size: 'max' }), (steps) => {
      const map = new RouteMap<number>();
      const model = new Map<RouteId, number>();
      for (const one of steps) {
        if (one.op === 'set') {
          map.set(one.id, one.value);
          model.set(one.id, one.value);
        } else {
          expect(map.delete(one.id)).toBe(model.delete(one.id));
        }
        expect(map.get(one.id)).toBe(model.get(one.id));
        expect(map.has(one.id)).toBe(model.has(one.id));
        expect(map.size).toBe(model.size);
      }
      expect([...map]).toEqual(entriesOf(model));
      expect([...map.keys()]).toEqual([...map].map(([one]) => one));
    }),
  );
});

test('while it is walked, entries may change or go', () => {
  const map = new RouteMap<string>();
  for (let i = 0; i < 1000; i++) map.set(ipv4RouteId(i, 32), 'old');
  let seen = 0;
  for (const [one] of map) {
    if (seen++ % 2 === 0) map.delete(one);
    else map.set(one, 'new');
  }
  expect(seen).toBe(1000);
  expect([...map].map(([, value]) => value)).toEqual(new Array(500).fill('new'));
});

test('entries that come and go leave no room behind', () => {
  const map = new RouteMap<number>();
  for (let i = 0; i < 100_000; i++) {
    map.set(ipv4RouteId(i, 32), i);
    if (i >= 10) map.delete(ipv4RouteId(i - 10, 32));
  }
  expect([...map].map(([, value]) => value)).toEqual(Array.from({ length: 10 }, (_, i) => 99_990 + i));
  expect(map.room).toBeLessThan(100);
});
