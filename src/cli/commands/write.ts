import type { Command } from 'commander';
import type { AnyResource, ResourceClient } from '../../resources/index.ts';
import type { BatchItem, ManifestOptions, VerbWords } from '../manifest/batch.ts';
import { describeDocument, readDocuments, runBatch, withPosition } from '../manifest/batch.ts';
import { checkedDocument, noteUnheeded, refuseReadOnly } from '../manifest/checked-document.ts';
import type { DryRunOptions } from '../dry-run/option.ts';
import { addDryRunOption, resultIo } from '../dry-run/option.ts';
import type { CliIo } from '../io.ts';
import { addManifestOptions } from '../manifest/manifest-options.ts';
import { withResources } from '../session.ts';

export interface WriteVerb extends VerbWords {
  readonly description: string;
  /** It may be the first to write into a datastore that is not there yet. */
  readonly mayFound?: boolean;
  write(client: ResourceClient, resource: AnyResource, options: Readonly<Record<string, unknown>>): Promise<unknown>;
}

/** The shape that apply, create and replace share: resources from `-f`, each checked and written by itself. */
export function addWriteCommand(program: Command, io: CliIo, verb: WriteVerb): Command {
  return addDryRunOption(addManifestOptions(program.command(verb.verb)))
    .description(verb.description)
    .action(async (options: ManifestOptions & DryRunOptions & Readonly<Record<string, unknown>>) => {
      const documents = await readDocuments(io, options);
      const written: AnyResource[] = [];
      const write = async (client: ResourceClient): Promise<void> => {
        const items = documents.map((document): BatchItem => ({
          ...describeDocument(document),
          run: () =>
            withPosition(document, async () => {
              const resource = checkedDocument(document, options.namespace);
              refuseReadOnly(resource, verb.verb);
              await verb.write(client, resource, options);
              written.push(resource);
            }),
        }));
        await runBatch(items, verb, resultIo(io, options));
      };
      await withResources(io, write, { ...verb, ...options }).finally(() => noteUnheeded(written, io));
    });
}
