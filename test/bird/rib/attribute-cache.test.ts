import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AttributeCache } from '../../../bird/rib/attribute-cache.ts';
import { qualityOf } from '../../../bird/rib/quality.ts';
import { canonicalAttributes, decodeCanonical } from '../../../bird/wire.ts';
import type { PathAttributes } from '../../../bird/wire.ts';
import { pathAttributes } from '../../support/bgp-arbitraries.ts';
import { keptSet } from '../../support/kept-set.ts';

test('what is kept as octets reads as it was given', () => {
  fc.assert(
    fc.property(pathAttributes, (set) => {
      const octets = canonicalAttributes(set);
      expect(canonicalAttributes(decodeCanonical(octets))).toEqual(octets);
      expect(decodeCanonical(octets)).toEqual(set);
    }),
  );
});

/** So many that the slots are made anew while sets come and go. */
const KEYS = 120;

test('is a table of sets, whatever comes and goes, by value, by octets and as a message had it', () => {
  const steps = fc.array(fc.tuple(fc.constantFrom('value', 'octets', 'raw', 'drop', 'drop'), fc.nat(KEYS)), {
    minLength: 1,
    maxLength: 500,
    size: 'max',
  });
  const setOf = (key: number): PathAttributes => ({ med: key });
  const rawOf = (key: number): Uint8Array => Uint8Array.of(key & 255, key >> 8, 2);
  fc.assert(
    fc.property(steps, (list) => {
      const cache = new AttributeCache();
      const ids = new Map<number, number>();
      const raws = new Set<number>();
      for (const [action, key] of list) {
        const known = ids.get(key);
        const octets = canonicalAttributes(setOf(key));
        if (action === 'drop') {
          if (known !== undefined) cache.release(known);
          ids.delete(key);
          raws.delete(key);
          continue;
        }
        const id = action === 'value' ? cache.intern(setOf(key)) : cache.internOctets(octets, octets.length);
        expect(known ?? id).toBe(id);
        if (known === undefined) cache.retain(id);
        ids.set(key, id);
        expect([cache.qualities.med(id), cache.qualities.rank(id)]).toEqual([key, qualityOf(keptSet(octets)).rank]);
        if (action === 'raw' && !raws.has(key)) cache.rememberRaw(rawOf(key), 3, id);
        if (action === 'raw') raws.add(key);
      }
      expect([cache.size, new Set(ids.values()).size]).toEqual([ids.size, ids.size]);
      for (const [key, id] of ids) {
        expect([cache.attributes(id), cache.record(id).med]).toEqual([setOf(key), key]);
        expect(cache.octets(id)).toEqual(canonicalAttributes(setOf(key)));
      }
      for (let key = 0; key <= KEYS; key++)
        expect(cache.findRaw(rawOf(key), 3)).toBe(raws.has(key) ? ids.get(key) : -1);
    }),
  );
});

test('the next hop is read without the rest', () => {
  const cache = new AttributeCache();
  const nextHop = Uint8Array.of(10, 0, 0, 1);
  expect(cache.nextHop(cache.intern({ origin: 'igp', nextHop }))).toEqual(nextHop);
  expect(cache.nextHop(cache.intern({ origin: 'igp' }))).toBeUndefined();
});

test('sets that come once each take the places of those that are gone', () => {
  const cache = new AttributeCache();
  const there: number[] = [];
  let last = 0;
  for (let key = 0; key < 20_000; key++) {
    const id = cache.intern({ med: key });
    cache.retain(id);
    there.push(id);
    last = Math.max(last, id);
    if (there.length > 100) cache.release(there.shift()!);
  }
  expect(cache.size).toBe(100);
  expect(there.map((id) => cache.attributes(id).med)).toEqual(Array.from({ length: 100 }, (_, i) => 19_900 + i));
  expect(last).toBeLessThan(1000);
});
