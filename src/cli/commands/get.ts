import type { Command } from 'commander';
import type { AnyResource, ColumnContext, Kind, ResourceClient, UnreadableEntry } from '../../resources/index.ts';
import { DEFAULT_ASN, kindTable } from '../../resources/index.ts';
import type { CliIo } from '../io.ts';
import { UsageError } from '../io.ts';
import { exported, formatDocuments } from '../output/documents.ts';
import type { Format } from '../output/format.ts';
import { FORMATS, outputFormat } from '../output/format.ts';
import { resourceArguments, withResources } from '../session.ts';
import { formatTabs } from '../table.ts';
import { watchResources } from '../watch.ts';

interface GetOptions {
  readonly output: string;
  readonly namespace?: string;
  readonly allNamespaces?: boolean;
  readonly headers: boolean;
  readonly export?: boolean;
  readonly watch?: boolean;
}

export function addGetCommand(program: Command, io: CliIo): void {
  program
    .command('get')
    .description('show resources of a kind')
    .argument('<kind>', 'bgppeers, ippool, nodes …')
    .argument('[names...]')
    .option('-o, --output <format>', FORMATS, 'ps')
    .option('-n, --namespace <namespace>', 'of kinds that have one')
    .option('-A, --all-namespaces', 'of kinds that have one')
    .option('--no-headers', 'leave the headings of the table out')
    .option('--export', 'without what the cluster itself put into the metadata')
    .option('-w, --watch', 'go on with what changes, until Ctrl-C')
    .action(async (word: string, rest: readonly string[], options: GetOptions) => {
      const { kind, names } = resourceArguments(word, rest);
      const query = { kind, names, ...scopeOf(kind, options) };
      const withNamespace = options.namespace !== undefined || options.allNamespaces === true;
      const format = await outputFormat(options.output, { kind, withNamespace });
      await withResources(io, async (client, store) => {
        const watch = options.watch === true;
        // A watch lists by itself; that a name is unknown is told before it begins.
        const found = watch && names.length === 0 ? NOTHING : await find(client, query);
        const asn = kind === 'Node' ? await globalAsn(client) : { globalAsn: DEFAULT_ASN, unreadable: [] };
        for (const { key, reason } of [...found.unreadable, ...asn.unreadable]) {
          io.stderr(`cannot read ${key}: ${reason}\n`);
        }
        const shown = { format, context: { globalAsn: asn.globalAsn }, headers: options.headers };
        if (watch) await watchResources({ store, query, shown }, io);
        else io.stdout(print(found.resources, { ...shown, alone: names.length === 1, bare: options.export === true }));
      });
    });
}

/** Absent: of all namespaces, or of a kind that has none. */
function scopeOf(kind: Kind, { namespace, allNamespaces = false }: GetOptions): { readonly namespace?: string } {
  if (namespace !== undefined && allNamespaces) {
    throw new UsageError('cannot use both --namespace and --all-namespaces flags at the same time');
  }
  if (kindTable[kind].namespaced) return allNamespaces ? {} : { namespace: namespace ?? 'default' };
  if (namespace !== undefined) throw new UsageError(`${kind} is not namespaced`);
  return {};
}

interface Query {
  readonly kind: Kind;
  readonly names: readonly string[];
  readonly namespace?: string;
}

interface Found {
  readonly resources: readonly AnyResource[];
  /** What list leaves out is told: the operator would look for it in vain. */
  readonly unreadable: readonly UnreadableEntry[];
}

const NOTHING: Found = { resources: [], unreadable: [] };

async function find(client: ResourceClient, { kind, names, namespace }: Query): Promise<Found> {
  if (names.length === 0) return client.survey(kind, namespace);
  const found: AnyResource[] = [];
  for (const name of names) {
    found.push(await client.get(kind, { name, ...(namespace === undefined ? {} : { namespace }) }));
  }
  return { resources: found, unreadable: [] };
}

/** AS number of the nodes that have none of their own. */
async function globalAsn(client: ResourceClient): Promise<ColumnContext & Pick<Found, 'unreadable'>> {
  const { resources, unreadable } = await client.survey('BGPConfiguration');
  const shared = resources.find(({ metadata }) => metadata.name === 'default');
  return { globalAsn: shared?.spec.asNumber ?? DEFAULT_ASN, unreadable };
}

interface Printed {
  readonly format: Format;
  readonly context: ColumnContext;
  readonly headers: boolean;
  readonly alone: boolean;
  readonly bare: boolean;
}

function print(resources: readonly AnyResource[], { format, context, headers, alone, bare }: Printed): string {
  if (format.as !== 'table')
    return formatDocuments(alone && bare ? resources.map(exported) : resources, format, { alone });
  const head = headers ? [format.columns.map(({ heading }) => heading)] : [];
  const rows = resources.map((resource) => format.columns.map(({ value }) => value(resource, context)));
  return `${formatTabs([...head, ...rows])}\n`;
}
