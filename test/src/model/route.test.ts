import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseIpAddress, parsePrefix } from '../../../src/model/ip.ts';
import type { LearnedRoute } from '../../../src/model/route.ts';
import { sameRoutes } from '../../../src/model/route.ts';
import { isSame } from '../../../src/model/same.ts';

/** What tells a way; several routes have the very same object, as bird gives them, or one that says the same. */
const WAYS = Array.from({ length: 2 }, () => [
  { nextHops: [parseIpAddress('172.30.1.12')], learnedFrom: 'b' },
  { nextHops: [parseIpAddress('172.30.1.12')], learnedFrom: 'c' },
  { nextHops: ['172.30.1.12', '172.30.1.13'].map((text) => parseIpAddress(text)), learnedFrom: 'b' },
  { nextHops: [parseIpAddress('fe80::1')], interfaces: ['eth0'], learnedFrom: 'b' },
  { nextHops: [parseIpAddress('fe80::1')], interfaces: ['eth1'], learnedFrom: 'b' },
]).flat();
const PREFIXES = ['10.48.0.0/26', '10.48.0.0/27', '10.48.0.64/26', 'fd00::/122'];

const route = fc
  .record({ prefix: fc.constantFrom(...PREFIXES), way: fc.nat(WAYS.length - 1) })
  .map(({ prefix, way }): LearnedRoute => ({ prefix: parsePrefix(prefix), ...WAYS[way]! }));
const routes = fc.array(route, { maxLength: 6 });

/** A list, and the same with one route in the place of another, mostly of the same prefix. */
const alike = fc
  .record({
    list: fc.array(route, { minLength: 1, maxLength: 6 }),
    at: fc.nat(5),
    other: route,
    keepsPrefix: fc.boolean(),
  })
  .map(({ list, at, other, keepsPrefix }) => {
    const index = at % list.length;
    return [list, list.with(index, keepsPrefix ? { ...other, prefix: list[index]!.prefix } : other)] as const;
  });

test('lists of routes are the same where all that they say is', () => {
  fc.assert(
    fc.property(fc.oneof(alike, fc.tuple(routes, routes)), ([a, b]) => {
      expect(sameRoutes(a, b)).toBe(isSame(a, b));
    }),
    { numRuns: 2_000 },
  );
});
