import type { Command } from 'commander';
import type { AnyResource, ResourceClient } from '../../resources/index.ts';
import { kindTable, parseResource, resourceId } from '../../resources/index.ts';
import type { BatchItem, ManifestOptions, VerbWords } from '../batch.ts';
import { describeDocument, readDocuments, runBatch } from '../batch.ts';
import type { CliIo } from '../io.ts';
import { CommandError } from '../io.ts';
import { withResources } from '../session.ts';

export interface WriteVerb extends VerbWords {
  readonly description: string;
  /** It may be the first to write into a datastore that is not there yet. */
  readonly mayFound?: boolean;
  write(client: ResourceClient, resource: AnyResource, options: Readonly<Record<string, unknown>>): Promise<unknown>;
}

/** The shape that apply, create and replace share: resources from `-f`, each checked and written by itself. */
export function addWriteCommand(program: Command, io: CliIo, verb: WriteVerb): Command {
  return program
    .command(verb.verb)
    .description(verb.description)
    .requiredOption('-f, --filename <path>', 'a file, a directory, or - for standard input')
    .option('-R, --recursive', 'directories with all that is in them')
    .option('--skip-empty', 'do not fail where there are no resources')
    .action(async (options: ManifestOptions & Readonly<Record<string, unknown>>) => {
      const documents = await readDocuments(io, options);
      const write = async (client: ResourceClient): Promise<void> => {
        const items = documents.map((document): BatchItem => ({
          ...describeDocument(document),
          run: async () => {
            await verb.write(client, writable(document, verb.verb), options);
          },
        }));
        await runBatch(items, verb, io);
      };
      await withResources(io, write, verb);
    });
}

function writable(document: unknown, verb: string): AnyResource {
  const resource = parseResource(document);
  refuseReadOnly(resource, verb);
  return resource;
}

/** Throws CommandError for kinds that the agent alone writes. */
export function refuseReadOnly({ kind, metadata }: Pick<AnyResource, 'kind' | 'metadata'>, verb: string): void {
  if (kindTable[kind].readOnly !== true) return;
  const operation = verb.charAt(0).toUpperCase() + verb.slice(1);
  throw new CommandError(`operation ${operation} is not supported on ${resourceId(kind, metadata.name)}`);
}
