import fc from 'fast-check';
import { expect, test } from 'vitest';
import { KEPT_BACK, NOT_PLAIN, PlainExport } from '../../../bird/policy/export-octets.ts';
import { exportRoute } from '../../../bird/policy/export.ts';
import type { ExportSource, ExportTarget } from '../../../bird/policy/export.ts';
import { NO_EXPORT_VALUES } from './routes.ts';
import {
  attributeBlock,
  canonicalAttributes,
  plainContext,
  withoutAigp,
  withoutAttributes,
} from '../../../bird/wire.ts';
import type { AsSegment, PathAttributes } from '../../../bird/wire.ts';
import { pathAttributes } from '../../support/bgp-arbitraries.ts';
import { CLIENT, EBGP, IBGP, LOCAL, OURS, path, route, target, THEIRS } from './routes.ts';
import { keptSet } from '../../support/kept-set.ts';

const V6 = Uint8Array.from({ length: 16 }, (_, i) => 0x20 + i);
const LINK_LOCAL = Uint8Array.from({ length: 16 }, (_, i) => (i === 0 ? 0xfe : i === 1 ? 0x80 : i));

const sources = fc.constantFrom<ExportSource>(LOCAL, EBGP, IBGP, CLIENT);
const targets: fc.Arbitrary<ExportTarget> = fc
  .record({
    external: fc.boolean(),
    transit: fc.boolean(),
    nextHop: fc.constantFrom('auto', 'auto', 'self', 'keep'),
    clusterId: fc.constantFrom(undefined, 9, 0xfffffffe),
    routeReflectorClient: fc.boolean(),
    draining: fc.constantFrom(false, false, false, true),
    localAddress: fc.constantFrom(OURS, V6, undefined),
    asOverride: fc.constantFrom(undefined, undefined, undefined, 65001),
    role: fc.constantFrom(undefined, undefined, undefined, 'provider'),
  })
  .map((changes) => target(changes as Partial<ExportTarget>));
const asns = fc.array(fc.integer({ min: 1, max: 0xffffffff }), { minLength: 1, maxLength: 3 });
const long = fc.constantFrom(62, 63, 64, 254, 255).map((count) => Array.from({ length: count }, (_, i) => i + 1));
const types = fc.constantFrom<AsSegment['type']>('sequence', 'sequence', 'set');
const paths = fc.array(fc.record({ type: types, asns: fc.oneof(asns, long) }), {
  maxLength: 2,
});
const hops = fc.constantFrom(THEIRS, V6, LINK_LOCAL, undefined);
const sets = fc
  .tuple(pathAttributes, paths, hops, fc.option(fc.array(fc.nat(), { minLength: 1, maxLength: 2 })), fc.boolean())
  .map(([given, asPath, nextHop, communities, isBare]): PathAttributes => ({
    ...withoutAttributes(isBare ? {} : given, ['nextHop', 'communities']),
    ...{ origin: 'igp', asPath },
    ...(nextHop !== undefined && { nextHop }),
    ...(communities !== null && { communities: [...communities, ...NO_EXPORT_VALUES.slice(0, communities[0]! % 2)] }),
  }));

test('says octet by octet what exportRoute says, kept and as it goes out, or that it does not know', () => {
  let known = 0;
  fc.assert(
    fc.property(sets, sources, fc.tuple(targets, fc.constantFrom<4 | 6>(4, 6)), (set, source, [to, family]) => {
      const plain = new PlainExport({ family, target: to, hasFilters: false });
      const length = plain.write(keptSet(canonicalAttributes(set)), source);
      if (length === NOT_PLAIN) return;
      known++;
      const outcome = exportRoute(set, source, to);
      if (length === KEPT_BACK) {
        expect(outcome.kind).toBe('kept back');
        return;
      }
      if (outcome.kind === 'kept back') throw new Error(outcome.reason);
      const told = withoutAigp(outcome.attributes);
      expect([...plain.octets.subarray(0, length)]).toEqual([...canonicalAttributes(told)]);
      const { block, blockLength, nextHop } = plain.putBlock(keptSet(canonicalAttributes(set)), source);
      const isAmong = family === 4;
      expect(nextHop && [...nextHop]).toEqual(isAmong ? undefined : [...told.nextHop!]);
      const encoded = attributeBlock(told, plainContext, isAmong ? 'next-hop' : 'mp-reach');
      expect([...block.subarray(0, blockLength)]).toEqual([...encoded]);
    }),
    { numRuns: 3000 },
  );
  expect(known).toBeGreaterThan(500);
});

interface Common {
  readonly what: string;
  readonly set: PathAttributes;
  readonly source: ExportSource;
  readonly changes: Partial<ExportTarget>;
}
const far: PathAttributes = { ...route, asPath: path(65001, 65002), communities: [65001 * 65536 + 1] };

test.each<Common>([
  { what: 'an eBGP route to an eBGP peer', set: route, source: EBGP, changes: { external: true, transit: true } },
  { what: 'our own route', set: { origin: 'igp', asPath: [] }, source: LOCAL, changes: { external: true } },
  { what: 'reflection', set: route, source: CLIENT, changes: { clusterId: 9 } },
  { what: 'to an iBGP peer', set: far, source: EBGP, changes: { transit: true } },
])('knows the common case: $what', ({ set, source, changes }) => {
  const plain = new PlainExport({ family: 4, target: target(changes), hasFilters: false });
  expect(plain.write(keptSet(canonicalAttributes(set)), source)).toBeGreaterThan(0);
});

test('knows nothing where filters, roles or a farewell have a say', () => {
  const of = (changes: Partial<ExportTarget>, hasFilters = false): number =>
    new PlainExport({ family: 4, target: target({ external: true, transit: true, ...changes }), hasFilters }).write(
      keptSet(canonicalAttributes(route)),
      EBGP,
    );
  expect([of({}, true), of({ role: 'peer' }), of({ draining: true }), of({ asOverride: 1 })]).toEqual(
    Array(4).fill(NOT_PLAIN),
  );
});
