import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MAIN_TABLE, storedMetric } from '../../../felix/routes/kernel-route.ts';
import type { RouteKey } from '../../../felix/routes/kernel-route.ts';
import { formatRouteId, isHostRoute, isIpv4Route, keyOfId, prefixId, routeId } from '../../../felix/routes/route-id.ts';
import { addressBits, formatPrefix, parsePrefix, prefixOf } from '../../../src/model/ip.ts';

const word = fc.integer({ min: 0, max: 0xffff_ffff });
const prefix = fc
  .constantFrom(4 as const, 6 as const)
  .chain((family) =>
    fc
      .tuple(
        fc.array(word, { minLength: family === 4 ? 1 : 4, maxLength: family === 4 ? 1 : 4 }),
        fc.integer({ min: 0, max: addressBits(family) }),
      )
      .map(([words, length]) => prefixOf({ family, words }, length)),
  );
/** Often what our own routes have. */
const key: fc.Arbitrary<Required<RouteKey>> = fc.record({
  prefix,
  table: fc.oneof(fc.constant(MAIN_TABLE), word),
  metric: fc.oneof(fc.constantFrom(0, 1024), word),
  tos: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 255 })),
});
const stored = (one: Required<RouteKey>): Required<RouteKey> => ({
  ...one,
  metric: storedMetric(one.prefix.address.family, one.metric),
});

test('an id tells its key, as the kernel stores it', () => {
  fc.assert(
    fc.property(key, (one) => {
      const id = routeId(one);
      expect(keyOfId(id)).toEqual(stored(one));
      expect(isIpv4Route(id)).toBe(one.prefix.address.family === 4);
      expect(isHostRoute(id)).toBe(one.prefix.length === addressBits(one.prefix.address.family));
    }),
  );
});

test('ids are equal for keys that are stored as equal, and for no others', () => {
  fc.assert(
    fc.property(key, key, fc.subarray(['prefix', 'table', 'metric', 'tos'] as const), (a, b, same) => {
      const other = { ...b, ...Object.fromEntries(same.map((field) => [field, a[field]])) };
      const isSame = JSON.stringify(keyOfId(routeId(a))) === JSON.stringify(keyOfId(routeId(other)));
      expect(routeId(a) === routeId(other)).toBe(isSame);
    }),
  );
});

test('what most routes have makes a number; in words an id shows what is unusual', () => {
  const text = (cidr: string, others: Partial<RouteKey> = {}): string =>
    formatRouteId(routeId({ prefix: parsePrefix(cidr), table: MAIN_TABLE, metric: 0, ...others }));
  expect(prefixId(parsePrefix('255.255.255.255/32'))).toBe(0xffff_ffff * 64 + 32);
  expect(text('10.0.0.0/26')).toBe('10.0.0.0/26');
  expect(text('fd00::/64')).toBe('fd00::/64');
  expect(text('fd00::/64', { metric: 1024 })).toBe('fd00::/64');
  expect(text('10.0.0.0/26', { metric: 512 })).toBe('10.0.0.0/26 table 254 metric 512 tos 0');
  expect(formatPrefix(keyOfId(prefixId(parsePrefix('0.0.0.0/0'))).prefix)).toBe('0.0.0.0/0');
});
