import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { Json } from '../../src/datastore/store.ts';
import { parseResource } from '../../src/resources/index.ts';
import { resourceSchema } from '../../src/resources/json-schema.ts';
import { CALICO_ENTRIES } from '../src/resources/calico-entries.ts';
import { GENERATED, PAGE, resourceReference, SCHEMA } from './resource-reference.ts';

const page = readFileSync(PAGE, 'utf8');
const text = readFileSync(SCHEMA, 'utf8');
const published = z.fromJSONSchema(JSON.parse(text) as Parameters<typeof z.fromJSONSchema>[0]);

test('the published JSON schema is that of the source: node test/docs/resource-reference.ts', () => {
  expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(resourceSchema())));
});

test('the reference is made of the schema: node test/docs/resource-reference.ts', () => {
  expect(GENERATED.exec(page)?.[2]).toBe(resourceReference());
});

test('the example of the page is a resource', () => {
  const [, example = ''] = /```yaml\n([^]*?)```/.exec(page) ?? [];
  const written: unknown = parse(example);
  expect(parseResource(written).kind).toBe('IPPool');
  expect(published.safeParse(written).error).toBeUndefined();
});

/** Calico's tools write an empty text where they mean none; people do not. */
const withoutEmptyTexts = (value: Json): Json =>
  JSON.parse(JSON.stringify(value, (_, each: unknown) => (each === '' ? undefined : each))) as Json;

describe.each(CALICO_ENTRIES)('what Calico stored under %s', (_, value) => {
  const written = withoutEmptyTexts(value) as { readonly spec: object };

  test('satisfies the JSON schema, and with a wrong field it does not', () => {
    expect(published.safeParse(written).error).toBeUndefined();
    expect(published.safeParse({ ...written, spec: { ...written.spec, colour: 1 } }).success).toBe(false);
    expect(published.safeParse({ ...written, kind: 'Pod' }).success).toBe(false);
  });
});
