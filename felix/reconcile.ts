import type { DeltaTracker } from './delta-tracker.ts';
import type { RetrySchedule } from './retry.ts';

export type Change<K, V> =
  /** Made, or replaced in place. */
  | { readonly op: 'replace'; readonly key: K; readonly value: V }
  | { readonly op: 'remove'; readonly key: K; readonly value: V };

/** Result i belongs to change i; undefined is success. Rejects where nothing could be said to the kernel at all. */
export type WriteChanges<K, V> = (changes: readonly Change<K, V>[]) => Promise<readonly (Error | undefined)[]>;

export interface Pass<K> {
  readonly retry: RetrySchedule<K>;
  readonly now: number;
  /** Asked for each entry that nobody wants. */
  readonly mayDelete: (key: K) => boolean;
  /** Asked for each entry that is missing or different. */
  readonly mayUpdate?: (key: K) => boolean;
}

export interface PassResult<K> {
  readonly changed: number;
  readonly failed: ReadonlyMap<K, Error>;
}

/**
 * One pass: everything that differs, in one batch, additions and replacements before deletions, so that at no moment
 * less is there than before or after. What fails stays pending, waits its time, and stops nothing else.
 */
export async function reconcile<K, V>(
  tracker: DeltaTracker<K, V>,
  write: WriteChanges<K, V>,
  { retry, now, mayDelete, mayUpdate = () => true }: Pass<K>,
): Promise<PassResult<K>> {
  // What has come right without us (somebody else wrote it, or it could be read after all) waits for nothing.
  retry.keepOnly((key) => (tracker.desired.has(key) ? !tracker.isCorrect(key) : tracker.actual.has(key)));
  const changes: Change<K, V>[] = [];
  for (const [key, value] of tracker.pendingUpdates()) {
    if (mayUpdate(key) && retry.isDue(key, now)) changes.push({ op: 'replace', key, value });
  }
  for (const [key, value] of tracker.pendingDeletions()) {
    if (mayDelete(key) && retry.isDue(key, now)) changes.push({ op: 'remove', key, value });
  }
  if (changes.length === 0) return { changed: 0, failed: new Map() };
  const results = await write(changes).catch((error: unknown) => changes.map(() => asError(error)));
  const failed = new Map<K, Error>();
  for (const [i, change] of changes.entries()) {
    const error = results[i];
    if (error === undefined) {
      if (change.op === 'replace') tracker.actual.set(change.key, change.value);
      else tracker.actual.delete(change.key);
      retry.succeeded(change.key);
    } else {
      failed.set(change.key, error);
      retry.failed(change.key, error, now);
    }
  }
  return { changed: changes.length - failed.size, failed };
}

export const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));
