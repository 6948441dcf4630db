import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Behind } from '../../../bird/update/behind.ts';
import { ABSENT } from '../../../bird/rib/int-table.ts';

/** Side by side, at the seams of pages, and far away. */
const PREFIXES = [0, 1, 63, 64, 65, 127, 128, 4096, 100_000];

test('Behind is a Map in order of number, also while what is visited is deleted', () => {
  const step = fc.tuple(
    fc.constantFrom('put', 'put', 'drop'),
    fc.constantFrom(...PREFIXES),
    fc.integer({ min: ABSENT, max: 3 }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.nat(9), (list, visits) => {
      const behind = new Behind();
      const model = new Map<number, number>();
      for (const [action, prefix, has] of list) {
        if (action === 'put') {
          behind.set(prefix, has);
          model.set(prefix, has);
        } else {
          behind.delete(prefix);
          model.delete(prefix);
        }
      }
      for (const prefix of PREFIXES) {
        expect([behind.has(prefix), behind.get(prefix)]).toEqual([model.has(prefix), model.get(prefix)]);
      }
      const ordered = [...model].sort(([a], [b]) => a - b);
      expect([...behind]).toEqual(ordered);
      const visited: (readonly [number, number])[] = [];
      for (const [prefix, has] of behind) {
        if (visited.length === visits) break;
        visited.push([prefix, has]);
        behind.delete(prefix);
      }
      expect(visited).toEqual(ordered.slice(0, visits));
      expect([...behind]).toEqual(ordered.slice(visits));
      expect(behind.size).toBe(Math.max(0, ordered.length - visits));
    }),
    { numRuns: 500 },
  );
});

test('a round goes on where the last one ended, so that a prefix that changes all the time keeps nobody waiting', () => {
  const behind = new Behind();
  for (const prefix of [1, 2, 70, 200]) behind.set(prefix, 5);
  const visited: number[] = [];
  for (let turn = 0; turn < 6; turn++) {
    for (const [prefix] of behind.round()) {
      visited.push(prefix);
      behind.delete(prefix);
      behind.set(1, 6);
      break;
    }
  }
  expect(visited).toEqual([1, 2, 70, 200, 1, 1]);
  for (const prefix of [3, 300]) behind.set(prefix, 5);
  expect([...behind.round()].map(([prefix]) => prefix)).toEqual([3, 300, 1]);
});
