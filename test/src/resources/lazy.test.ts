import { beforeEach, expect, test, vi } from 'vitest';
import type * as Fields from '../../../src/resources/fields.ts';

/** Whose fields were built, in order. */
const built: string[] = [];

vi.mock('../../../src/resources/fields.ts', async (original) => {
  const module = await original<typeof Fields>();
  const fields: typeof Fields.fields = (owner, ...rest) => {
    built.push(owner);
    return module.fields(owner, ...rest);
  };
  return { ...module, fields };
});

beforeEach(() => void (built.length = 0));

// A `get` needs one or two kinds of nineteen, and building them all took a third of its time.
test('the schema of a kind is built when a resource of that kind is first read, and once', async () => {
  const { kindByAlias, parseResource, API_VERSION } = await import('../../../src/resources/index.ts');
  expect(built).toEqual([]);
  expect(kindByAlias('nodes')).toBe('Node');
  expect(built).toEqual([]);

  const document = { apiVersion: API_VERSION, kind: 'Node', metadata: { name: 'node-a1' } };
  parseResource(document);
  expect(built).toContain('Node.spec.bgp');
  expect(built.filter((owner) => !owner.startsWith('Node'))).toEqual([]);

  const first = built.length;
  parseResource(document);
  expect(built).toHaveLength(first);
});
