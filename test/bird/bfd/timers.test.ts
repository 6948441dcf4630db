import { expect, test } from 'vitest';
import { Timers } from '../../../bird/bfd/timers.ts';

test('timers say how long to sleep, fire in the order of their times, and not when cancelled, even by another', () => {
  let now = 1000;
  const timers = new Timers({ now: () => now, wallTime: () => 0 });
  const fired: string[] = [];
  expect(timers.untilNext()).toBe(Infinity);
  const cancel = timers.after(30, () => fired.push('cancelled'));
  timers.after(20, () => {
    fired.push('second');
    cancel();
    timers.after(0, () => fired.push('third'));
  });
  timers.after(10, () => fired.push('first'));
  expect(timers.untilNext()).toBe(10);
  now += 9;
  timers.fireDue();
  expect(fired).toEqual([]);
  now += 50;
  expect(timers.untilNext()).toBe(0);
  timers.fireDue();
  expect(fired).toEqual(['first', 'second']);
  timers.fireDue();
  expect(fired).toEqual(['first', 'second', 'third']);
  expect(timers.untilNext()).toBe(Infinity);
});
