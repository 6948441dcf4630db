/** Each rule of the decision process that a path can lose by, told of the loser. RFC 4271 §9.1.2.2. */
import { expect, test } from 'vitest';
import { explainRoute } from '../../../bird/explain/route.ts';
import type { PathAttributes } from '../../../bird/wire.ts';
import { parsePrefix } from '../../../src/model/ip.ts';
import { attributesOf, RoutingBench } from '../../support/routing-bench.ts';
import type { BenchPeer } from '../../support/routing-bench.ts';

const P = '10.0.0.0/24';
const asns = (...path: readonly number[]): PathAttributes => ({ asPath: [{ type: 'sequence', asns: path }] });

interface Loser {
  readonly winner?: PathAttributes;
  readonly loser: PathAttributes;
  readonly peer?: Partial<BenchPeer>;
}

test.each<readonly [rule: string, Loser]>([
  ['higher LOCAL_PREF', { winner: { localPref: 200 }, loser: { localPref: 100 } }],
  ['a) shorter AS_PATH', { loser: asns(65001, 65009) }],
  ['b) lower ORIGIN', { loser: { origin: 'incomplete' } }],
  ['c) lower MED per neighboring AS', { winner: { med: 1 }, loser: { med: 2 } }],
  ['d) EBGP over IBGP', { loser: {}, peer: { remoteAsn: 64512 } }],
  ['f) lower BGP Identifier', { loser: {} }],
  [
    'shorter CLUSTER_LIST',
    { winner: { clusterList: [1] }, loser: { clusterList: [1, 2] }, peer: { session: { bgpIdentifier: 10 } } },
  ],
  ['g) lower peer address', { loser: {}, peer: { session: { bgpIdentifier: 10 } } }],
  ['not long-lived stale', { winner: { localPref: 1 }, loser: { localPref: 200, communities: [0xffff0006] } }],
])('%s', (rule, { winner = {}, loser, peer }) => {
  const b = new RoutingBench([
    { address: '10.9.0.2', session: { bgpIdentifier: 10 } },
    { address: '10.9.0.3', ...peer },
  ]);
  b.announce(0, P, { attributes: attributesOf(1, winner) });
  b.announce(1, P, { attributes: attributesOf(2, loser) });
  b.sync();
  const found = explainRoute(b.routing, parsePrefix(P));
  expect(found.verdict).toBe('the path from 10.9.0.2 (global) is best, one of 2 paths');
  expect(found.paths.map(({ best, reason }) => [best, reason.replace('equal path, ', '')])).toEqual([
    [true, 'best path'],
    [false, `lost by: ${rule}`],
  ]);
});

test('what this node originates itself wins over all', () => {
  const b = new RoutingBench([{ address: '10.9.0.2' }]);
  b.announce(0, P, { attributes: attributesOf(1, { localPref: 4_000_000_000 }) });
  b.originate([P]);
  b.sync();
  const found = explainRoute(b.routing, parsePrefix(P));
  expect(found.paths.map(({ from, reason }) => `${from}: ${reason}`)).toEqual([
    'this node: originated by this node',
    '10.9.0.2 (global): lost by: originated by this node',
  ]);
});

test('a path that nothing has looked at yet', () => {
  const b = new RoutingBench([{ address: '10.9.0.2' }], {}, false);
  b.announce(0, P, { attributes: attributesOf(1) });
  const found = explainRoute(b.routing, parsePrefix(P));
  expect(found.verdict).toBe('no path is selected yet');
  expect(found.advertised).toEqual([]);
});

test('several paths of one peer, each with its identifier', () => {
  const b = new RoutingBench([{ address: '10.9.0.2', session: { addPath: { send: false, receive: true } } }]);
  b.announce(0, P, { attributes: attributesOf(1), pathId: 7 });
  b.announce(0, P, { attributes: attributesOf(2, asns(65001, 65009)), pathId: 8 });
  b.sync();
  expect(explainRoute(b.routing, parsePrefix(P)).paths.map(({ pathId, reason }) => [pathId, reason])).toEqual([
    [7, 'best path'],
    [8, 'lost by: a) shorter AS_PATH'],
  ]);
});
