import { DATASTORE_VARIABLES, datastoreSettings } from '../config/datastore.ts';
import { misspelled } from '../config/misspelled.ts';
import { MemoryStore } from '../datastore/memory.ts';
import type { Store } from '../datastore/store.ts';
import { NoDatastoreError } from '../datastore/store.ts';
import type { ResourceClient } from '../resources/index.ts';
import { createResourceClient, kindByAlias } from '../resources/index.ts';
import type { Kind } from '../resources/index.ts';
import { painter } from './colour.ts';
import { formatDryRun } from './dry-run/report.ts';
import { DryRunStore } from './dry-run/store.ts';
import type { CliIo } from './io.ts';
import { CommandError, UsageError } from './io.ts';
import { checkVersion } from './version-check.ts';

export interface SessionOptions {
  /** The command makes resources, so it may make the datastore for them; all others would only hide a wrong path. */
  readonly mayFound?: boolean;
  /** Nothing is written; what would have been is shown at the end, also where a part of it is refused. */
  readonly dryRun?: boolean;
  /** The cluster's version is no matter. */
  readonly anyVersion?: boolean;
}

/** Runs `use` with a client of the datastore that the environment names, and closes it whatever happens. */
export const withResources = <T>(
  io: CliIo,
  use: (client: ResourceClient, store: Store) => Promise<T>,
  options: SessionOptions = {},
): Promise<T> => withStore(io, (store) => use(createResourceClient(store), store), options);

/** As withResources, for what is no resource. */
export async function withStore<T>(
  io: CliIo,
  use: (store: Store) => Promise<T>,
  { mayFound = false, dryRun = false, anyVersion = false }: SessionOptions = {},
): Promise<T> {
  const store = dryRun ? new DryRunStore(await openDryStore(io, mayFound)) : await openStore(io, mayFound);
  try {
    if (!anyVersion && io.allowVersionMismatch !== true) await checkVersion(createResourceClient(store), io);
    return await use(store);
  } finally {
    await store.close();
    if (store instanceof DryRunStore) io.stdout(formatDryRun(store.changes(), painter(io)));
  }
}

/** A datastore that would be founded is an empty one so far. */
async function openDryStore(io: CliIo, mayFound: boolean): Promise<Store> {
  try {
    return await openStore(io, false);
  } catch (error) {
    if (mayFound && error instanceof CommandError && error.cause instanceof NoDatastoreError) return new MemoryStore();
    throw error;
  }
}

async function openStore(io: CliIo, mayFound: boolean): Promise<Store> {
  const env = (await io.datastoreEnv?.()) ?? io.env;
  const [slip] = misspelled(env, DATASTORE_VARIABLES);
  if (slip !== undefined) throw new CommandError(slip);
  const settings = datastoreSettings(env);
  if (settings.type !== 'file' || mayFound) return io.openStore(settings);
  try {
    return await io.openStore({ ...settings, mustExist: true });
  } catch (error) {
    if (!(error instanceof NoDatastoreError)) throw error;
    throw new CommandError(`CALICO_FILE_DATASTORE = '${settings.directory}': there is no datastore`, { cause: error });
  }
}

const GROUP = '.projectcalico.org';

/** The kind that a word on the command line means, with or without its group. Throws UsageError. */
export function kindArgument(word: string): Kind {
  const kind = kindByAlias(word.endsWith(GROUP) ? word.slice(0, -GROUP.length) : word);
  if (kind === undefined) throw new UsageError(`failed to get resources: resource type '${word}' is not supported`);
  return kind;
}

export function nameArguments(names: readonly string[]): readonly string[] {
  if (names.includes('')) throw new UsageError('resource name may not be empty');
  return names;
}

export interface ResourceArguments {
  readonly kind: Kind;
  readonly names: readonly string[];
}

/** `KIND NAME...`, or `KIND/NAME...` as `-o name` prints them. Throws UsageError. */
export function resourceArguments(first: string, rest: readonly string[]): ResourceArguments {
  if (!first.includes('/')) return { kind: kindArgument(first), names: nameArguments(rest) };
  const pairs = [first, ...rest].map((word) => [word.slice(0, word.indexOf('/')), word.slice(word.indexOf('/') + 1)]);
  const kinds = new Set(pairs.map(([kind = '']) => kindArgument(kind)));
  const [kind] = kinds;
  if (kind === undefined || kinds.size > 1) throw new UsageError(`'${[...kinds].join("' and '")}': one kind at a time`);
  return { kind, names: nameArguments(pairs.map(([, name = '']) => name)) };
}
