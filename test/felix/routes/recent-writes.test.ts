import { expect, test } from 'vitest';
import { RecentWrites } from '../../../felix/routes/recent-writes.ts';

const many = Array.from({ length: 5000 }, (_, i) => i);

test('what a pass wrote is recent until two seconds after its end', () => {
  const writes = new RecentWrites();
  expect(writes.has(1, 0)).toBe(false);
  writes.note([1], 0);
  expect([writes.has(1, 60_000), writes.has(2, 60_000)]).toEqual([true, false]);
  writes.endPass(60_000);
  expect([writes.has(1, 62_000), writes.has(1, 62_001)]).toEqual([true, false]);
});

test('a pass soon after another adds to it, one long after begins anew', () => {
  const writes = new RecentWrites();
  writes.note([1], 0);
  writes.endPass(0);
  writes.note([2], 1000);
  writes.endPass(1000);
  expect([writes.has(1, 1001), writes.has(2, 1001)]).toEqual([true, true]);
  writes.note([3], 9000);
  writes.endPass(9000);
  expect([1, 2, 3].map((id) => writes.has(id, 9001))).toEqual([false, false, true]);
});

test('after very many, everything is recent, for as long', () => {
  const writes = new RecentWrites();
  writes.note(many, 0);
  writes.endPass(0);
  expect([writes.has(-1, 2000), writes.has(-1, 2001)]).toEqual([true, false]);
  writes.note([1], 3000);
  writes.endPass(3000);
  expect(writes.has(-1, 3000)).toBe(false);
});
