import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ABSENT } from '../../../bird/rib/int-table.ts';
import { PageTable } from '../../../bird/rib/page-table.ts';

/** Side by side, at the seams of pages, and far away. */
const KEYS = [0, 1, 2, 62, 63, 64, 65, 127, 128, 4095, 4096, 100_000, 1_000_000];

test('PageTable is a Map, whatever the order of coming and going, and so are its flags', () => {
  const step = fc.tuple(fc.constantFrom('put', 'put', 'drop', 'flag'), fc.constantFrom(...KEYS), fc.nat(3));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (list) => {
      const table = new PageTable();
      const model = new Map<number, [number, number]>();
      for (const [i, [action, key, flags]] of list.entries()) {
        if (action === 'put') {
          table.set(key, i, flags);
          model.set(key, [i, flags]);
        } else if (action === 'drop') {
          expect(table.delete(key)).toBe(model.delete(key));
        } else {
          table.flagAll(4, flags);
          for (const entry of model.values()) if ((entry[1] & flags) === flags) entry[1] |= 4;
        }
        expect(table.size).toBe(model.size);
      }
      for (const key of [...KEYS, 3, 66, 5000, 2_000_000]) {
        const [value = ABSENT, flags = 0] = model.get(key) ?? [];
        expect([table.has(key), table.get(key), table.flags(key)]).toEqual([model.has(key), value, flags]);
        const slot = table.slotOf(key);
        expect(slot === -1).toBe(!model.has(key));
        if (slot !== -1) expect([table.valueAt(slot), table.flagsAt(slot)]).toEqual([value, flags]);
      }
      expect([...table.keys()]).toEqual([...model.keys()].sort((a, b) => a - b));
    }),
    { numRuns: 500 },
  );
});

test('keys that fall, as numbers of prefixes do that are used again, cost no copy of the directory for each page', () => {
  const table = new PageTable();
  let sizes = 0;
  for (let key = 100_000, before = 0; key >= 0; key--) {
    table.set(key, key);
    if (table.octets !== before) sizes++;
    before = table.octets;
  }
  expect(sizes).toBeLessThan(60);
  expect([...table.keys()].every((key, i) => key === i && table.get(key) === key)).toBe(true);
});

test('a few rows with large keys take little, many about five octets each, and none nearly nothing', () => {
  const table = new PageTable();
  for (let i = 0; i < 20; i++) table.set(1_000_000 + i, i);
  expect(table.octets).toBeLessThan(4000);
  for (let i = 0; i < 1_000_000; i++) table.set(i, i);
  expect(table.octets / 1_000_020).toBeLessThan(5.3 * 1.5);
  for (const key of table.keys()) table.delete(key);
  expect([table.size, table.octets]).toEqual([0, 0]);
});

test.each([
  ['one row after the other comes and goes', Array.from({ length: 200_000 }, (_, i) => [i])],
  ['two rows far apart', [[0, 1_000_000]]],
])('what is left of a table is next to nothing: %s', (_, visits) => {
  const table = new PageTable();
  for (const keys of visits) {
    for (const key of keys) table.set(key, 1);
    for (const key of keys) table.delete(key);
  }
  expect(table.octets).toBeLessThan(8192);
});
