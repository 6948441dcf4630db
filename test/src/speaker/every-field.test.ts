/** Every field that the JSON schema of a speaker's file names, wrong once in every way: one sentence, with the field in it. */
import { expect, test } from 'vitest';
import { configurationOf } from '../../../src/speaker/convert.ts';
import { ConfigurationError } from '../../../src/speaker/problems.ts';
import { jsonSchema } from '../../../src/speaker/schema.ts';

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly additionalProperties?: Schema | false;
  readonly anyOf?: readonly Schema[];
  readonly $ref?: string;
}

const root = jsonSchema() as Schema & { readonly $defs: Readonly<Record<string, Schema>> };

/** A file with an entry in every list and map, so that each field has its place. */
const PEER = {
  bfd: {},
  addPath: { send: true, receive: true },
  prefixLimits: { ipv4: { maximum: 1, action: 'warn' }, ipv6: { maximum: 1, action: 'warn' } },
};
const RULE = { action: 'Accept', cidr: '10.0.0.0/8', matchOperator: 'In', prefixLength: {} };
const FILE = {
  asn: 64512,
  bgpIdentifier: '10.0.0.1',
  clusterId: '10.0.0.1',
  listen: [{ address: '0.0.0.0' }],
  decision: {},
  gracefulRestart: {},
  log: {},
  originate: [{ prefix: '10.0.0.0/8' }],
  filters: { f: [{ ...RULE, operations: [{ setLocalPref: 1 }] }] },
  defaults: PEER,
  templates: { t: PEER },
  peers: [{ address: '10.0.0.2', asn: 65001, ...PEER }],
  dynamicPeers: [{ prefix: '10.1.0.0/16', asn: 65001, ...PEER }],
};

type Path = readonly (string | number)[];

const resolved = (schema: Schema): Schema =>
  schema.$ref === undefined ? schema : root.$defs[schema.$ref.split('/').at(-1)!]!;

/** Every field, with the place in FILE where it stands or would. */
function fieldsOf(given: Schema, value: unknown, path: Path = []): readonly Path[] {
  const schema = resolved(given);
  const { properties, items, additionalProperties, anyOf = [] } = schema;
  if (Array.isArray(value)) return items === undefined ? [] : fieldsOf(items, value[0], [...path, 0]);
  if (typeof value !== 'object' || value === null) return [];
  const inside = (key: string): unknown => (value as Record<string, unknown>)[key];
  if (properties !== undefined) {
    return Object.entries(properties).flatMap(([key, one]) => [
      [...path, key],
      ...fieldsOf(one, inside(key), [...path, key]),
    ]);
  }
  if (typeof additionalProperties === 'object') {
    return Object.keys(value).flatMap((key) => fieldsOf(additionalProperties, inside(key), [...path, key]));
  }
  return anyOf.flatMap((one) => fieldsOf(one, value, path));
}

function withWrong(path: Path, wrong: unknown): unknown {
  const file = JSON.parse(JSON.stringify(FILE)) as object;
  const inside = (at: object, key: string | number): object => (at as Record<string | number, object>)[key]!;
  const place = path.slice(0, -1).reduce(inside, file);
  // An operation is alone.
  if ('setLocalPref' in place) delete place.setLocalPref;
  Object.assign(place, { [path.at(-1)!]: wrong });
  return file;
}

function problemsOf(file: unknown): readonly string[] {
  try {
    configurationOf(file, () => 'swordfish');
    return [];
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return error.problems;
  }
}

const FIELDS = fieldsOf(root, FILE);
const named = (path: Path): string =>
  path.map((part, i) => (typeof part === 'number' ? `[${part}]` : `${i === 0 ? '' : '.'}${part}`)).join('');

/** Free text, in which nothing is a fault. */
const TEXT = /(description|kind|shutdown|reason|password|passwordFile)$/;
/** One of its own fields is missing then, or its kind of map may be empty. */
const MAP = /(addPath|ipv4|ipv6|communities|operations\[0\]\.\w+)$/;

test('the fields are those of the whole file', () => {
  expect(FIELDS.length).toBeGreaterThan(200);
  expect(problemsOf(FILE)).toEqual([]);
});

test.each<[string, unknown, RegExp | undefined]>([
  ['no value', null, undefined],
  ['a fraction', 1.5, undefined],
  ['far too much', 1e30, undefined],
  ['less than nothing', -1, undefined],
  ['an odd text', '! /', TEXT],
  ['a list of a list', [[]], undefined],
  ['a map of nothing known', { nope: 1 }, MAP],
])('%s: each is refused in one sentence that names it', (_what, wrong, except) => {
  for (const path of FIELDS.filter((each) => except?.test(named(each)) !== true)) {
    const found = problemsOf(withWrong(path, wrong));
    expect(found, `${named(path)}: ${found.join(' | ')}`).toHaveLength(1);
    expect(found[0]!.startsWith(named(path))).toBe(true);
    expect(found[0]).not.toMatch(/invalid|expected|undefined|\[object/i);
  }
});

test('what a terminal would obey is told in words', () => {
  expect(problemsOf({ ...FILE, asn: '\u001b[2J\n' })).toEqual([
    "asn = '\\u001b[2J\\n': is not an AS number between 1 and 4294967295",
  ]);
});
