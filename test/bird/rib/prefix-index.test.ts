import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PrefixIndex } from '../../../bird/rib/prefix-index.ts';

const slotsOf = (prefixes: number): number => new PrefixIndex(prefixes, prefixes).slots.length;

test('an index is half full at most, and has at most eight slots for a prefix, of many prefixes four', () => {
  fc.assert(
    fc.property(fc.oneof(fc.integer({ min: 5, max: 3000 }), fc.integer({ min: 5, max: 3_000_000 })), (prefixes) => {
      const slots = slotsOf(prefixes);
      expect(slots).toBeGreaterThanOrEqual(2 * prefixes);
      expect(slots).toBeLessThan((prefixes > 2 ** 20 ? 4 : 8) * prefixes);
      expect(Math.log2(slots) % 1).toBe(0);
    }),
    { numRuns: 50 },
  );
});

test('a full table has two slots for each of its prefixes, and on its way there few sizes', () => {
  const sizes = [8, 100, 1000, 10_000, 100_000, 500_000, 1_000_000, 2 ** 20].map((prefixes) =>
    Math.log2(slotsOf(prefixes)),
  );
  expect(sizes).toEqual([5, 9, 11, 15, 19, 21, 21, 21]);
});
