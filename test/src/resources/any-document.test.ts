import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { API_VERSION, InvalidResourceError, KINDS, kindTable, parseResource } from '../../../src/resources/index.ts';
import { resourceSchema } from '../../../src/resources/json-schema.ts';

interface Schema {
  readonly $ref?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly examples?: readonly unknown[];
}

const { $defs } = resourceSchema() as { readonly $defs: Readonly<Record<string, Schema>> };

/** Values that a field of any kind may be given by mistake, and some that are right for many. */
const oddValue = fc.oneof(
  fc.constantFrom<unknown>(null, '', 0, 1, -1, 1.5, 1e21, 65_536, true, [], {}, 'a', 'A b', 'all()', 'global()'),
  fc.constantFrom<unknown>('10.0.0.0/8', '10.0.0.1', 'fd00::/8', '1m30s', 'Enabled', '80', '1:2', [null], [['a']]),
  fc.jsonValue({ maxDepth: 2 }),
);

/** Objects of the fields that a schema names, each now and then, with values that now and then fit. */
function shaped(schema: Schema, depth = 5): fc.Arbitrary<unknown> {
  if (schema.$ref !== undefined) return shaped($defs[schema.$ref.replace('#/$defs/', '')]!, depth);
  const fitting = [...(schema.enum ?? []), ...(schema.examples ?? []), ...('const' in schema ? [schema.const] : [])];
  if (fitting.length > 0) return fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...fitting) }, oddValue);
  if (depth === 0) return oddValue;
  if (schema.items !== undefined)
    return fc.oneof(fc.array(shaped(schema.items, depth - 1), { maxLength: 2 }), oddValue);
  if (schema.properties === undefined) return oddValue;
  const { properties, required = [] } = schema;
  const some = fc
    .subarray(Object.keys(properties), { maxLength: Math.min(6, Object.keys(properties).length) })
    .map((names) => [...new Set([...required, ...names])])
    .chain((names) => fc.record(Object.fromEntries(names.map((name) => [name, shaped(properties[name]!, depth - 1)]))));
  return fc.oneof({ weight: 9, arbitrary: some }, oddValue);
}

const attempt = (document: unknown): unknown => {
  try {
    return parseResource(document);
  } catch (error) {
    return error;
  }
};

describe.each(KINDS)('a document that says it is a %s', (kind) => {
  const { spec } = $defs[kind]!.properties!;

  test('is one, and stays as it is when it is read again; or each of its faults is told in our words', () => {
    const document = fc.record({
      apiVersion: fc.constant(API_VERSION),
      kind: fc.constant(kind),
      metadata: fc.record({ name: fc.constantFrom('default', 'a.b', 'A') }),
      spec: shaped(spec!),
    });
    fc.assert(
      fc.property(document, (written) => {
        const read = attempt(written);
        if (!(read instanceof InvalidResourceError)) {
          expect(parseResource(read)).toEqual(read);
          return;
        }
        for (const { field, reason } of read.faults) {
          expect(field).toMatch(/^(metadata|spec)\b/);
          expect(reason).not.toMatch(/^(Invalid|Too|Unrecognized)/);
          expect(reason).not.toBe('');
        }
      }),
      { numRuns: 60 },
    );
  });

  test('has its own plural', () => {
    expect(KINDS.filter((other) => kindTable[other].plural === kindTable[kind].plural)).toEqual([kind]);
  });
});
