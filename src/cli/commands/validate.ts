import type { Command } from 'commander';
import type { AnyResource } from '../../resources/index.ts';
import { resourceId } from '../../resources/index.ts';
import type { ManifestOptions } from '../manifest/batch.ts';
import { describeDocument, readDocuments, runBatch, withPosition } from '../manifest/batch.ts';
import { checkedDocument, noteUnheeded } from '../manifest/checked-document.ts';
import type { CliIo } from '../io.ts';
import { CommandError } from '../io.ts';
import { addManifestOptions } from '../manifest/manifest-options.ts';

/** Checks as every write does, without a datastore: what stands in there already is not asked. */
export function addValidateCommand(program: Command, io: CliIo): void {
  addManifestOptions(program.command('validate'))
    .description('check resources in files; needs no datastore')
    .action(async (options: ManifestOptions) => {
      const documents = await readDocuments(io, options);
      const firsts = new Map<string, string>();
      const checked: AnyResource[] = [];
      const items = documents.map((document) => ({
        ...describeDocument(document),
        run: () =>
          withPosition(document, () => {
            const resource = checkedDocument(document, options.namespace);
            const { kind, metadata } = resource;
            const id = resourceId(kind, metadata.name, metadata.namespace);
            const first = firsts.get(id);
            if (first !== undefined) {
              return Promise.reject(new CommandError(`${document.where()}: ${id} is there already, at ${first}`));
            }
            firsts.set(id, document.where());
            checked.push(resource);
            return Promise.resolve();
          }),
      }));
      await runBatch(items, { verb: 'validate', past: 'validated' }, io).finally(() => noteUnheeded(checked, io));
    });
}
