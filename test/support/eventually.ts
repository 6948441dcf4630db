import { setTimeout as sleep } from 'node:timers/promises';

const STEP_MS = 50;
/** An emulated machine on a busy one may take its time. */
const PATIENCE_MS = process.env['CALICO_TS_VM'] === undefined ? 20_000 : 60_000;

/**
 * Asks again and again until `check` neither throws nor answers false, a third of the time at most: what it waits for needs some
 * too. Where it still does after `withinMs`, what it threw last is the test's fault, or its own text where it only said false.
 */
export async function eventually(check: () => unknown, withinMs = PATIENCE_MS): Promise<void> {
  const end = performance.now() + withinMs;
  for (;;) {
    const began = performance.now();
    try {
      if ((await check()) !== false) return;
      throw new Error(`it did not come true within ${withinMs} ms: ${check.toString()}`);
    } catch (error) {
      if (performance.now() > end) throw error;
      await sleep(Math.max(STEP_MS, 2 * (performance.now() - began)));
    }
  }
}
