import type { Command } from 'commander';
import type { Store } from '../../datastore/store.ts';
import { NotFoundError } from '../../datastore/store.ts';
import { createIpam } from '../../ipam/index.ts';
import type { Kind, Metadata, ResourceClient } from '../../resources/index.ts';
import { isKind, resourceId, resourceKey } from '../../resources/index.ts';
import { systemClock } from '../../runtime/clock.ts';
import { systemRandom } from '../../runtime/random.ts';
import { readDocuments } from '../manifest/batch.ts';
import { refuseReadOnly } from '../manifest/checked-document.ts';
import type { DryRunOptions } from '../dry-run/option.ts';
import { addDryRunOption, resultIo } from '../dry-run/option.ts';
import type { CliIo } from '../io.ts';
import { CommandError, UsageError } from '../io.ts';
import type { ManifestDocument } from '../manifest/manifest.ts';
import type { RemovalPorts } from '../removal/node.ts';
import { clearNode } from '../removal/node.ts';
import type { PoolRemoval } from '../removal/pool.ts';
import { clearPool } from '../removal/pool.ts';
import { resourceArguments, withResources } from '../session.ts';

interface Target {
  readonly kind: Kind;
  readonly metadata: Pick<Metadata, 'name' | 'namespace' | 'resourceVersion'>;
}

interface DeleteOptions extends DryRunOptions {
  readonly filename?: string;
  readonly recursive?: boolean;
  readonly namespace?: string;
  readonly skipNotExists?: boolean;
  readonly skipEmpty?: boolean;
  readonly force?: boolean;
}

export function addDeleteCommand(program: Command, io: CliIo): void {
  addDryRunOption(program.command('delete'))
    .description('delete resources by file, or by kind and names')
    .argument('[kind]')
    .argument('[names...]')
    .option('-f, --filename <path>', 'a file, a directory, or - for standard input')
    .option('-R, --recursive', 'directories with all that is in them')
    .option('-n, --namespace <namespace>', 'the namespace of the names', undefined)
    .option('--skip-empty', 'do not fail where there are no resources')
    .option('--force', 'an IPPool also where pods have its addresses')
    .option('-s, --skip-not-exists', 'take a resource that does not exist for deleted')
    .action(async (kind: string | undefined, names: readonly string[], options: DeleteOptions) => {
      const targets = await chooseTargets({ kind, names, options }, io);
      await withResources(
        io,
        (client, store) => deleteAll({ targets, options }, removalPorts(client, store), resultIo(io, options)),
        options,
      );
    });
}

interface Choice {
  readonly kind: string | undefined;
  readonly names: readonly string[];
  readonly options: DeleteOptions;
}

async function chooseTargets({ kind, names, options }: Choice, io: CliIo): Promise<readonly Target[]> {
  const { filename, namespace } = options;
  if (filename !== undefined) return (await readDocuments(io, { ...options, filename })).map(documentTarget);
  if (kind === undefined) throw new UsageError('No resources specified');
  const found = resourceArguments(kind, names);
  if (found.names.length === 0) throw new UsageError('No resources specified');
  return found.names.map((name) => ({
    kind: found.kind,
    metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
  }));
}

/** Only kind and name count: what cannot be read any more must still be deletable. */
function documentTarget({ value, where }: ManifestDocument): Target {
  const { kind, metadata } = (value ?? {}) as { readonly kind?: unknown; readonly metadata?: Metadata };
  if (typeof kind !== 'string' || !isKind(kind))
    throw new CommandError(`${where('kind')}: kind = '${String(kind)}': is not a kind that is supported`);
  if (typeof metadata?.name !== 'string')
    throw new CommandError(`${where('metadata')}: metadata.name of a ${kind}: is required`);
  return { kind, metadata };
}

interface Deletion {
  readonly targets: readonly Target[];
  readonly options: DeleteOptions;
}

const removalPorts = (client: ResourceClient, store: Store): RemovalPorts => ({
  client,
  store,
  ipam: createIpam(store, { clock: systemClock, random: systemRandom }),
});

interface Cleared {
  /** What else is gone, in words. */
  readonly with: readonly string[];
  readonly resourceVersion?: string;
}

/** Nothing goes with a resource that is not there, or of which another version is to be deleted. */
async function clear({ kind, metadata }: Target, ports: RemovalPorts, pool: PoolRemoval): Promise<Cleared> {
  const { resourceVersion } = metadata;
  const asked = resourceVersion === undefined ? {} : { resourceVersion };
  const entry =
    kind === 'Node' || kind === 'IPPool' ? await ports.store.get(resourceKey(kind, metadata.name)) : undefined;
  if (entry === undefined || (resourceVersion ?? String(entry.revision)) !== String(entry.revision)) {
    return { with: [], ...asked };
  }
  // Whoever is cleared away is written meanwhile, by us and by the nodes: the version asked for was the right one.
  return { with: await (kind === 'Node' ? clearNode(metadata.name, ports) : clearPool(metadata.name, ports, pool)) };
}

async function deleteAll({ targets, options }: Deletion, ports: RemovalPorts, io: CliIo): Promise<void> {
  const kinds = new Set(targets.map(({ kind }) => kind));
  let failed = false;
  for (const target of targets) {
    const { kind, metadata } = target;
    try {
      refuseReadOnly({ kind, metadata }, 'delete');
      const gone = await clear(target, ports, { force: options.force === true, sleep: (ms) => io.sleep(ms) });
      await ports.client.delete(kind, metadata, gone.resourceVersion);
      if (gone.with.length > 0) io.stdout(`With ${kind} ${metadata.name} went: ${gone.with.join(', ')}\n`);
    } catch (error) {
      if (error instanceof NotFoundError && options.skipNotExists === true) continue;
      failed = true;
      const sentence = (error as Error).message;
      const id = resourceId(kind, metadata.name, metadata.namespace);
      io.stderr(`Failed to delete '${kind}' resource: ${sentence.includes(id) ? '' : `${id}: `}${sentence}\n`);
    }
  }
  if (failed) throw new CommandError('');
  const quoted = kinds.size === 1 ? `'${[...kinds].join('')}' ` : '';
  io.stdout(`Successfully deleted ${targets.length} ${quoted}resource(s)\n`);
}
