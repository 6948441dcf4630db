import type { Clock } from '../../src/runtime/clock.ts';

/** A clock that waits for nobody: what is due later happens in the next turn, and the hands stand where they were set. */
export const hurriedClock = (wallTime: () => number): Clock => ({
  now: () => 0,
  wallTime,
  after: (_ms, callback) => {
    const turn = setImmediate(callback);
    return () => clearImmediate(turn);
  },
});
