import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SlowPeers } from '../../bird/slow-peers.ts';
import { FakeClock } from '../support/fake-clock.ts';

/** So many wait from each of these milliseconds on; answers when nobody waits any more. */
async function leftBehindAt(steps: readonly (readonly [at: number, count: number])[]): Promise<readonly number[]> {
  const clock = new FakeClock();
  const left: number[] = [];
  const slow = new SlowPeers(clock, () => left.push(clock.now()));
  for (const [at, count] of steps) {
    await clock.advance(at - clock.now());
    slow.areWaitedFor(count);
  }
  await clock.advance(1000);
  return left;
}

test('who reads nothing is waited for as long as it takes to tell it by itself, and ten milliseconds', async () => {
  expect(await leftBehindAt([[0, 1]])).toEqual([10]);
  expect(await leftBehindAt([[0, 40]])).toEqual([40]);
  expect(await leftBehindAt([[0, 500]])).toEqual([100]);
});

test('to be asked again changes nothing, and more of them neither', async () => {
  const asked = [
    [0, 2],
    [4, 2],
    [8, 30],
  ] as const;
  expect(await leftBehindAt(asked)).toEqual([10]);
});

test('while one after the other reads they are waited for, for a tenth of a second', async () => {
  const reading = Array.from({ length: 30 }, (_, i) => [8 * i, 40 - i] as const);
  expect((await leftBehindAt(reading.slice(0, 5)))[0]).toBe(32 + 36);
  expect((await leftBehindAt(reading))[0]).toBe(100);
});

test('where all have room again nobody is left behind, and the next are waited for from the start', async () => {
  const twice = [
    [0, 3],
    [9, 0],
    [9, 3],
  ] as const;
  expect(await leftBehindAt(twice.slice(0, 2))).toEqual([]);
  expect(await leftBehindAt(twice)).toEqual([19]);
});

test('who has made room while a turn was long is not left behind before the sockets were looked at', async () => {
  const clock = new FakeClock();
  const left: number[] = [];
  const slow = new SlowPeers(clock, () => left.push(clock.now()));
  slow.areWaitedFor(1);
  // The turn takes all of the patience: timers that are due come first, the sockets after them.
  clock.after(10, () => slow.areWaitedFor(0));
  await clock.advance(1000);
  expect(left).toEqual([]);
});

test('after the end nobody is left behind', async () => {
  const clock = new FakeClock();
  const slow = new SlowPeers(clock, () => expect.unreachable());
  slow.areWaitedFor(1);
  slow.stop();
  await clock.advance(1000);
  expect(clock.pending).toBe(0);
});

test('nobody waits for more than a tenth of a second, nor less than ten milliseconds, whatever the others do', async () => {
  const steps = fc.array(fc.tuple(fc.nat(15), fc.nat(60)), { minLength: 1, maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(steps, async (drawn) => {
      const clock = new FakeClock();
      /** While somebody waits: since when. */
      let since: number | undefined;
      let left = 0;
      const slow = new SlowPeers(clock, () => {
        const waited = clock.now() - since!;
        expect(waited).toBeGreaterThanOrEqual(10);
        expect(waited).toBeLessThanOrEqual(100);
        since = undefined;
        left++;
      });
      for (const [wait, count] of drawn) {
        await clock.advance(wait);
        since = count === 0 ? undefined : (since ?? clock.now());
        slow.areWaitedFor(count);
        expect(clock.pending).toBe(count === 0 ? 0 : 1);
      }
      const before = left;
      const isWaiting = since !== undefined;
      await clock.advance(100);
      expect(left - before).toBe(isWaiting ? 1 : 0);
    }),
  );
});
