import type { AnyResource, ColumnContext, Kind, KindSpec } from '../../resources/index.ts';
import { kindTable } from '../../resources/index.ts';
import { UsageError } from '../io.ts';
import { jsonPath, textOf, valuesAt } from './jsonpath.ts';

export type Format =
  | { readonly as: 'table'; readonly columns: readonly Column[] }
  | { readonly as: 'json' | 'name' }
  | { readonly as: 'yaml'; readonly print: (value: unknown) => string }
  | { readonly as: 'jsonpath'; readonly print: (value: unknown) => string };

export interface Column {
  readonly heading: string;
  readonly value: (resource: AnyResource, context: ColumnContext) => string;
}

/** For `--help`. */
export const FORMATS = 'table, ps, wide, yaml, json, name, jsonpath=TEMPLATE, custom-columns=COLUMNS';

interface Wanted {
  readonly kind: Kind;
  /** NAMESPACE stands in front. */
  readonly withNamespace: boolean;
}

/** What `-o` asks for. Throws CommandError. */
export async function outputFormat(output: string, { kind, withNamespace }: Wanted): Promise<Format> {
  const [word, argument] = split(output);
  const spec = kindTable[kind] as KindSpec<AnyResource>;
  const inFront = withNamespace && spec.namespaced ? [NAMESPACE] : [];
  switch (word) {
    case 'table':
    case 'ps':
      return { as: 'table', columns: [...inFront, ...spec.columns] };
    case 'wide':
      return { as: 'table', columns: [...inFront, ...spec.wideColumns] };
    case 'yml':
    case 'yaml':
      // Nobody else needs the library, which takes its time to load.
      return { as: 'yaml', print: (await import('./yaml.ts')).formatYaml };
    case 'json':
    case 'name':
      return { as: word };
    case 'jsonpath':
      if (argument === '') throw new UsageError('need to specify a template');
      return { as: 'jsonpath', print: jsonPath(argument) };
    case 'custom-columns':
      return { as: 'table', columns: customColumns(argument, kind) };
    case 'go-template':
    case 'go-template-file':
      throw new UsageError(`${word} is a language of Go's; write the same as -o jsonpath='{.items[*].metadata.name}'`);
    default:
      throw new UsageError(`unrecognized output format '${output}'; it is one of ${FORMATS}`);
  }
}

function split(output: string): readonly [string, string] {
  const equals = output.indexOf('=');
  return equals < 0 ? [output, ''] : [output.slice(0, equals), output.slice(equals + 1)];
}

const NAMESPACE: Column = { heading: 'NAMESPACE', value: ({ metadata }) => metadata.namespace ?? '' };

/** `NAME,CIDR` is calicoctl's way, `NAME:.metadata.name,CIDR:.spec.cidr` kubectl's; each column goes by itself. */
function customColumns(text: string, kind: Kind): readonly Column[] {
  const wanted = splitOutsideBrackets(text).filter((column) => column !== '');
  if (wanted.length === 0) throw new UsageError('need to specify at least one column');
  return wanted.map((column) => {
    const colon = column.indexOf(':');
    return colon < 0 ? namedColumn(column, kind) : pathColumn(column.slice(0, colon), column.slice(colon + 1));
  });
}

function namedColumn(word: string, kind: Kind): Column {
  const spec = kindTable[kind] as KindSpec<AnyResource>;
  const known = [...spec.wideColumns, ...spec.columns, ...(spec.namespaced ? [NAMESPACE] : [])];
  const found = known.find(({ heading }) => heading === word.toUpperCase());
  if (found !== undefined) return found;
  const names = [...new Set(known.map(({ heading }) => heading))].join(', ');
  throw new UsageError(`unknown column '${word}' of ${kind}: the columns are ${names}; or NAME:.spec.path`);
}

/** kubectl's word for what is not there. */
const NONE = '<none>';

function pathColumn(heading: string, path: string): Column {
  if (heading === '' || path === '') {
    throw new UsageError(`custom column '${heading}:${path}' is not of the form NAME:.spec.path`);
  }
  const read = valuesAt(path);
  return { heading, value: (resource) => read(resource).map(textOf).join(',') || NONE };
}

/** A comma inside of `[…]` belongs to the path. */
const splitOutsideBrackets = (text: string): readonly string[] => text.split(/,(?![^[]*\])/);
