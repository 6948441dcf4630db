import * as z from 'zod';
import { KINDS, kindTable } from './table.ts';

type JsonSchema = z.core.JSONSchema.BaseSchema & { readonly $defs?: Readonly<Record<string, JsonSchema>> };

/**
 * What people write, for editors and for whoever checks a file elsewhere. JSON Schema 2020-12: a document of any kind, and
 * each kind in `$defs` under its name. What one field says about another is left to `parseResource`.
 */
export function resourceSchema(): object {
  const kinds = KINDS.map((kind) => kindTable[kind].schema().meta({ id: kind }));
  const { $defs = {}, ...document } = z.toJSONSchema(z.union(kinds), { io: 'input', override }) as JsonSchema;
  const shared = KINDS.map((kind) => [metadataName(kind), $defs[kind]!.properties!['metadata']] as const);
  const named = Object.entries($defs).map(([name, schema]) => [name, withSharedMetadata(name, schema)] as const);
  const definitions: object = Object.fromEntries([...named, ...shared]);
  return { title: 'A resource of Calico, as calico-ts takes it', ...document, $defs: definitions };
}

interface Conversion {
  readonly zodSchema: z.core.$ZodTypes;
  readonly jsonSchema: z.core.JSONSchema.BaseSchema;
}

/** zod drops the default and the examples of what is read into something else; so ours have names of their own. */
function override({ zodSchema, jsonSchema }: Conversion): void {
  const { absent, samples, notYet } = jsonSchema as Notes;
  delete jsonSchema['absent'];
  delete jsonSchema['samples'];
  delete jsonSchema['notYet'];
  const { def } = zodSchema._zod;
  const fallback = def.type === 'default' ? def.defaultValue : absent;
  if (fallback !== undefined) jsonSchema.default = fallback;
  if (samples !== undefined) jsonSchema.examples = [...samples];
  if (notYet !== undefined) jsonSchema.$comment = `${REFUSED}${notYet.join(', ')}`;
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
}

/** What our schemas note of themselves, beside a description. */
interface Notes {
  /** What is taken where the field is absent. */
  readonly absent?: unknown;
  readonly samples?: readonly unknown[];
  /** Fields that Calico has and we refuse. */
  readonly notYet?: readonly string[];
}

const REFUSED = 'Refused so far: ';

const metadataName = (kind: string): string =>
  KINDS.some((each) => each === kind && kindTable[each].namespaced) ? 'NamespacedMetadata' : 'Metadata';

/** That of all kinds is one of two. */
function withSharedMetadata(name: string, schema: JsonSchema): JsonSchema {
  if (schema.properties?.['metadata'] === undefined || !KINDS.some((kind) => kind === name)) return schema;
  return { ...schema, properties: { ...schema.properties, metadata: { $ref: `#/$defs/${metadataName(name)}` } } };
}
