import { setTimeout as sleep } from 'node:timers/promises';

const STEP_MS = 50;

/**
 * Asks again and again until `check` neither throws nor answers false. Where it still does after `withinMs`, what it threw
 * last is the test's fault, or its own text where it only said false.
 */
export async function eventually(check: () => unknown, withinMs = 20_000): Promise<void> {
  const end = performance.now() + withinMs;
  for (;;) {
    try {
      if ((await check()) !== false) return;
      throw new Error(`it did not come true within ${withinMs} ms: ${check.toString()}`);
    } catch (error) {
      if (performance.now() > end) throw error;
      await sleep(STEP_MS);
    }
  }
}
