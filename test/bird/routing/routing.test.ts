import { describe, expect, test } from 'vitest';
import type { RouteFilter } from '../../../bird/policy/filter.ts';
import type { RoutingSettings } from '../../../bird/routing/peer.ts';
import { parsePrefix } from '../../../src/model/ip.ts';
import { attributesOf, RoutingBench } from '../../support/routing-bench.ts';
import type { BenchPeer } from '../../support/routing-bench.ts';

const P = '10.0.0.0/24';

const noOther: RouteFilter = {
  name: 'test',
  rules: [{ family: 4, action: 'reject', match: { prefix: { cidr: parsePrefix('10.99.0.0/24'), operator: 'equal' } } }],
};

/** Up to three switches of one AS. */
const switches = (count: number): RoutingBench =>
  new RoutingBench(['10.9.0.2', '10.9.0.3', '10.9.0.4'].slice(0, count).map((address) => ({ address })));

describe('between a change and its selection', () => {
  test('the routes can be read: the best route stands until another is selected', () => {
    const bench = new RoutingBench([{ address: '10.9.0.2' }], {}, false);
    bench.announce(0, P, { attributes: attributesOf(1) });
    bench.settle();
    bench.withdraw(0, P);
    expect(bench.learned()).toEqual([`${P} via 10.8.0.1`]);
    bench.settle();
    expect(bench.learned()).toEqual([]);
  });

  test('where nothing has to be decided there is no such time', () => {
    const bench = switches(1);
    bench.announce(0, P, { attributes: attributesOf(1) });
    expect(bench.learned()).toEqual([`${P} via 10.8.0.1`]);
    bench.withdraw(0, P);
    expect([bench.learned(), bench.routing.tables[4].locRib.hasDirty]).toEqual([[], false]);
  });

  test('the paths of several peers are decided together, and of one peer and this node not', () => {
    const bench = switches(2);
    bench.originate(['10.0.5.0/24']);
    const { locRib } = bench.routing.tables[4];
    bench.settle();
    bench.announce(0, P, { attributes: attributesOf(1) });
    expect(locRib.hasDirty).toBe(false);
    bench.announce(1, P, { attributes: attributesOf(2) });
    bench.announce(0, '10.0.6.0/24', { attributes: attributesOf(1) });
    expect(bench.learned()).toEqual([`${P} via 10.8.0.1`]);
    bench.settle();
    expect(bench.learned()).toEqual([`${P} via 10.8.0.1, 10.8.0.2`, '10.0.6.0/24 via 10.8.0.1']);
  });

  test.each<readonly [string, Partial<BenchPeer>, Partial<RoutingSettings>]>([
    ['any', {}, {}],
    ['one with a limit', { prefixLimits: { 4: { maximum: 1000, warnPercent: 80, action: 'drop' } } }, {}],
    ['one whose policy looks at the prefix', { importFilters: [noOther] }, {}],
    ['one with path identifiers', { session: { addPath: { receive: true, send: false } } }, {}],
    ['a switch where this node has blocks', {}, { transit: false }],
  ])('what a peer withdraws and tells again behind much else leaves no hole: %s', (_, peer, settings) => {
    const bench = new RoutingBench([{ address: '10.9.0.2', ...peer }, { address: '10.9.0.3' }], settings);
    const pathId = peer.session == null ? {} : { pathId: 1 };
    bench.originate(['10.77.0.0/26']);
    bench.announce(0, P, { attributes: attributesOf(1), ...pathId });
    bench.sync();
    for (let i = 1; i < 200; i++) bench.announce(0, `10.1.${i}.0/24`, { attributes: attributesOf(1), ...pathId });
    bench.withdraw(0, P, pathId.pathId);
    bench.announce(0, P, { attributes: attributesOf(2), ...pathId });
    bench.routing.settle(50);
    expect(bench.learned().filter((route) => route.startsWith(P))).toHaveLength(1);
  });

  test.each([1, 2])('a route withdrawn and told at once with another next hop is news, with %i peers', (count) => {
    const bench = switches(count);
    bench.announce(0, P, { attributes: attributesOf(1) });
    bench.sync();
    const before = bench.news;
    bench.withdraw(0, P);
    bench.announce(0, P, { attributes: attributesOf(2) });
    bench.settle();
    expect(bench.learned()).toEqual([`${P} via 10.8.0.2`]);
    expect(bench.news).toBeGreaterThan(before);
    bench.sync();
    if (count > 1) expect(bench.has(1, P)).toEqual(['2']);
  });

  test('one of two equal paths that goes is news, though the best path stays', () => {
    const bench = switches(3);
    bench.announce(0, P, { attributes: attributesOf(1) });
    bench.announce(1, P, { attributes: attributesOf(2) });
    bench.settle();
    expect(bench.learned()).toEqual([`${P} via 10.8.0.1, 10.8.0.2`]);
    const before = bench.news;
    bench.withdraw(1, P);
    bench.settle();
    expect(bench.learned()).toEqual([`${P} via 10.8.0.1`]);
    expect(bench.news).toBeGreaterThan(before);
  });
});

describe('a route reflector', () => {
  const client = (address: string, bgpIdentifier: number) => ({
    address,
    remoteAsn: 64512,
    routeReflectorClient: true,
    session: { bgpIdentifier },
  });
  const reflector = (): RoutingBench =>
    new RoutingBench([client('10.9.0.9', 99), client('10.9.0.2', 7)], { transit: false, clusterId: 9 });
  const originator = (bench: RoutingBench): number | undefined => {
    bench.sync();
    return bench.told[0]!.get(P)?.originatorId;
  };

  test('names the new identifier of a client that comes back with another', () => {
    const bench = reflector();
    bench.announce(1, P, { attributes: attributesOf(1) });
    expect(originator(bench)).toBe(7);
    bench.down(1);
    bench.up(1, { bgpIdentifier: 8 });
    bench.announce(1, P, { attributes: attributesOf(1) });
    expect(originator(bench)).toBe(8);
  });

  test('does not take a new client for the one that was removed', () => {
    const bench = reflector();
    bench.announce(1, P, { attributes: attributesOf(1) });
    expect(originator(bench)).toBe(7);
    bench.routing.removePeer(bench.peers.pop()!);
    const fresh = bench.addPeer(client('10.9.0.3', 8));
    bench.announce(fresh, P, { attributes: attributesOf(1) });
    expect(originator(bench)).toBe(8);
  });
});
