import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PrefixBatch } from '../../../bird/rib/prefix-batch.ts';
import { NO_PREFIX, packPrefix, PrefixTable } from '../../../bird/rib/prefix-table.ts';
import type { IpFamily, Prefix } from '../../../src/model/ip.ts';

/** So many prefixes that the index is made anew several times, and that more than a few of them are held by nobody. */
const KEYS = 4000;
/** Octets of all columns for each prefix: index, address, length, holders, and room to grow. */
const OCTETS = { 4: 64, 6: 96 };
/** What the table has without any, and for those that it may keep though nobody holds them. */
const OCTETS_ALWAYS = 2 * 1024 * 96;

type Step =
  | { readonly do: 'come' | 'go' | 'look'; readonly from: number; readonly count: number; readonly stride: number }
  | { readonly do: 'tidy'; readonly rows: number };

const some = (doing: 'come' | 'go' | 'look', most: number): fc.Arbitrary<Step> =>
  fc.record({
    do: fc.constant(doing),
    from: fc.oneof(fc.constantFrom(0, KEYS / 2, KEYS - 50), fc.nat(KEYS - 1)),
    count: fc.integer({ min: 1, max: most }),
    stride: fc.constantFrom(1, 7, KEYS - 1),
  });
const steps = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: some('come', KEYS) },
    { weight: 3, arbitrary: some('come', 40) },
    { weight: 4, arbitrary: some('go', KEYS) },
    { weight: 1, arbitrary: some('look', 40) },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant('tidy' as const),
        rows: fc.constantFrom(1, 100, 1000, KEYS / 2, 2 * KEYS),
      }),
    },
  ),
  { maxLength: 30 },
);

const prefixOf = (family: IpFamily, key: number): Prefix => {
  const length = (family === 4 ? 24 : 128) - (key % 3);
  const word = (0x0a00_0000 + (key << 10)) >>> 0;
  return { address: { family, words: family === 4 ? [word] : [0x2000_0000, word, 0, 8] }, length };
};

const keysOf = ({ from, count, stride }: Exclude<Step, { do: 'tidy' }>): readonly number[] =>
  Array.from({ length: Math.min(count, KEYS) }, (_, i) => (from + i * stride) % KEYS);

/** As in an UPDATE; the lengths are above 16. */
const nlriOf = ({ address, length }: Prefix): readonly number[] => {
  const octets = address.words.flatMap((word) => [word >>> 24, (word >>> 16) & 255, (word >>> 8) & 255, word & 255]);
  return [length, ...octets.slice(0, (length + 7) >>> 3)];
};

/** One after the other, or a message's worth at once. */
type Way = (table: PrefixTable, keys: readonly number[], then: (key: number, id: number) => void) => void;

const oneByOne: Way = (table, keys, then) => {
  for (const key of keys) then(key, table.internPrefix(prefixOf(table.family, key)));
};

const inBatches: Way = (table, keys, then) => {
  const batch = new PrefixBatch(table.family);
  const octets = Uint8Array.from(keys.flatMap((key) => nlriOf(prefixOf(table.family, key))));
  for (let at = 0, taken = 0; at < octets.length; taken += batch.size) {
    at = batch.read(octets, at, octets.length);
    table.internAll(batch);
    for (let i = 0; i < batch.size; i++) then(keys[taken + i]!, batch.ids[i]!);
  }
};

