import { DATASTORE_VARIABLES, datastoreSettings } from '../config/datastore.ts';
import { misspelled } from '../config/misspelled.ts';
import type { Store } from '../datastore/store.ts';
import { NoDatastoreError } from '../datastore/store.ts';
import type { ResourceClient } from '../resources/index.ts';
import { createResourceClient, kindByAlias } from '../resources/index.ts';
import type { Kind } from '../resources/index.ts';
import type { CliIo } from './io.ts';
import { CommandError } from './io.ts';

export interface SessionOptions {
  /** The command makes resources, so it may make the datastore for them; all others would only hide a wrong path. */
  readonly mayFound?: boolean;
}

/** Runs `use` with a client of the datastore that the environment names, and closes it whatever happens. */
export async function withResources<T>(
  io: CliIo,
  use: (client: ResourceClient, store: Store) => Promise<T>,
  { mayFound = false }: SessionOptions = {},
): Promise<T> {
  const store = await openStore(io, mayFound);
  try {
    return await use(createResourceClient(store), store);
  } finally {
    await store.close();
  }
}

async function openStore(io: CliIo, mayFound: boolean): Promise<Store> {
  const [slip] = misspelled(io.env, DATASTORE_VARIABLES);
  if (slip !== undefined) throw new CommandError(slip);
  const settings = datastoreSettings(io.env);
  if (settings.type !== 'file' || mayFound) return io.openStore(settings);
  try {
    return await io.openStore({ ...settings, mustExist: true });
  } catch (error) {
    if (!(error instanceof NoDatastoreError)) throw error;
    throw new CommandError(`CALICO_FILE_DATASTORE = '${settings.directory}': there is no datastore`);
  }
}

/** The kind that a word on the command line means. Throws CommandError. */
export function kindArgument(word: string): Kind {
  const kind = kindByAlias(word);
  if (kind === undefined) throw new CommandError(`failed to get resources: resource type '${word}' is not supported`);
  return kind;
}

export function nameArguments(names: readonly string[]): readonly string[] {
  if (names.includes('')) throw new CommandError('resource name may not be empty');
  return names;
}
