import type { Command } from 'commander';
import { ConflictError } from '../../datastore/store.ts';
import type { AnyResource, Kind, ResourceClient, ResourceName } from '../../resources/index.ts';
import { checkLabel } from '../../resources/index.ts';
import { refuseReadOnly } from '../manifest/checked-document.ts';
import type { DryRunOptions } from '../dry-run/option.ts';
import { addDryRunOption, resultIo } from '../dry-run/option.ts';
import type { CliIo } from '../io.ts';
import { CommandError, UsageError } from '../io.ts';
import { kindArgument, nameArguments, withResources } from '../session.ts';

/** As often as calicoctl's own client tries. */
const RETRIES = 5;

interface LabelOptions extends DryRunOptions {
  readonly overwrite?: boolean;
  readonly remove?: boolean;
  readonly namespace?: string;
}

export function addLabelCommand(program: Command, io: CliIo): void {
  addDryRunOption(program.command('label'))
    .description('set or remove one label of a resource')
    .argument('<kind>')
    .argument('<name>')
    .argument('<label>', 'key=value, or key with --remove')
    .option('--overwrite', 'replace a value that is there')
    .option('--remove', 'remove the label')
    .option('-n, --namespace <namespace>', 'of kinds that have one')
    .action(async (word: string, name: string, ...[label, options]: [string, LabelOptions]) => {
      const kind = kindArgument(word);
      nameArguments([name]);
      await withResources(
        io,
        async (client) => {
          const where = { name, ...(options.namespace === undefined ? {} : { namespace: options.namespace }) };
          const done = await labelResource(client, { kind, where }, (resource) =>
            options.remove === true ? removed(resource, label) : set(resource, label, options.overwrite === true),
          );
          resultIo(io, options).stdout(`Successfully ${done} ${kind.toLowerCase()} ${name}\n`);
        },
        options,
      );
    });
}

interface Labelled {
  readonly kind: Kind;
  readonly where: ResourceName;
}

/** The version that was read goes along, so that what somebody else writes meanwhile is not lost: then it is read again. */
async function labelResource(
  client: ResourceClient,
  { kind, where }: Labelled,
  edited: (resource: AnyResource) => Edit,
): Promise<string> {
  for (let attempt = 0; ; attempt++) {
    const resource = await client.get(kind, where);
    refuseReadOnly(resource, 'label');
    const { labels, done } = edited(resource);
    try {
      await client.update({ ...resource, metadata: { ...resource.metadata, labels } });
      return done;
    } catch (error) {
      if (!(error instanceof ConflictError) || attempt >= RETRIES) throw error;
    }
  }
}

interface Edit {
  readonly labels: Readonly<Record<string, string>>;
  readonly done: string;
}

function set({ kind, metadata }: AnyResource, label: string, overwrite: boolean): Edit {
  const [, key, value] = /^([^=]+)=(.*)$/.exec(label) ?? [];
  if (key === undefined || value === undefined) {
    throw new UsageError(`invalid label '${label}': it is not of the form key=value`);
  }
  checkLabel(key, value, 'label');
  const before = metadata.labels?.[key];
  const labels = { ...metadata.labels, [key]: value };
  if (before === undefined || before === value) return { labels, done: `set label ${key} on` };
  if (overwrite) return { labels, done: `updated label ${key} on` };
  throw new CommandError(
    `failed to update label of ${kind.toLowerCase()} ${metadata.name}, key ${key} is already present. please use '--overwrite' to set a new value.`,
  );
}

function removed({ kind, metadata }: AnyResource, key: string): Edit {
  const { labels = {} } = metadata;
  if (!Object.hasOwn(labels, key)) {
    throw new CommandError(`cannot remove label of ${kind.toLowerCase()} ${metadata.name}, key ${key} does not exist.`);
  }
  const rest = Object.entries(labels).filter(([name]) => name !== key);
  return { labels: Object.fromEntries(rest), done: `removed label ${key} from` };
}
