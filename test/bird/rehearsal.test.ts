import { afterEach, expect, test, vi } from 'vitest';
import { UpdateReader } from '../../bird/rib/update-reader.ts';
import { rehearse } from '../../bird/index.ts';
import type { Clock } from '../../src/runtime/clock.ts';

afterEach(() => vi.restoreAllMocks());

/** Looking at it takes a millisecond; each turn is asked for. */
function turns(): { readonly clock: Clock; readonly turn: () => boolean } {
  let now = 0;
  let due: (() => void) | undefined;
  const clock: Clock = {
    now: () => (now += 1),
    wallTime: () => 0,
    after: (_, callback) => {
      due = callback;
      return () => (due = undefined);
    },
  };
  return {
    clock,
    turn: () => {
      const callback = due;
      due = undefined;
      callback?.();
      return callback !== undefined;
    },
  };
}

test('plays messages that are in order, in both families, some in each turn, until the last', () => {
  const read = vi.spyOn(UpdateReader.prototype, 'read');
  const { clock, turn } = turns();
  const over = vi.fn();
  rehearse(clock, [4, 6], over);
  expect(read).not.toHaveBeenCalled();
  let longest = 0;
  for (let before = 0; turn(); before = read.mock.calls.length) {
    longest = Math.max(longest, read.mock.calls.length - before);
  }
  expect(over).toHaveBeenCalledOnce();
  expect(longest).toBeLessThan(1000);
  expect(read).toHaveBeenCalledTimes(2 * 3 * 1500);
  expect(new Set(read.mock.results.map(({ value }) => JSON.stringify(value)))).toEqual(new Set(['{}']));
});

test('ends where nobody needs it any more', () => {
  const read = vi.spyOn(UpdateReader.prototype, 'read');
  const { clock, turn } = turns();
  rehearse(clock, [4], () => undefined)();
  expect(turn()).toBe(false);
  expect(read).not.toHaveBeenCalled();
});
