/**
 * What docs/resources.md and config/resources/ have of the schemas. `node test/docs/resource-reference.ts` writes both anew.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { format } from 'prettier';
import { FELIX_VARIABLES } from '../../src/config/felix-configuration.ts';
import { KINDS, kindTable } from '../../src/resources/index.ts';
import type { Kind } from '../../src/resources/index.ts';
import { resourceSchema } from '../../src/resources/json-schema.ts';
import type { Schema } from './schema.ts';

export const PAGE = 'docs/resources.md';
export const SCHEMA = 'config/resources/calico.schema.json';
export const GENERATED = /(<!-- made by test\/docs\/resource-reference\.ts -->\n\n)([^]*)(\n\n<!-- end -->)/;

const { $defs } = resourceSchema() as { readonly $defs: Readonly<Record<string, Schema>> };

/** Parts of several kinds that have a section of their own. */
const PARTS = Object.keys($defs).filter((name) => !KINDS.some((kind) => kind === name));

export function resourceReference(): string {
  return [
    kindRows(),
    ...KINDS.map((kind) => section(kind, [...specRows(kind), ...statusRows(kind)])),
    ...PARTS.map((name) => section(name, table('', $defs[name]!))),
  ].join('\n\n');
}

/** A field of FelixConfiguration that we have a setting for names it. */
function specRows(kind: Kind): readonly string[] {
  const rows = table('spec', specOf(kind));
  if (kind !== 'FelixConfiguration') return rows;
  return rows.map((row) => {
    const variable = FELIX_VARIABLES[/`spec\.(\w+)`/.exec(row)?.[1] ?? ''];
    return variable === undefined ? row : row.replace(/ \|$/, ` (${code(variable)}) |`);
  });
}

const specOf = (kind: Kind): Schema => $defs[kind]!.properties!['spec']!;

/** Most kinds carry a status along unread. */
function statusRows(kind: Kind): readonly string[] {
  const status = $defs[kind]!.properties!['status']!;
  return status.properties === undefined ? [] : table('status', status);
}

function kindRows(): string {
  const rows = KINDS.map((kind) => {
    const { aliases, plural, namespaced, inert, readOnly } = kindTable[kind];
    const words = [plural, ...aliases].map(code).join(', ');
    const used =
      inert === true ? 'checked and kept; nothing goes by it yet' : readOnly === true ? 'only shown' : 'gone by';
    return `| [${kind}](#${kind.toLowerCase()}) | ${words} | ${namespaced ? 'yes' : ''} | ${used} |`;
  });
  return ['| kind | in commands also | in a namespace | here |', '|---|---|---|---|', ...rows].join('\n');
}

const section = (name: string, rows: readonly string[]): string =>
  [`### ${name}`, '', '| field | value | default | meaning |', '|---|---|---|---|', ...rows].join('\n');

/** A row for each field, fields of fields among them. */
function table(path: string, { properties = {}, required = [], $comment }: Schema): readonly string[] {
  const rows = Object.entries(properties).flatMap(([name, property]) => {
    const own = path === '' ? name : `${path}.${name}`;
    const row = rowOf(own, property, required.includes(name));
    return [...(isTold(property) ? [row] : []), ...inner(own, property)];
  });
  return $comment === undefined ? rows : [...rows, `| \`${path}\` | | | ${$comment} |`];
}

const inner = (path: string, { properties, items, ...more }: Schema): readonly string[] =>
  items !== undefined
    ? inner(`${path}[]`, items)
    : properties === undefined
      ? []
      : table(path, { properties, ...more });

/** What is only the sum of its fields needs no row. */
const isTold = (schema: Schema): boolean =>
  schema.description !== undefined || (schema.properties ?? schema.items?.properties) === undefined;

function rowOf(path: string, schema: Schema, isRequired: boolean): string {
  const fallback = isRequired ? '**required**' : schema.default === undefined ? '' : code(schema.default);
  return `| \`${path}\` | ${valueOf(schema)} | ${fallback} | ${schema.description ?? ''} |`.replaceAll(/ {2,}/g, ' ');
}

function valueOf(schema: Schema): string {
  const { type, items, properties, anyOf, enum: values, minimum, maximum, examples, $ref } = schema;
  if ($ref !== undefined) return `[${$ref.slice('#/$defs/'.length)}](#${$ref.slice('#/$defs/'.length).toLowerCase()})`;
  if (values !== undefined) return values.map(code).join(', ');
  if (examples !== undefined) return `such as ${examples.map(code).join(', ')}`;
  if (items !== undefined) return `list of ${valueOf(items)}`;
  if (properties !== undefined) return 'map';
  if (anyOf !== undefined) return [...new Set(anyOf.map(valueOf))].join(' or ');
  if (minimum !== undefined) return maximum === undefined ? `from ${minimum}` : `${minimum}–${maximum}`;
  if (type === undefined) return 'any';
  return [type]
    .flat()
    .map((each) => TYPES[each] ?? each)
    .join(' or ');
}

const TYPES: Readonly<Record<string, string>> = { boolean: '`true`, `false`', object: 'map', string: 'text' };

/** In a table even code must not hold the sign between cells. */
const code = (value: unknown): string =>
  `\`${(typeof value === 'string' && value !== '' ? value : JSON.stringify(value)).replaceAll('|', '\\|')}\``;

if (import.meta.main) {
  const [block = '', begin = '', , end = ''] = GENERATED.exec(readFileSync(PAGE, 'utf8')) ?? [];
  writeFileSync(PAGE, readFileSync(PAGE, 'utf8').split(block).join(`${begin}${resourceReference()}${end}`));
  writeFileSync(SCHEMA, await format(JSON.stringify(resourceSchema()), { parser: 'json', printWidth: 120 }));
}
