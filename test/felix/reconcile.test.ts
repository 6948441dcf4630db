import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DeltaTracker } from '../../felix/delta-tracker.ts';
import type { Change } from '../../felix/reconcile.ts';
import { reconcile } from '../../felix/reconcile.ts';
import { RetrySchedule } from '../../felix/retry.ts';

/** A kernel of numbers to letters, which refuses the calls named by `fails` and keeps a journal. */
function table(have: ReadonlyMap<number, string>, fails: readonly number[] = []) {
  const entries = new Map(have);
  const journal: string[] = [];
  let calls = 0;
  const write = (changes: readonly Change<number, string>[]): Promise<readonly (Error | undefined)[]> =>
    Promise.resolve(
      changes.map(({ op, key, value }) => {
        if (fails.includes(calls++)) return new Error(`refused ${key}`);
        journal.push(`${op} ${key}`);
        if (op === 'replace') entries.set(key, value);
        else entries.delete(key);
        return undefined;
      }),
    );
  return { entries, journal, write };
}

function tracked(want: ReadonlyMap<number, string>, have: ReadonlyMap<number, string>): DeltaTracker<number, string> {
  const tracker = new DeltaTracker<number, string>((a, b) => a === b);
  tracker.setActual(new Map(have));
  tracker.setDesired(want);
  return tracker;
}

const pass = (mayDelete = true, now = 0, retry = new RetrySchedule<number>()) => ({
  retry,
  now,
  mayDelete: () => mayDelete,
});

const entries = fc.uniqueArray(fc.tuple(fc.nat(9), fc.constantFrom('a', 'b')), { selector: ([key]) => key });
const maps = entries.map((list) => new Map(list));

test('whatever was in the kernel and whichever calls fail, a later pass ends at the desired state', async () => {
  await fc.assert(
    fc.asyncProperty(maps, maps, fc.array(fc.nat(12)), async (want, have, fails) => {
      const kernel = table(have, fails);
      const tracker = tracked(want, have);
      const retry = new RetrySchedule<number>();
      for (let now = 0; fails.length * 10_000 >= now; now += 10_000) {
        await reconcile(tracker, kernel.write, pass(true, now, retry));
      }
      expect(kernel.entries).toEqual(want);
      expect([...tracker.pendingUpdates()]).toEqual([]);
    }),
  );
});

test('what is right is not written, and nothing is deleted while that is not allowed', async () => {
  await fc.assert(
    fc.asyncProperty(maps, maps, async (want, have) => {
      const kernel = table(have);
      await reconcile(tracked(want, have), kernel.write, pass(false));
      const different = [...want].filter(([key, value]) => have.get(key) !== value);
      expect(kernel.journal).toEqual(different.map(([key]) => `replace ${key}`));
    }),
  );
});

test('additions and replacements come before deletions, in one batch', async () => {
  const kernel = table(new Map([[1, 'a'], [2, 'a']])); // prettier-ignore
  await reconcile(tracked(new Map([[2, 'b'], [3, 'b']]), kernel.entries), kernel.write, pass()); // prettier-ignore
  expect(kernel.journal).toEqual(['replace 2', 'replace 3', 'remove 1']);
});

test('very many changes are written some at a time, all additions before the first deletion', async () => {
  const keys = Array.from({ length: 5000 }, (_, i) => i);
  const kernel = table(new Map(keys.map((key) => [-1 - key, 'old'])));
  const sizes: number[] = [];
  const write: typeof kernel.write = (changes) => {
    sizes.push(changes.length);
    return kernel.write(changes);
  };
  const tracker = tracked(new Map(keys.map((key) => [key, 'new'])), kernel.entries);
  expect(await reconcile(tracker, write, pass())).toMatchObject({ changed: 10_000, isDone: true });
  expect([...kernel.entries.keys()].sort((a, b) => a - b)).toEqual(keys);
  expect(kernel.journal.findIndex((line) => line.startsWith('remove'))).toBe(5000);
  expect(Math.max(...sizes)).toBeLessThan(5000);
});

test('it says whether anything is left to do', async () => {
  const outcome = async (want: ReadonlyMap<number, string>, fails: readonly number[], more = {}): Promise<boolean> => {
    const kernel = table(new Map(), fails);
    return (await reconcile(tracked(want, new Map()), kernel.write, { ...pass(), ...more })).isDone;
  };
  const one = new Map([[1, 'a']]);
  expect(await outcome(one, [])).toBe(true);
  expect(await outcome(one, [0])).toBe(false);
  expect(await outcome(one, [], { mayUpdate: () => false })).toBe(false);
});

test('what failed waits 250 ms, then twice as long each time up to 10 s, and stops nothing else', async () => {
  const want = new Map([[1, 'a'], [2, 'a']]); // prettier-ignore
  const kernel = table(new Map(), [0, 2, 3, 4, 5, 6, 7, 8]);
  const tracker = tracked(want, new Map());
  const retry = new RetrySchedule<number>();
  const waits: number[] = [];
  let now = 0;
  for (let i = 0; i < 8; i++) {
    const { failed } = await reconcile(tracker, kernel.write, pass(true, now, retry));
    expect([...failed.keys()]).toEqual([1]);
    const dueAt = retry.nextDueAt()!;
    expect((await reconcile(tracker, kernel.write, pass(true, dueAt - 1, retry))).changed).toBe(0);
    waits.push(dueAt - now);
    now = dueAt;
  }
  expect(waits).toEqual([250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
  expect(kernel.journal).toEqual(['replace 2']);
  await reconcile(tracker, kernel.write, pass(true, now, retry));
  expect(kernel.entries).toEqual(want);
  expect(retry.nextDueAt()).toBeUndefined();
});

test('where nothing could be said to the kernel at all, every change has failed and what we believed is kept', async () => {
  const tracker = tracked(new Map([[1, 'b']]), new Map([[1, 'a']]));
  const { changed, failed } = await reconcile(tracker, () => Promise.reject(new Error('socket gone')), pass());
  expect(changed).toBe(0);
  expect(failed.get(1)?.message).toBe('socket gone');
  expect(tracker.actual).toEqual(new Map([[1, 'a']]));
});
