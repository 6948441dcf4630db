import { expect, test } from 'vitest';
import { backoffMs } from '../../../src/runtime/backoff.ts';

const limits = { minMs: 100, maxMs: 5000 };

test('waits double up to the limit, and chance takes at most half of them', () => {
  const longest = (attempt: number): number => backoffMs(attempt, limits, () => 1);
  const shortest = (attempt: number): number => backoffMs(attempt, limits, () => 0);
  expect([0, 1, 2, 3, 10, 1000].map(longest)).toEqual([100, 200, 400, 800, 5000, 5000]);
  expect([0, 1, 10].map(shortest)).toEqual([50, 100, 2500]);
});
