import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { systemClock } from '../../../src/runtime/clock.ts';

const DAY_MS = 86_400_000;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('a wait longer than setTimeout can count ends when it is over, not at once', () => {
  const calls: string[] = [];
  systemClock.after(60 * DAY_MS, () => calls.push('60 days'));
  const cancel = systemClock.after(61 * DAY_MS, () => calls.push('61 days'));
  vi.advanceTimersByTime(59 * DAY_MS);
  expect(calls).toEqual([]);
  cancel();
  vi.advanceTimersByTime(3 * DAY_MS);
  expect(calls).toEqual(['60 days']);
});
