import { describe, expect, test } from 'vitest';
import { attributesOf, RoutingBench } from '../../support/routing-bench.ts';

const P = '10.0.0.0/24';

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
