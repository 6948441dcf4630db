import { expect, test } from 'vitest';
import { mapBounded, until } from '../../../src/demo/wait.ts';

const signal = new AbortController().signal;

test('what is there at last is returned, errors on the way count as not yet', async () => {
  let asked = 0;
  const look = (): Promise<{ value: string } | { missing: string }> => {
    asked++;
    if (asked === 1) return Promise.reject(new Error('no socket'));
    return Promise.resolve(asked === 2 ? { missing: 'half' } : { value: 'whole' });
  };
  expect(await until(look, { what: 'it', timeoutMs: 1000, signal, intervalMs: 0 })).toBe('whole');
});

test('what does not come is said, with what was seen last', async () => {
  const look = (): Promise<{ missing: string }> => Promise.resolve({ missing: 'it is Idle' });
  await expect(until(look, { what: 'the session', timeoutMs: 0, signal, intervalMs: 1 })).rejects.toThrow(
    'waited 0 s for the session: it is Idle',
  );
});

test('an interrupt ends the wait', async () => {
  const controller = new AbortController();
  const look = (): Promise<{ missing: string }> => {
    controller.abort();
    return Promise.resolve({ missing: 'x' });
  };
  await expect(until(look, { what: 'x', timeoutMs: 60_000, signal: controller.signal })).rejects.toThrow(/abort/i);
});

test('bounded work keeps the order, does everything once, and never more than the limit at a time', async () => {
  let running = 0;
  let most = 0;
  const done = await mapBounded([1, 2, 3, 4, 5, 6, 7], 3, async (n) => {
    most = Math.max(most, ++running);
    await Promise.resolve();
    running--;
    return n * n;
  });
  expect(done).toEqual([1, 4, 9, 16, 25, 36, 49]);
  expect(most).toBe(3);
});
