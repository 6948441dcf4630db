import { describe, expect, test } from 'vitest';
import type { Json } from '../../../src/datastore/store.ts';
import { parseResource, resourcesFromEntries } from '../../../src/resources/index.ts';
import { toStored } from '../../../src/resources/stored.ts';
import { CALICO_ENTRIES } from './calico-entries.ts';

/** As the datastore holds it: below Calico's key, with a revision. */
const read = (key: string, value: Json) => {
  const { resources, unreadable } = resourcesFromEntries([{ key, value, revision: 7 }]);
  return { found: Object.values(resources).flatMap((byName) => [...byName.values()]), unreadable };
};

/** What stands in `before` stands in `after` as well, whatever was filled in beside it. */
const expectKept = (after: unknown, before: Json): void => {
  if (typeof before !== 'object' || before === null || Array.isArray(before)) expect(after).toEqual(before);
  else expect(after).toMatchObject(before);
};

describe('what a real Calico stored', () => {
  test.each(CALICO_ENTRIES)('%s is read, and written back with nothing lost', (key, value) => {
    const { found, unreadable } = read(key, value);
    expect(unreadable).toEqual([]);
    expect(found).toHaveLength(1);
    expectKept(toStored(found[0]!), value);
    expect(parseResource(found[0])).toEqual(found[0]);
  });
});
