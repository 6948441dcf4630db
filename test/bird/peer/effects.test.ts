import { expect, test } from 'vitest';
import { greet } from '../../../bird/peer/effects.ts';
import { Timers } from '../../../bird/peer/timers.ts';
import { FakeClock } from '../../support/fake-clock.ts';

test('a greeting asks the clock once, for it starts the timers in the order in which they expire', () => {
  const clock = new FakeClock();
  let asked = 0;
  const counting = {
    now: () => clock.now(),
    wallTime: () => clock.wallTime(),
    after: (ms: number, callback: () => void) => {
      asked++;
      return clock.after(ms, callback);
    },
  };
  const timers = new Timers({
    ...{ clock: counting, random: () => 0.5 },
    ...{ expired: () => undefined, hasBacklog: () => false },
  });
  for (const effect of greet()) {
    if (effect.do === 'startTimer') timers.start(effect.timer, effect.seconds, effect.jitter);
  }
  expect(asked).toBe(1);
  expect(timers.isRunning('HoldTimer')).toBe(true);
  expect(timers.isRunning('SilenceTimer')).toBe(true);
});
