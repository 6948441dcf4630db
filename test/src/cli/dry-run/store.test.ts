import { beforeEach, expect, test } from 'vitest';
import { DryRunStore } from '../../../../src/cli/dry-run/store.ts';
import { MemoryStore } from '../../../../src/datastore/memory.ts';

let below: MemoryStore;
let dry: DryRunStore;

beforeEach(async () => {
  below = new MemoryStore();
  for (const key of ['/a/1', '/a/2', '/b/1']) await below.create(key, { was: key });
  dry = new DryRunStore(below);
});

const keysOf = async (store: MemoryStore | DryRunStore, prefix: string): Promise<readonly string[]> =>
  (await store.list(prefix)).entries.map(({ key }) => key);

test('shows what was written over what is there, also that something is gone, and writes nothing', async () => {
  await dry.delete('/a/1');
  await dry.create('/a/3', { is: 3 });
  await dry.create('/c/1', {});
  const { revision } = (await dry.get('/a/2'))!;
  await dry.update('/a/2', { is: 2 }, revision);
  expect(await keysOf(dry, '/a/')).toEqual(['/a/2', '/a/3']);
  expect((await dry.list('/a/')).entries.map(({ value }) => value)).toEqual([{ is: 2 }, { is: 3 }]);
  expect(await dry.get('/a/1')).toBeUndefined();
  expect(await keysOf(below, '/')).toEqual(['/a/1', '/a/2', '/b/1']);
  expect(dry.changes().map(({ key, before, after }) => [key, before?.value, after?.value])).toEqual([
    ['/a/1', { was: '/a/1' }, undefined],
    ['/a/3', undefined, { is: 3 }],
    ['/c/1', undefined, {}],
    ['/a/2', { was: '/a/2' }, { is: 2 }],
  ]);
});

test('refuses what the store would refuse, and what it would refuse after what was written here', async () => {
  await expect(dry.create('/a/1', {})).rejects.toThrow('/a/1 exists');
  await dry.delete('/a/1');
  await expect(dry.delete('/a/1')).rejects.toThrow('/a/1 does not exist');
  await expect(dry.update('/a/2', {}, 999)).rejects.toThrow('/a/2 was changed');
});
