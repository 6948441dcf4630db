import { describe, expect, test } from 'vitest';
import type { FilterRule, RouteFilter } from '../../../bird/policy/filter.ts';
import { parsePrefix } from '../../../src/model/ip.ts';
import { attributesOf, RoutingBench } from '../../support/routing-bench.ts';

const P = '10.0.0.0/24';
const Q = '10.0.1.0/24';

const filter = (name: string, ...rules: readonly Omit<FilterRule, 'family'>[]): RouteFilter => ({
  name,
  rules: rules.map((rule) => ({ family: 4, ...rule })),
});
const noQ = filter('no-q', { action: 'reject', match: { prefix: { cidr: parsePrefix(Q), operator: 'equal' } } });
const prefer = filter('prefer', {
  action: 'accept',
  match: { community: 2 },
  operations: [{ do: 'setLocalPref', localPref: 500 }],
});
const mark = filter('mark', {
  action: 'accept',
  match: { source: 'local' },
  operations: [{ do: 'addCommunity', community: 77 }],
});

/** Two switches speak, the third listens. */
const bench = (): RoutingBench =>
  new RoutingBench([
    { address: '10.9.0.2' },
    { address: '10.9.0.3', remoteAsn: 65003 },
    { address: '10.9.0.4', remoteAsn: 65004 },
  ]);

describe('import filters', () => {
  test('reject by prefix, with the name of the rule; what was received stays', () => {
    const b = new RoutingBench([{ address: '10.9.0.2', importFilters: [noQ] }]);
    b.announce(0, P, { attributes: attributesOf(1) });
    b.announce(0, Q, { attributes: attributesOf(1) });
    b.sync();
    expect(b.learned()).toEqual([`${P} via 10.8.0.1`]);
    expect(b.reasons(Q)).toEqual(['rejected on import by rule 1 of no-q']);
    const { received, accepted } = b.peers[0]!.adjRibIn[4];
    expect([received, accepted]).toEqual([2, 1]);
  });

  test('rewrite what selection uses: the route wins by it, and the next AS is not told', () => {
    const b = bench();
    b.adjust(1, { importFilters: [prefer] });
    b.announce(0, P, { attributes: attributesOf(1) });
    b.announce(1, P, { attributes: attributesOf(2, { asPath: [{ type: 'sequence', asns: [65003, 9, 9] }] }) });
    b.sync();
    expect(b.learned()).toEqual([`${P} via 10.8.0.2`]);
    expect(b.views().map(({ localPref, reason }) => [localPref, reason])).toEqual([
      [500, 'best path'],
      [undefined, 'lost by: higher LOCAL_PREF'],
    ]);
    expect(b.told[2]!.get(P)?.localPref).toBeUndefined();
    const { lanes } = b.peers[1]!.adjRibIn[4];
    const prefix = b.routing.tables[4].prefixes.internPrefix(parsePrefix(P));
    expect(b.routing.attributes.attributes(lanes[0]!.get(prefix)).localPref).toBeUndefined();
    expect(b.held()).toEqual([0, 0, 0]);
  });

  test('take hold of the routes that stand when they change, and let go again, with no word from the peer', () => {
    const b = bench();
    for (const prefix of [P, Q]) b.announce(0, prefix, { attributes: attributesOf(2) });
    b.sync();
    b.adjust(0, { importFilters: [noQ] });
    b.sync();
    expect([b.learned(), b.has(2, Q)]).toEqual([[`${P} via 10.8.0.2`], []]);
    b.adjust(0, { importFilters: [prefer] });
    b.sync();
    expect(b.views().map(({ localPref }) => localPref)).toEqual([500, 500]);
    b.adjust(0, {});
    b.adjust(0, { importFilters: [] });
    b.sync();
    expect(b.views().map(({ localPref }) => localPref)).toEqual([undefined, undefined]);
    expect([b.has(2, P), b.has(2, Q)]).toEqual([['2'], ['2']]);
    expect(b.held()).toEqual([0, 0, 0]);
  });

  test('and the count of our own AS: what was refused comes in when it is allowed', () => {
    const b = bench();
    const loop = attributesOf(1, { asPath: [{ type: 'sequence', asns: [65001, 64512] }] });
    b.announce(0, P, { attributes: loop });
    b.sync();
    expect(b.reasons(P)).toEqual(['rejected on import: AS_PATH holds our own AS 64512']);
    b.adjust(0, { allowOwnAsn: 1 });
    b.sync();
    expect(b.reasons(P)).toEqual(['best path']);
  });

  test('are judged in slices: between two, new routes meet the new filters', () => {
    const b = bench();
    const many = Array.from({ length: 50 }, (_, i) => `10.1.${i}.0/24`);
    for (const prefix of [...many, Q]) b.announce(0, prefix, { attributes: attributesOf(1) });
    b.sync();
    b.adjust(0, { importFilters: [filter('none', { action: 'reject', match: {} })] });
    expect(b.routing.settle(10)).toBe(true);
    expect(b.peers[0]!.adjRibIn[4].accepted).toBe(41);
    b.announce(0, P, { attributes: attributesOf(1) });
    expect(b.reasons(P)).toEqual(['rejected on import by rule 1 of none']);
    b.sync();
    expect(b.peers[0]!.adjRibIn[4].accepted).toBe(0);
  });
});

