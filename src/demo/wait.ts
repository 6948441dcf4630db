/** The demo's only clock: waiting for a while, and waiting for something to come true. */
import { setTimeout as sleep } from 'node:timers/promises';

export { sleep };

/** What was waited for did not come; the message says what, how long, and what was seen last. */
export class TimeoutError extends Error {
  override readonly name = 'TimeoutError';
}

export interface Wait {
  /** What is waited for, as it stands after "waited 30 s for". */
  readonly what: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly intervalMs?: number;
}

/** A value that is there, or why it is not there yet. */
export type Look<T> = { readonly value: T } | { readonly missing: string };

/** Asks again and again until the value is there. An error counts as "not yet". Throws TimeoutError. */
export async function until<T>(
  look: () => Promise<Look<T>>,
  { what, timeoutMs, signal, intervalMs = 100 }: Wait,
): Promise<T> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const seen = await look().catch((error: unknown) => ({ missing: (error as Error).message }));
    if ('value' in seen) return seen.value;
    if (performance.now() > end) throw new TimeoutError(`waited ${timeoutMs / 1000} s for ${what}: ${seen.missing}`);
    await sleep(intervalMs, undefined, { signal });
  }
}

/** Maps with at most `limit` at once, in the order of the items. */
export async function mapBounded<T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  const results: R[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let i = next++; i < items.length; i = next++) results[i] = await work(items[i]!);
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  return results;
}
