/** Whether others use the machine. What they take of it makes a time worthless. */
import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';

const TICKS_PER_SECOND = 100;
const LOOK_MS = 1000;
/** Of one core. */
const QUIET_SHARE = 0.08;

/** Waits until nearly nobody used the machine for a second, at most so long; whether it came to that. */
export async function untilQuiet(limitSeconds: number): Promise<boolean> {
  const end = performance.now() + limitSeconds * 1000;
  for (;;) {
    const [busy, at] = [busySeconds(), performance.now()];
    await sleep(LOOK_MS);
    if ((busySeconds() - busy) / ((performance.now() - at) / 1000) < QUIET_SHARE) return true;
    if (performance.now() > end) return false;
  }
}

/** Processor seconds of all processes since the machine started. */
function busySeconds(): number {
  const [line = ''] = readFileSync('/proc/stat', 'utf8').split('\n', 1);
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = line.split(/\s+/).slice(1).map(Number);
  return (user + nice + system + irq + softirq) / TICKS_PER_SECOND;
}
