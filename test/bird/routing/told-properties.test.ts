import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { PathAttributes } from '../../../bird/wire.ts';
import { canonicalAttributes } from '../../../bird/wire.ts';
import { ONLY_PATH } from '../../../bird/rib/adj-rib-out.ts';
import type { PeerSettings } from '../../../bird/settings.ts';
import { parsePrefix } from '../../../src/model/ip.ts';
import { attributesOf, RoutingBench } from '../../support/routing-bench.ts';

const PREFIXES = Array.from({ length: 4 }, (_, i) => `10.0.${i}.0/24`);
/** Two outside, one within and one that is a client of ours. */
const PEERS = [
  { address: '10.9.0.2', remoteAsn: 65001 },
  { address: '10.9.0.3', remoteAsn: 65002 },
  { address: '10.9.0.4', remoteAsn: 64512 },
  { address: '10.9.0.5', remoteAsn: 64512, routeReflectorClient: true },
];
/** Some are the same to peers outside, and one may not leave the AS. */
const SETS: readonly PathAttributes[] = [
  attributesOf(1),
  attributesOf(1, { med: 5 }),
  attributesOf(1, { localPref: 200 }),
  attributesOf(2),
  attributesOf(2, { communities: [2, 0xffffff01] }),
];
const VIEWS: readonly Partial<PeerSettings>[] = [
  { nextHop: 'auto', exportFilters: [] },
  { nextHop: 'keep', exportFilters: [] },
  { nextHop: 'self', exportFilters: [] },
  {
    nextHop: 'auto',
    exportFilters: [{ name: 'two', rules: [{ family: 4, action: 'reject', match: { community: 2 } }] }],
  },
];

type Step = (b: RoutingBench) => void;

const peer = fc.nat(PEERS.length - 1);
const some = fc.subarray(PREFIXES, { minLength: 1 });
const told = (step: Step, text: string): Step => Object.assign(step, { [fc.toStringMethod]: () => text });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.tuple(peer, some, fc.nat(SETS.length - 1)).map(([at, prefixes, set]) =>
      told(
        (b) => {
          for (const prefix of prefixes) b.announce(at, prefix, { attributes: SETS[set]! });
        },
        `announce ${at} ${set} ${prefixes.join(' ')}`,
      ),
    ),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(peer, some)
      .map(([at, prefixes]) =>
        told((b) => prefixes.forEach((p) => b.withdraw(at, p)), `withdraw ${at} ${prefixes.join(' ')}`),
      ),
  },
  { weight: 2, arbitrary: fc.integer({ min: 1, max: 3 }).map((n) => told((b) => b.routing.settle(n), `settle ${n}`)) },
  { weight: 3, arbitrary: fc.subarray([0, 1, 2, 3]).map((at) => told((b) => b.tell(at, true), `tell ${at.join()}`)) },
  { weight: 2, arbitrary: peer.map((at) => told((b) => b.pump(at), `pump ${at}`)) },
  { weight: 1, arbitrary: peer.map((at) => told((b) => b.routing.refresh(b.peers[at]!, 4), `refresh ${at}`)) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(peer, fc.nat(VIEWS.length - 1))
      .map(([at, view]) => told((b) => b.adjust(at, VIEWS[view]!), `view ${at} ${view}`)),
  },
  {
    weight: 1,
    arbitrary: peer.map((at) =>
      told((b) => {
        b.down(at);
        b.up(at, { bgpIdentifier: 100 + at });
      }, `reconnect ${at}`),
    ),
  },
  { weight: 1, arbitrary: fc.subarray(PREFIXES).map((own) => told((b) => b.originate(own), `own ${own.join(' ')}`)) },
);

const text = (attributes: PathAttributes | undefined): string =>
  attributes === undefined ? 'nothing' : Buffer.from(canonicalAttributes(attributes)).toString('hex');

/** What policy makes of the best path now, worked out anew. */
function wanted(b: RoutingBench, at: number, prefix: string): string {
  const { prefixes, locRib } = b.routing.tables[4];
  const id = prefixes.internPrefix(parsePrefix(prefix));
  const best = locRib.best(id);
  const outcome = best && b.routing.exports.explain(b.peers[at]!, 4, { prefix: id, source: best.source });
  return outcome?.kind === 'send' ? text(outcome.attributes) : 'nothing';
}

/** What the speaker says that the peer has. */
function shown(b: RoutingBench, at: number, prefix: string): string {
  return text(
    b.peers[at]!.adjRibOut[4].told(b.routing.tables[4].prefixes.internPrefix(parsePrefix(prefix)), ONLY_PATH),
  );
}

test('each peer has what policy makes of the best path, is shown to have what it has, and nothing is left behind', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 50, size: 'max' }), fc.boolean(), (steps, atOnce) => {
      const b = new RoutingBench(PEERS, { clusterId: 9 }, atOnce);
      // Held all the while, so that a prefix is the same number throughout.
      for (const prefix of PREFIXES)
        b.routing.tables[4].prefixes.retain(b.routing.tables[4].prefixes.internPrefix(parsePrefix(prefix)));
      const has = (at: number, prefix: string): string => text(b.told[at]!.get(prefix));
      const each = PEERS.flatMap((_, at) => PREFIXES.map((prefix) => [at, prefix] as const));
      for (const one of steps) {
        one(b);
        for (const [at, prefix] of each)
          expect([at, prefix, shown(b, at, prefix)]).toEqual([at, prefix, has(at, prefix)]);
      }
      b.sync();
      for (const [at, prefix] of each)
        expect([at, prefix, has(at, prefix)]).toEqual([at, prefix, wanted(b, at, prefix)]);
      const messages = b.octets.map(({ length }) => length);
      b.sync();
      expect(b.octets.map(({ length }) => length)).toEqual(messages);
      expect(b.held()).toEqual([0, PREFIXES.length, 0]);
    }),
    { numRuns: 1500 },
  );
});