describe.each([
  ['IPv4, one by one', 4, oneByOne],
  ['IPv4, in batches', 4, inBatches],
  ['IPv6, one by one', 6, oneByOne],
  ['IPv6, in batches', 6, inBatches],
] as const)('%s', (_, family, come) => {
  test('a table is a Map of what is held, whatever goes, comes back, and is given back meanwhile', () => {
    fc.assert(
      fc.property(steps, fc.nat(), (list, seed) => {
        const table = new PrefixTable(family, seed);
        const model = new Map<number, number>();
        let most = 0;
        for (const step of list) {
          if (step.do === 'tidy') table.tidy(step.rows);
          else if (step.do === 'come') {
            come(table, keysOf(step), (key, id) => {
              const held = model.get(key);
              if (held === undefined) table.retain(id);
              model.set(key, held ?? id);
              if (held !== undefined && held !== id) throw new Error(`${key} is ${held} and is found as ${id}`);
            });
          } else {
            for (const key of keysOf(step)) {
              const held = model.get(key);
              if (found(table, key) !== (held ?? NO_PREFIX)) throw new Error(`${key} is found as ${found(table, key)}`);
              if (step.do === 'look' || held === undefined) continue;
              table.release(held);
              model.delete(key);
            }
          }
          most = Math.max(most, model.size);
          expect([table.size, new Set(model.values()).size]).toEqual([model.size, model.size]);
          expect(table.octets).toBeLessThan(OCTETS_ALWAYS + OCTETS[family] * most);
        }
        for (let key = 0; key < KEYS; key++) {
          if (found(table, key) !== (model.get(key) ?? NO_PREFIX)) throw new Error(`${key} is another in the end`);
        }
        for (const [key, id] of model) {
          const { length, ...words } = packPrefix(prefixOf(family, key));
          expect(table.packed(id)).toEqual({ ...words, length });
          if (id >= table.capacity) throw new Error(`${id} is behind the last row`);
          table.release(id);
        }
        // As many as are worth the work.
        const last = Array.from({ length: KEYS }, (_unused, key) => KEYS + key);
        const ids: number[] = [];
        come(table, last, (_key, id) => {
          table.retain(id);
          ids.push(id);
        });
        for (const id of ids) table.release(id);
        while (table.tidy(KEYS));
        expect([table.size, table.capacity]).toEqual([0, 8]);
      }),
      { numRuns: 60 },
    );
  });

  test('what nobody holds is found by nobody, keeps its id for when it comes back, and is given back when somebody has time', () => {
    const table = new PrefixTable(family, 5);
    const keys = Array.from({ length: 2 * KEYS }, (_, key) => key);
    const ids = new Map<number, number>();
    const hold = (key: number, id: number): void => {
      table.retain(id);
      ids.set(key, id);
    };
    come(table, keys, hold);
    const full = table.octets;
    const first = new Map(ids);
    for (const id of ids.values()) table.release(id);
    expect([table.size, keys.filter((key) => found(table, key) !== NO_PREFIX)]).toEqual([0, []]);
    come(table, keys, hold);
    expect([table.size, ids]).toEqual([keys.length, first]);

    for (const id of ids.values()) table.release(id);
    let slices = 1;
    while (table.tidy(1000)) slices++;
    expect([slices, table.capacity, table.octets < full / 8]).toEqual([keys.length / 1000, 8, true]);
    expect(table.tidy(1000)).toBe(false);
  });

  test('there may be more prefixes than the index has had bits for', () => {
    const table = new PrefixTable(family, 5);
    const keys = Array.from({ length: 140_000 }, (_unused, key) => key);
    const ids: number[] = [];
    come(table, keys, (_key, id) => {
      table.retain(id);
      ids.push(id);
    });
    expect(keys.every((key) => found(table, key) === ids[key])).toBe(true);
    expect([table.size, new Set(ids).size]).toEqual([keys.length, keys.length]);
  });

  test('prefixes that come once each take no more room than those that are there at once', () => {
    const table = new PrefixTable(family, 5);
    const [there, all] = [3000, 120_000];
    const held: number[] = [];
    for (let key = 0; key < all; key++) {
      come(table, [key], (_, id) => {
        table.retain(id);
        held.push(id);
      });
      if (held.length > there) table.release(held.shift()!);
    }
    expect(table.size).toBe(there);
    expect(table.capacity).toBeLessThan(4 * there);
  });
});

const ofOne = { 4: new PrefixBatch(4), 6: new PrefixBatch(6) };

/** By both ways. */
function found(table: PrefixTable, key: number): number {
  const prefix = prefixOf(table.family, key);
  const { w0, w1, w2, w3, length } = packPrefix(prefix);
  const one = table.find(w0, w1, w2, w3, length);
  const batch = ofOne[table.family];
  const octets = Uint8Array.from(nlriOf(prefix));
  batch.read(octets, 0, octets.length);
  table.findAll(batch);
  return batch.ids[0] === one ? one : Number.NaN;
}
