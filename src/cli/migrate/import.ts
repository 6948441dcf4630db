import { CALICO_PREFIX } from '../../datastore/keys.ts';
import type { Json, Store, Write } from '../../datastore/store.ts';
import { AlreadyExistsError, MAX_WRITES } from '../../datastore/store.ts';
import { CommandError } from '../io.ts';
import { isSameJson } from '../same-json.ts';
import type { ImportPlan } from './import-plan.ts';

/** etcd takes requests of 1.5 MiB; the keys and the framing need some of it. */
const MAX_WRITE_OCTETS = 512 * 1024;

export interface ImportOutcome {
  /** Of an import that was cut off before. */
  readonly alreadyThere: number;
}

/**
 * Writes the plan into an empty datastore. What an import of the same file that was cut off has written already counts as empty.
 * Throws CommandError before the first write where anything else is there.
 */

export async function importInto(
  { values }: ImportPlan,
  store: Store,
  onProgress: (done: number, all: number) => void,
): Promise<ImportOutcome> {
  const there = new Set<string>();
  for (const { key, value } of (await store.list(CALICO_PREFIX)).entries) {
    if (!isSameJson(value, values.get(key))) {
      throw new CommandError(
        `nothing was imported: the datastore is not empty: ${key} is there, and is not what the file has`,
      );
    }
    there.add(key);
  }
  const missing = [...values].filter(([key]) => !there.has(key));
  let done = there.size;
  for (const batch of batches(missing)) {
    onProgress(done, values.size);
    await write(store, batch);
    done += batch.length;
  }
  onProgress(done, values.size);
  return { alreadyThere: there.size };
}

async function write(store: Store, batch: readonly Write[]): Promise<void> {
  try {
    await store.writeAll(batch);
  } catch (error) {
    if (!(error instanceof AlreadyExistsError)) throw error;
    throw new CommandError(
      `somebody else writes into this datastore: ${error.message}; what was imported so far stays`,
    );
  }
}

function* batches(entries: readonly (readonly [string, Json])[]): Generator<readonly Write[]> {
  let batch: Write[] = [];
  let octets = 0;
  for (const [key, value] of entries) {
    const size = JSON.stringify(value).length;
    if (batch.length > 0 && (batch.length === MAX_WRITES || octets + size > MAX_WRITE_OCTETS)) {
      yield batch;
      [batch, octets] = [[], 0];
    }
    batch.push({ type: 'create', key, value });
    octets += size;
  }
  if (batch.length > 0) yield batch;
}
