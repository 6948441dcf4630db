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

/** `isDone`: nothing that is wanted is missing or different any more. */
export type Outcome<K> = PassResult<K> & { readonly isDone: boolean };

/** As many changes at once as are encoded in some milliseconds. */
const BATCH_CHANGES = 2048;

/**
 * One pass: everything that differs, in one batch where it is not very much, additions and replacements before deletions, so that
 * at no moment less is there than before or after. What fails stays pending, waits its time, and stops nothing else.
 */
export async function reconcile<K, V>(
  tracker: DeltaTracker<K, V>,
  write: WriteChanges<K, V>,
  pass: Pass<K>,
): Promise<Outcome<K>> {
  const { retry, now } = pass;
  // What has come right without us (somebody else wrote it, or it could be read after all) waits for nothing.
  retry.keepOnly((key) => (tracker.desired.has(key) ? !tracker.isCorrect(key) : tracker.actual.has(key)));
  const failed = new Map<K, Error>();
  let changed = 0;
  let isDone = true;
  const onWithheld = (): void => {
    isDone = false;
  };
  for (const changes of batches(pendingChanges(tracker, pass, onWithheld))) {
    const results = await write(changes).catch((error: unknown) => changes.map(() => asError(error)));
    for (const [i, { op, key, value }] of changes.entries()) {
      const error = results[i];
      if (error !== undefined) {
        if (op === 'replace') onWithheld();
        failed.set(key, error);
        retry.failed(key, error, now);
        continue;
      }
      changed++;
      if (op === 'replace') tracker.actual.set(key, value);
      else tracker.actual.delete(key);
      retry.succeeded(key);
    }
  }
  return { changed, failed, isDone };
}

function* pendingChanges<K, V>(
  tracker: DeltaTracker<K, V>,
  { retry, now, mayDelete, mayUpdate = () => true }: Pass<K>,
  onWithheld: () => void,
): Generator<Change<K, V>> {
  for (const [key, value] of tracker.pendingUpdates()) {
    if (mayUpdate(key) && retry.isDue(key, now)) yield { op: 'replace', key, value };
    else onWithheld();
  }
  for (const [key, value] of tracker.pendingDeletions()) {
    if (mayDelete(key) && retry.isDue(key, now)) yield { op: 'remove', key, value };
  }
}

function* batches<T>(all: Iterable<T>): Generator<readonly T[]> {
  let batch: T[] = [];
  for (const one of all) {
    batch.push(one);
    if (batch.length < BATCH_CHANGES) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

export const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));
