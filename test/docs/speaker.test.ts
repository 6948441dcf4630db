import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { loadConfiguration } from '../../src/speaker/load.ts';
import { WELL_KNOWN_NAMES } from '../../src/speaker/communities.ts';
import { jsonSchema } from '../../src/speaker/schema.ts';
import { speakerReference } from './speaker-reference.ts';

const page = readFileSync('docs/speaker.md', 'utf8');
const DIRECTORY = 'config/speaker';
const SCHEMA = join(DIRECTORY, 'speaker.schema.json');
const EXAMPLES = readdirSync(DIRECTORY).filter((name) => name.endsWith('.yaml'));

test('the published JSON schema is that of the source: calico-node-ts speaker --schema', () => {
  expect(JSON.parse(readFileSync(SCHEMA, 'utf8'))).toEqual(jsonSchema());
});

test('the reference is made of the schema: node test/docs/speaker-reference.ts', () => {
  const [, reference = ''] =
    /<!-- made by test\/docs\/speaker-reference\.ts -->\n\n([^]*)\n\n<!-- end -->/.exec(page) ?? [];
  expect(reference).toBe(speakerReference());
});

test('every well-known community is named', () => {
  expect(WELL_KNOWN_NAMES.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
});

describe.each(EXAMPLES)('%s', (name) => {
  const file = join(DIRECTORY, name);
  const text = readFileSync(file, 'utf8');

  test('has no problem, and stands in the page as it is', () => {
    expect(loadConfiguration(file).peers.length).toBeGreaterThan(0);
    expect(page).toContain(`\`\`\`yaml\n${text}\`\`\`\n`);
  });

  test('satisfies the JSON schema too, and with a wrong key it does not', () => {
    const published = z.fromJSONSchema(
      JSON.parse(readFileSync(SCHEMA, 'utf8')) as Parameters<typeof z.fromJSONSchema>[0],
    );
    const written = parse(text) as object;
    expect(published.safeParse(written).error).toBeUndefined();
    expect(published.safeParse({ ...written, lisen: [] }).success).toBe(false);
  });
});
