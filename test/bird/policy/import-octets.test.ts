import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PlainImport } from '../../../bird/policy/import-octets.ts';
import { ACCEPTED, judgeAttributes, rewriteOnImport } from '../../../bird/policy/import.ts';
import type { ImportContext } from '../../../bird/policy/import.ts';
import { wellKnown } from '../../../bird/policy/well-known.ts';
import { canonicalAttributes } from '../../../bird/wire.ts';
import type { PathAttributes } from '../../../bird/wire.ts';
import { pathAttributes } from '../../support/bgp-arbitraries.ts';
import { keptSet } from '../../support/kept-set.ts';

const OWN = 64512;
const FIRST = 65001;
const asn = fc.constantFrom(OWN, FIRST, 65002);
const path = fc.array(
  fc.record({
    type: fc.constantFrom('sequence' as const, 'set' as const, 'confed-sequence' as const),
    asns: fc.array(asn, { minLength: 1, maxLength: 4 }),
  }),
  { maxLength: 3 },
);
/** IPv4, IPv6, a pair; ours, loopback, multicast, mapped and unspecified among them. */
const nextHop = fc.constantFrom(
  ...['0a080001', '0a090001', '7f000001', 'e0000001', 'f0000001', '00000001'],
  ...['fd000000000000000000000000000001', 'fd000000000000000000000000000009', '00000000000000000000ffff0a090001'],
  ...['00000000000000000000000000000001', 'ff020000000000000000000000000001', ''],
  ...['fd000000000000000000000000000001fe800000000000000000000000000009', `${'00'.repeat(16)}fe80${'00'.repeat(14)}`],
  'fd0000000000000000000000000000010',
);
const octets = (text: string): Uint8Array =>
  Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));

const contexts: fc.Arbitrary<ImportContext> = fc.record({
  localAsn: fc.constant(OWN),
  bgpIdentifier: fc.constantFrom(1, 2),
  clusterId: fc.constantFrom(undefined, 1),
  allowOwnAsn: fc.constantFrom(0, 1),
  external: fc.boolean(),
  localAddress: fc.constantFrom('0a090001', 'fd000000000000000000000000000009', `fe80${'00'.repeat(13)}09`).map(octets),
  firstAsn: fc.constantFrom(undefined, undefined, FIRST),
  role: fc.constantFrom(undefined, undefined, { own: 'customer' as const, peerAsn: FIRST }),
  isWithoutPolicy: fc.constantFrom(undefined, false, true),
});

const sets: fc.Arbitrary<PathAttributes> = fc
  .tuple(
    pathAttributes,
    path,
    nextHop,
    fc.constantFrom(undefined, [1], [wellKnown.GRACEFUL_SHUTDOWN.value], [5, wellKnown.GRACEFUL_SHUTDOWN.value]),
    fc.constantFrom(undefined, 1, 3),
    fc.constantFrom(undefined, [1], [7, 1], [7]),
  )
  .map(([set, asPath, hop, communities, originatorId, clusterList]) => ({
    ...set,
    asPath,
    nextHop: octets(hop),
    ...(communities !== undefined && { communities }),
    ...(originatorId !== undefined && { originatorId }),
    ...(clusterList !== undefined && { clusterList }),
  }));

test('what the octets of a set say is accepted, is accepted and stays as it is', () => {
  let accepted = 0;
  fc.assert(
    fc.property(sets, contexts, (set, context) => {
      if (!new PlainImport(context).accepts(keptSet(canonicalAttributes(set)))) return;
      accepted++;
      expect([judgeAttributes(set, context), rewriteOnImport(set, context)]).toEqual([ACCEPTED, set]);
    }),
    { numRuns: 3000 },
  );
  expect(accepted).toBeGreaterThan(20);
});

test('an ordinary route is accepted by its octets', () => {
  const set: PathAttributes = {
    origin: 'igp',
    asPath: [{ type: 'sequence', asns: [FIRST, 65002] }],
    nextHop: octets('0a080001'),
    communities: [1, 2],
  };
  const context = { localAsn: OWN, bgpIdentifier: 1, clusterId: 1, allowOwnAsn: 0, external: true };
  const plain = new PlainImport({ ...context, localAddress: octets('0a090001'), firstAsn: FIRST });
  expect(plain.accepts(keptSet(canonicalAttributes(set)))).toBe(true);
});
