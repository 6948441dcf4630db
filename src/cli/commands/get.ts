import type { Command } from 'commander';
import { stringify } from 'yaml';
import type {
  AnyResource,
  ColumnContext,
  Kind,
  KindSpec,
  ResourceClient,
  UnreadableEntry,
} from '../../resources/index.ts';
import { API_VERSION, DEFAULT_ASN, kindTable } from '../../resources/index.ts';
import type { CliIo } from '../io.ts';
import { CommandError } from '../io.ts';
import { kindArgument, nameArguments, withResources } from '../session.ts';
import { formatTabs } from '../table.ts';

const FORMATS = ['ps', 'wide', 'yaml', 'yml', 'json'] as const;
type Format = (typeof FORMATS)[number];

interface GetOptions {
  readonly output: string;
  readonly namespace?: string;
  readonly allNamespaces?: boolean;
  readonly headers: boolean;
  readonly export?: boolean;
}

export function addGetCommand(program: Command, io: CliIo): void {
  program
    .command('get')
    .description('show resources of a kind')
    .argument('<kind>', 'bgppeers, ippool, nodes …')
    .argument('[names...]')
    .option('-o, --output <format>', FORMATS.join(', '), 'ps')
    .option('-n, --namespace <namespace>', 'of kinds that have one')
    .option('-A, --all-namespaces', 'of kinds that have one')
    .option('--no-headers', 'leave the headings of the table out')
    .option('--export', 'without what the cluster itself put into the metadata')
    .action(async (word: string, names: readonly string[], options: GetOptions) => {
      const kind = kindArgument(word);
      const format = outputFormat(options);
      nameArguments(names);
      await withResources(io, async (client) => {
        const { resources, unreadable } = await find(client, { kind, names, options });
        const asn = kind === 'Node' ? await globalAsn(client) : { globalAsn: DEFAULT_ASN, unreadable: [] };
        for (const { key, reason } of [...unreadable, ...asn.unreadable]) io.stderr(`cannot read ${key}: ${reason}\n`);
        const context = { globalAsn: asn.globalAsn };
        io.stdout(
          format === 'ps' || format === 'wide'
            ? table({ kind, resources, context, options })
            : document(resources, { format, names, options }),
        );
      });
    });
}

function outputFormat({ output, namespace, allNamespaces }: GetOptions): Format {
  if (namespace !== undefined && allNamespaces === true) {
    throw new CommandError('cannot use both --namespace and --all-namespaces flags at the same time');
  }
  const format = FORMATS.find((candidate) => candidate === output);
  if (format === undefined) throw new CommandError(`unrecognized output format '${output}'`);
  return format;
}

interface Query {
  readonly kind: Kind;
  readonly names: readonly string[];
  readonly options: GetOptions;
}

interface Found {
  readonly resources: readonly AnyResource[];
  /** What list leaves out is told: the operator would look for it in vain. */
  readonly unreadable: readonly UnreadableEntry[];
}

async function find(client: ResourceClient, { kind, names, options }: Query): Promise<Found> {
  const namespace =
    kindTable[kind].namespaced && options.allNamespaces !== true ? (options.namespace ?? 'default') : undefined;
  if (names.length === 0) return client.survey(kind, namespace);
  const found: AnyResource[] = [];
  for (const name of names)
    found.push(await client.get(kind, { name, ...(namespace === undefined ? {} : { namespace }) }));
  return { resources: found, unreadable: [] };
}

/** AS number of the nodes that have none of their own. */
async function globalAsn(client: ResourceClient): Promise<ColumnContext & Pick<Found, 'unreadable'>> {
  const { resources, unreadable } = await client.survey('BGPConfiguration');
  const shared = resources.find(({ metadata }) => metadata.name === 'default');
  return { globalAsn: shared?.spec.asNumber ?? DEFAULT_ASN, unreadable };
}

interface Table {
  readonly kind: Kind;
  readonly resources: readonly AnyResource[];
  readonly context: ColumnContext;
  readonly options: GetOptions;
}

function table({ kind, resources, context, options }: Table): string {
  const spec = kindTable[kind] as KindSpec<AnyResource>;
  const withNamespace = spec.namespaced && (options.namespace !== undefined || options.allNamespaces === true);
  const namespace = { heading: 'NAMESPACE', value: ({ metadata }: AnyResource) => metadata.namespace ?? '' };
  const columns = [
    ...(withNamespace ? [namespace] : []),
    ...(options.output === 'wide' ? spec.wideColumns : spec.columns),
  ];
  const head = options.headers ? [columns.map(({ heading }) => heading)] : [];
  return `${formatTabs([...head, ...resources.map((resource) => columns.map(({ value }) => value(resource, context)))])}\n`;
}

interface Written {
  readonly format: 'yaml' | 'yml' | 'json';
  readonly names: readonly string[];
  readonly options: GetOptions;
}

/** One resource that was named stands alone; everything else is a list. */
function document(resources: readonly AnyResource[], { format, names, options }: Written): string {
  const alone = names.length === 1;
  const shown = alone && options.export === true ? resources.map(exported) : resources;
  if (format === 'json') return `${JSON.stringify(alone ? shown[0] : shown, undefined, 2)}\n`;
  const kind = `${resources[0]?.kind ?? ''}List`;
  return stringify(alone ? shown[0] : { apiVersion: API_VERSION, kind, items: shown }, {
    aliasDuplicateObjects: false,
  });
}

function exported(resource: AnyResource): object {
  const { name, labels, annotations } = resource.metadata;
  return { ...resource, metadata: { name, ...(labels && { labels }), ...(annotations && { annotations }) } };
}
