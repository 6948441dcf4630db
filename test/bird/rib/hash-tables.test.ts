import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteTable } from '../../../bird/rib/byte-table.ts';
import { ABSENT, IntTable } from '../../../bird/rib/int-table.ts';
import { NO_PREFIX, PrefixTable } from '../../../bird/rib/prefix-table.ts';
import { parsePrefix } from '../../../src/model/ip.ts';

/** Few keys and many deletions: the chains of the open addressing collide and close again. */
const operations = fc.array(fc.tuple(fc.constantFrom('put', 'drop'), fc.nat(40)), { maxLength: 300 });

test('IntTable is a Map, whatever the order of insertions and deletions, also while it grows', () => {
  fc.assert(
    fc.property(operations, (list) => {
      const table = new IntTable();
      const model = new Map<number, number>();
      for (const [[action, key], i] of list.map((operation, at) => [operation, at] as const)) {
        if (action === 'put') {
          table.set(key * 16, i, i & 255);
          model.set(key * 16, i);
        } else {
          expect(table.delete(key * 16)).toBe(model.delete(key * 16));
        }
      }
      expect(table.size).toBe(model.size);
      for (let key = 0; key <= 640; key += 16) expect(table.get(key)).toBe(model.get(key) ?? ABSENT);
      expect([...table.keys()].sort()).toEqual([...model.keys()].sort());
    }),
  );
});

test('IntTable loses nothing while it grows: values, flags, and what walks over it sees', () => {
  const marks = fc.array(fc.nat(400), { maxLength: 8 });
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 400 }),
      marks,
      fc.array(fc.nat(400), { maxLength: 40 }),
      (count, at, drop) => {
        const table = new IntTable();
        const model = new Map<number, [number, number]>();
        const read = (key: number) => (table.has(key) ? [table.get(key), table.flags(key)] : undefined);
        for (let key = 0; key < count; key++) {
          table.set(key, key * 3, key & 3);
          model.set(key, [key * 3, key & 3]);
          if (at.includes(key)) {
            table.flagAll(4, 1);
            for (const entry of model.values()) if ((entry[1] & 1) !== 0) entry[1] |= 4;
          }
          const gone = drop[key % 40];
          if (gone !== undefined) expect(table.delete(gone)).toBe(model.delete(gone));
        }
        const seen: number[] = [];
        for (let slot = 0; slot < table.slots; slot++) table.visitSlot(slot, (key) => seen.push(key));
        const inOrder = (keys: Iterable<number>) => [...keys].sort((a, b) => a - b);
        expect([inOrder(seen), inOrder(table.keys())]).toEqual([inOrder(model.keys()), inOrder(model.keys())]);
        for (let key = 0; key <= count; key++) expect(read(key)).toEqual(model.get(key));
        expect(table.size).toBe(model.size);
      },
    ),
  );
});

test('ByteTable finds what was added and not deleted, and nothing else', () => {
  fc.assert(
    fc.property(operations, fc.nat(9), (list, padding) => {
      const table = new ByteTable(7);
      const model = new Map<number, Uint8Array>();
      const keyOf = (key: number): Uint8Array => Uint8Array.of(...Array<number>(padding).fill(1), key);
      for (const [action, key] of list) {
        const bytes = keyOf(key);
        if (action === 'put' && !model.has(key)) model.set(key, table.add(bytes, 0, bytes.length, key));
        const held = model.get(key);
        if (action === 'drop' && held !== undefined) {
          table.delete(held);
          model.delete(key);
        }
      }
      expect(table.size).toBe(model.size);
      for (let key = 0; key <= 40; key++) {
        expect(table.get(keyOf(key), 0, padding + 1)).toBe(model.has(key) ? key : -1);
      }
    }),
  );
});

describe.each([
  [4, (i: number) => `10.${i >> 8}.${i & 255}.0/24`],
  [6, (i: number) => `fd00:${i.toString(16)}::/32`],
] as const)('PrefixTable, IPv%i', (family, text) => {
  test('a prefix has one id while somebody holds it; ids are used again', () => {
    fc.assert(
      fc.property(operations, (list) => {
        const table = new PrefixTable(family, 3);
        const model = new Map<number, number>();
        for (const [action, key] of list) {
          if (action === 'put' && !model.has(key)) {
            const id = table.internPrefix(parsePrefix(text(key)));
            table.retain(id);
            model.set(key, id);
          }
          const held = model.get(key);
          if (action === 'drop' && held !== undefined) {
            table.release(held);
            model.delete(key);
          }
        }
        expect(table.size).toBe(model.size);
        expect(new Set(model.values()).size).toBe(model.size);
        for (let key = 0; key <= 40; key++) {
          const { w0, w1, w2, w3, length } = packed(text(key));
          expect(table.find(w0, w1, w2, w3, length)).toBe(model.get(key) ?? NO_PREFIX);
        }
        for (const [key, id] of model) expect(table.prefix(id)).toEqual(parsePrefix(text(key)));
      }),
    );
  });

  test('length is part of the name', () => {
    const table = new PrefixTable(family, 3);
    const [wide, narrow] = family === 4 ? ['10.0.0.0/8', '10.0.0.0/9'] : ['fd00::/16', 'fd00::/17'];
    expect(table.internPrefix(parsePrefix(wide))).not.toBe(table.internPrefix(parsePrefix(narrow)));
  });
});

function packed(text: string): { w0: number; w1: number; w2: number; w3: number; length: number } {
  const { address, length } = parsePrefix(text);
  const [w0 = 0, w1 = 0, w2 = 0, w3 = 0] = address.words;
  return { w0, w1, w2, w3, length };
}
