import { datastoreSettings } from '../config/datastore.ts';
import type { ResourceClient } from '../resources/index.ts';
import { createResourceClient, kindByAlias } from '../resources/index.ts';
import type { Kind } from '../resources/index.ts';
import type { CliIo } from './io.ts';
import { CommandError } from './io.ts';

/** Runs `use` with a client of the datastore that the environment names, and closes it whatever happens. */
export async function withResources<T>(io: CliIo, use: (client: ResourceClient) => Promise<T>): Promise<T> {
  const store = await io.openStore(datastoreSettings(io.env));
  try {
    return await use(createResourceClient(store));
  } finally {
    await store.close();
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