describe('export filters', () => {
  test('reject by prefix and add communities, to this peer alone', () => {
    const b = bench();
    b.adjust(2, { exportFilters: [noQ, mark] });
    b.announce(0, P, { attributes: attributesOf(1) });
    b.announce(0, Q, { attributes: attributesOf(1) });
    b.originate(['10.7.0.0/16']);
    b.sync();
    expect([b.has(2, P), b.has(2, Q), b.has(2, '10.7.0.0/16')]).toEqual([['1'], [], ['77']]);
    expect([b.has(1, Q), b.has(1, '10.7.0.0/16')]).toEqual([['1'], ['own']]);
  });

  test('that change cost one message for what differs, and none where nothing does', () => {
    const b = bench();
    for (const prefix of [P, Q]) b.announce(0, prefix, { attributes: attributesOf(1) });
    b.originate(['10.7.0.0/16']);
    b.sync();
    const sent = b.octets[2]!.length;
    b.adjust(2, { exportFilters: [noQ] });
    b.sync();
    expect([b.octets[2]!.length - sent, b.has(2, P), b.has(2, Q)]).toEqual([1, ['1'], []]);
    b.adjust(2, { exportFilters: [noQ], description: 'another word' });
    b.sync();
    expect(b.octets[2]!.length - sent).toBe(1);
    b.adjust(2, { exportFilters: [noQ, mark] });
    b.sync();
    expect([b.octets[2]!.length - sent, b.has(2, '10.7.0.0/16')]).toEqual([2, ['77']]);
    b.adjust(2, { exportFilters: [], nextHop: 'keep' });
    b.sync();
    expect(b.told[2]!.get(P)?.nextHop).toEqual(Uint8Array.of(10, 8, 0, 1));
    expect([b.has(2, Q), b.has(2, '10.7.0.0/16')]).toEqual([['1'], ['own']]);
    expect(b.held()).toEqual([0, 0, 0]);
  });
});

test('a cluster id that comes and goes at run time reflects and takes back, and refuses what came round', () => {
  const b = new RoutingBench(
    [
      { address: '10.9.0.2', remoteAsn: 64512, routeReflectorClient: true },
      { address: '10.9.0.3', remoteAsn: 64512 },
    ],
    { transit: false },
  );
  b.announce(0, P, { attributes: attributesOf(1) });
  b.announce(0, Q, { attributes: attributesOf(1, { clusterList: [9] }) });
  b.sync();
  expect([b.has(1, P), b.learned().length]).toEqual([[], 2]);
  b.routing.setClusterId(9);
  b.sync();
  expect([b.told[1]!.get(P)?.clusterList, b.learned().length]).toEqual([[9], 1]);
  b.routing.setClusterId(undefined);
  b.sync();
  expect([b.has(1, P), b.learned().length]).toEqual([[], 2]);
});

test('one of our blocks that comes later takes strangers out of it, and lets them back in when it goes', () => {
  const b = new RoutingBench([{ address: '10.9.0.2' }], { transit: false });
  b.announce(0, '10.0.0.5/32', { attributes: attributesOf(1) });
  b.sync();
  b.originate([P]);
  b.sync();
  expect(b.reasons('10.0.0.5/32')).toEqual(['rejected on import: the prefix lies inside a block of this node']);
  b.originate([]);
  b.sync();
  expect(b.learned()).toEqual(['10.0.0.5/32 via 10.8.0.1']);
});
