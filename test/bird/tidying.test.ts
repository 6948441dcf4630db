import { expect, test } from 'vitest';
import { Tidying } from '../../bird/tidying.ts';
import { FakeClock } from '../support/fake-clock.ts';

/** `steps`: how many it takes; each takes a millisecond. */
function tidyingOf(steps: number) {
  const clock = new FakeClock();
  const turns: number[] = [];
  let [left, spent] = [steps, 0];
  let isUntidy = true;
  const tidying = new Tidying({
    clock: { wallTime: () => 0, after: (ms, callback) => clock.after(ms, callback), now: () => clock.now() + spent },
    isUntidy: () => isUntidy,
    tidy: () => {
      spent++;
      turns.push(clock.now());
      return --left > 0;
    },
  });
  return { clock, turns, tidying, clean: () => (isUntidy = false) };
}

test('tables are put in order when nothing was done for two seconds, and then rest', async () => {
  const { clock, turns, tidying, clean } = tidyingOf(1);
  await clock.advance(60_000);
  expect([turns.length, clock.pending]).toEqual([0, 0]);

  tidying.worked();
  await clock.advance(1500);
  tidying.worked();
  expect(clock.pending).toBe(1);
  await clock.advance(1999);
  expect(turns).toEqual([]);
  await clock.advance(1);
  expect([turns, clock.pending]).toEqual([[63_500], 0]);

  tidying.worked();
  await clock.advance(2000);
  expect(turns.length).toBe(2);

  clean();
  tidying.worked();
  expect(clock.pending).toBe(0);
});

test('where there is always something to be done it waits no longer than a minute, and then again', async () => {
  const { clock, turns, tidying } = tidyingOf(1);
  const at = [];
  for (let i = 0; i < 130; i++) {
    tidying.worked();
    await clock.advance(1000);
    at.push(turns.length);
  }
  expect([at[58], at[60], at[118], at[121]]).toEqual([0, 1, 1, 2]);
});

test('what is let go of while nothing is worked on is seen to, and does not put it off', async () => {
  const { clock, turns, tidying } = tidyingOf(1);
  for (let i = 0; i < 3; i++) {
    tidying.rested();
    await clock.advance(1000);
  }
  expect(turns).toEqual([2000]);
});

test('no turn takes longer than two steps of a millisecond, and work comes first', async () => {
  const { clock, turns, tidying } = tidyingOf(5);
  tidying.worked();
  await clock.advance(2000);
  expect([turns.length, clock.pending]).toEqual([5, 0]);

  const other = tidyingOf(5);
  other.tidying.worked();
  // Between two turns.
  const cancel = other.clock.after(2000, () => other.tidying.worked());
  await other.clock.advance(2000);
  expect(other.turns).toEqual([2000, 2000]);
  await other.clock.advance(2000);
  expect(other.turns.length).toBe(5);
  cancel();
});

test('closed, it does nothing any more', async () => {
  const { clock, turns, tidying } = tidyingOf(5);
  tidying.worked();
  tidying.close();
  tidying.worked();
  await clock.advance(60_000);
  expect([turns, clock.pending]).toEqual([[], 0]);
});
