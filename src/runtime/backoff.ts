import type { Random } from './random.ts';

export interface BackoffLimits {
  readonly minMs: number;
  readonly maxMs: number;
}

/** The wait before attempt `attempt` (0 is the first retry): doubling, capped, with 50 to 100 % jitter. */
export function backoffMs(attempt: number, { minMs, maxMs }: BackoffLimits, random: Random): number {
  const full = Math.min(maxMs, minMs * 2 ** Math.min(attempt, 30));
  return full * (0.5 + random() / 2);
}
