/** `datastore migrate lock`: ClusterInformation says that nobody may write for a while, and that what is read may be half of it. */
import type { Entry } from '../datastore/store.ts';
import { NotFoundError } from '../datastore/store.ts';
import { resourceKey } from '../resources/index.ts';
import type { ResourceClient } from '../resources/index.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';

const KEY = resourceKey('ClusterInformation', 'default');

/**
 * A datastore without ClusterInformation is one that no Calico has been at: it is not locked. One that loses it while it is locked is
 * being emptied, and only who says that it is ready unlocks it.
 */
export function isLocked(entries: ReadonlyMap<string, Entry>, wasLocked: boolean): boolean {
  const entry = entries.get(KEY);
  if (entry === undefined) return wasLocked;
  const value = entry.value as { readonly spec?: { readonly datastoreReady?: unknown } } | null;
  return value?.spec?.datastoreReady === false;
}

/** For whoever wants something written. */
export class DatastoreLockedError extends Error {
  override readonly name = 'DatastoreLockedError';

  constructor() {
    super(
      'the datastore is locked for a migration (ClusterInformation default, datastoreReady: false); try again later',
    );
  }
}

export interface LockPorts {
  readonly resources: Pick<ResourceClient, 'get'>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Told when it begins to wait, and when it has done. */
  readonly onWaiting: (isWaiting: boolean) => void;
}

const POLL_MS = 1000;

/** Resolves at once where the datastore is not locked, else when it is no more. Rejects as the datastore does. */
export async function whenUnlocked({ resources, clock, log, onWaiting }: LockPorts): Promise<void> {
  for (let isFirst = true; ; isFirst = false) {
    const information = await resources.get('ClusterInformation', 'default').catch((error: unknown) => {
      if (error instanceof NotFoundError) return undefined;
      throw error;
    });
    if (information === undefined ? isFirst : information.spec.datastoreReady !== false) {
      if (!isFirst) onWaiting(false);
      return;
    }
    if (isFirst) {
      log.warn({}, 'the datastore is locked for a migration: waiting, the routes in the kernel stay');
      onWaiting(true);
    }
    await new Promise<void>((resolve) => void clock.after(POLL_MS, resolve));
  }
}
