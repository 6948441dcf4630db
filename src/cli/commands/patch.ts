import { Option } from 'commander';
import type { Command } from 'commander';
import { parse } from 'yaml';
import { ConflictError } from '../../datastore/store.ts';
import type { AnyResource, Kind, ResourceClient, ResourceName } from '../../resources/index.ts';
import { parseResource, resourceId } from '../../resources/index.ts';
import { noteUnheeded, refuseReadOnly } from '../manifest/checked-document.ts';
import type { DryRunOptions } from '../dry-run/option.ts';
import { addDryRunOption, resultIo } from '../dry-run/option.ts';
import type { CliIo } from '../io.ts';
import { CommandError, UsageError } from '../io.ts';
import type { PatchType } from '../patch.ts';
import { applyPatch, PATCH_TYPES } from '../patch.ts';
import { resourceArguments, withResources } from '../session.ts';

interface PatchOptions extends DryRunOptions {
  readonly patch: string;
  readonly type: PatchType;
  readonly namespace?: string;
}

/** How often a patch is made anew after somebody else changed the resource between reading and writing. */
const RETRIES = 5;

export function addPatchCommand(program: Command, io: CliIo): void {
  addDryRunOption(program.command('patch'))
    .description('change fields of a resource')
    .argument('<kind>')
    .argument('[name]')
    .requiredOption('-p, --patch <patch>', 'the change, in JSON or YAML')
    .addOption(new Option('-t, --type <type>', 'of the patch').choices(PATCH_TYPES).default('strategic'))
    .option('-n, --namespace <namespace>', 'of kinds that have one')
    .action(async (word: string, rest: string | undefined, options: PatchOptions) => {
      const { kind, names } = resourceArguments(word, rest === undefined ? [] : [rest]);
      const [name] = names;
      if (name === undefined) throw new UsageError("missing required argument 'name'");
      const where = { name, ...(options.namespace === undefined ? {} : { namespace: options.namespace }) };
      const patch = parsePatch(options.patch);
      const change = (document: unknown): unknown => applyPatch(document, patch, options.type);
      let patched: AnyResource;
      try {
        patched = await withResources(io, (client) => patchResource(client, { kind, where, change }), options);
      } catch (error) {
        throw new CommandError(`failed to patch '${kind}' resource: [${(error as Error).message}]`);
      }
      resultIo(io, options).stdout(`Successfully patched 1 '${kind}' resource\n`);
      noteUnheeded([patched], io);
    });
}

function parsePatch(text: string): unknown {
  try {
    return parse(text, { prettyErrors: false });
  } catch (error) {
    throw new CommandError(`patch = '${text}': ${(error as Error).message}`);
  }
}

interface Patching {
  readonly kind: Kind;
  readonly where: ResourceName;
  readonly change: (document: unknown) => unknown;
}

async function patchResource(client: ResourceClient, { kind, where, change }: Patching): Promise<AnyResource> {
  for (let attempt = 0; ; attempt++) {
    const current = await client.get(kind, where);
    refuseReadOnly(current, 'patch');
    const next = parseResource(change(current));
    refuseRenaming(current, next);
    try {
      return await client.update(next);
    } catch (error) {
      // Unless the patch itself says which version it is for.
      const isOurs = next.metadata.resourceVersion === current.metadata.resourceVersion;
      if (!(error instanceof ConflictError) || !isOurs || attempt >= RETRIES) throw error;
    }
  }
}

function refuseRenaming(current: AnyResource, next: AnyResource): void {
  const [was, is] = [current, next].map(({ kind, metadata }) => resourceId(kind, metadata.name, metadata.namespace));
  if (was !== is) throw new CommandError(`a patch can not make ${String(is)} of ${String(was)}`);
}
