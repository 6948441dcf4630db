/** The reference tables of docs/speaker.md, made of the JSON schema. `node test/docs/speaker-reference.ts` prints them. */
import { jsonSchema } from '../../src/speaker/schema.ts';
import type { Schema } from './schema.ts';

const schema = jsonSchema() as Schema & { readonly $defs: Readonly<Record<string, Schema>> };
const { properties: top = {} } = schema;
const peerSettings = schema.$defs['peerSettings']!;

/** Sections that have a table of their own. */
const SECTIONS: readonly (readonly [string, Schema])[] = [
  ['The file', schema],
  ['`listen[]`', top['listen']!.items!],
  ['`originate[]`: a prefix, or', objectOf(top['originate']!.items!)],
  ['Settings of peers: in `peers[]`, `dynamicPeers[]`, `templates.NAME` and `defaults`', peerSettings],
  ['`peers[]`, beside the settings of peers', withoutSettings(top['peers']!.items!)],
  ['`dynamicPeers[]`, beside the settings of peers', withoutSettings(top['dynamicPeers']!.items!)],
  ['`filters.NAME[]`: rules', (top['filters']!.additionalProperties as Schema).items!],
];

export function speakerReference(): string {
  return SECTIONS.map(([title, section]) => [`### ${title}`, '', HEAD, ...rows(section)].join('\n')).join('\n\n');
}

const HEAD = '| key | value | default | meaning |\n|---|---|---|---|';

function rows({ properties = {}, required = [] }: Schema): readonly string[] {
  return Object.entries(properties).map(([name, property]) => {
    const fallback = required.includes(name) ? '**required**' : defaultOf(property);
    return `| \`${name}\` | ${valueOf(property)} | ${fallback} | ${meaningOf(property)} |`.replaceAll(/ {2,}/g, ' ');
  });
}

const defaultOf = ({ default: value }: Schema): string => (value === undefined ? '' : `\`${JSON.stringify(value)}\``);

/** Small objects are told in place. */
function meaningOf({ description = '', properties }: Schema): string {
  if (properties === undefined) return description;
  const parts = Object.entries(properties).map(([name, property]) => {
    const { description: meaning, default: fallback, minimum } = property;
    const more = [meaning, fallback === undefined ? undefined : `default ${JSON.stringify(fallback)}`].filter(Boolean);
    if (property.properties !== undefined) return `\`${name}: {${Object.keys(property.properties).join(', ')}}\``;
    return `\`${name}\`${more.length > 0 || minimum === undefined ? '' : ` from ${minimum}`}${more.length > 0 ? `: ${more.join(', ')}` : ''}`;
  });
  return [description, ...parts].filter(Boolean).join('; ');
}

function valueOf(property: Schema): string {
  const { type, items, prefixItems, anyOf, enum: values, minimum, maximum, examples, $ref } = property;
  if ($ref !== undefined) return 'settings of peers';
  if (values !== undefined) return values.map((value) => `\`${String(value)}\``).join(', ');
  if (examples !== undefined) return `such as ${examples.map((example) => `\`${String(example)}\``).join(', ')}`;
  if (anyOf !== undefined) return [...new Set(anyOf.map(valueOf))].join(' or ');
  if (prefixItems !== undefined) return `list of ${prefixItems.length}: ${valueOf(prefixItems[0]!)}`;
  if (items !== undefined) return `list of ${valueOf(items)}`;
  if (type === 'integer') return `${minimum}–${maximum}`;
  if (type === 'object') return property.properties === undefined ? 'map by name' : 'map';
  if (type === 'boolean') return '`true`, `false`';
  return type === 'string' ? 'text' : String(type);
}

function objectOf({ anyOf = [] }: Schema): Schema {
  return anyOf.find(({ properties }) => properties !== undefined)!;
}

function withoutSettings({ properties = {}, ...more }: Schema): Schema {
  const own = Object.entries(properties).filter(([name]) => !Object.hasOwn(peerSettings.properties!, name));
  return { ...more, properties: Object.fromEntries(own) };
}

if (import.meta.main) process.stdout.write(`${speakerReference()}\n`);
