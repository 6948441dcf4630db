import { describe, expect, test } from 'vitest';
import { MAX_LANES } from '../../../bird/routing.ts';
import { attributesOf, RoutingBench } from '../../support/routing-bench.ts';

const P = '10.0.0.0/24';
const BOTH = { send: true, receive: true };

/** Peer 0 speaks with ADD-PATH, peer 1 takes one path, peer 2 takes all. */
const bench = (): RoutingBench =>
  new RoutingBench([
    { address: '10.9.0.2', session: { addPath: BOTH } },
    { address: '10.9.0.3', remoteAsn: 65003 },
    { address: '10.9.0.4', remoteAsn: 65004, session: { addPath: BOTH } },
  ]);

describe('a peer with ADD-PATH', () => {
  test('has several paths for a prefix: equal ones are one route with several next hops', () => {
    const b = bench();
    b.announce(0, P, { attributes: attributesOf(1), pathId: 7 });
    b.announce(0, P, { attributes: attributesOf(2), pathId: 0 });
    b.sync();
    expect(b.learned()).toEqual([`${P} via 10.8.0.2, 10.8.0.1`]);
    expect(b.views().map(({ pathId, reason }) => [pathId, reason])).toEqual([
      [0, 'best path'],
      [7, 'equal path, lost by: lower path identifier'],
    ]);
  });

  test('replaces the path of the same identifier, and withdraws that one alone', () => {
    const b = bench();
    for (const [mark, pathId] of [
      [1, 1],
      [2, 2],
      [3, 1],
    ] as const) {
      b.announce(0, P, { attributes: attributesOf(mark), pathId });
    }
    b.sync();
    expect(b.learned()).toEqual([`${P} via 10.8.0.3, 10.8.0.2`]);
    b.withdraw(0, P, 1);
    b.withdraw(0, P, 9);
    b.sync();
    expect(b.learned()).toEqual([`${P} via 10.8.0.2`]);
  });

  test('gets the same result whichever path came first: the lanes do not show', () => {
    const views = [
      [3, 1, 2],
      [1, 2, 3],
      [2, 3, 1],
    ].map((order) => {
      const b = bench();
      for (const pathId of order) b.announce(0, P, { attributes: attributesOf(pathId), pathId });
      b.sync();
      return [b.learned(), b.has(1, P), b.has(2, P)];
    });
    expect(new Set(views.map((view) => JSON.stringify(view))).size).toBe(1);
    expect(views[0]).toEqual([[`${P} via 10.8.0.1, 10.8.0.2, 10.8.0.3`], ['1'], ['1', '2', '3']]);
  });

  test('has so many paths and no more; the rest is counted, and said once', () => {
    const b = bench();
    for (let pathId = 0; pathId < MAX_LANES + 3; pathId++) b.announce(0, P, { attributes: attributesOf(1), pathId });
    const { received, ignored } = b.peers[0]!.adjRibIn[4];
    expect([received, ignored]).toEqual([MAX_LANES, 3]);
    expect(b.leftOut).toEqual([`more than ${MAX_LANES} paths for one prefix: the rest is not used`]);
    b.announce(0, P, { attributes: attributesOf(2), pathId: 5 });
    expect(b.peers[0]!.adjRibIn[4].ignored).toBe(3);
    expect(b.held()).toEqual([0, 0, 0]);
  });

  test('comes back without it: its one path takes the place of all that it had', () => {
    const b = bench();
    for (const pathId of [1, 2, 3]) b.announce(0, P, { attributes: attributesOf(pathId), pathId });
    b.sync();
    b.down(0);
    b.peers[0]!.adjRibIn[4].markStale();
    b.up(0);
    b.announce(0, P, { attributes: attributesOf(4) });
    b.sync();
    expect([b.learned(), b.peers[0]!.adjRibIn[4].received]).toEqual([[`${P} via 10.8.0.4`], 1]);
    expect(b.views()[0]!.pathId).toBeUndefined();
    b.withdraw(0, P);
    b.sync();
    expect([b.learned(), b.has(2, P)]).toEqual([[], []]);
  });

  test('comes back with it: what came without an identifier gives way to the first that comes with one', () => {
    const b = new RoutingBench([{ address: '10.9.0.2' }]);
    b.announce(0, P, { attributes: attributesOf(1) });
    b.down(0);
    b.peers[0]!.adjRibIn[4].markStale();
    b.up(0, { addPath: BOTH });
    b.announce(0, P, { attributes: attributesOf(2), pathId: 5 });
    b.announce(0, P, { attributes: attributesOf(3), pathId: 6 });
    b.sync();
    expect(b.learned()).toEqual([`${P} via 10.8.0.2, 10.8.0.3`]);
    expect(b.peers[0]!.adjRibIn[4].lanes.map(({ received }) => received)).toEqual([1, 1]);
  });
});

describe('a peer that takes all paths', () => {
  test('is told each with its own identifier, which stays while the path lives', () => {
    const b = bench();
    for (const pathId of [1, 2]) b.announce(0, P, { attributes: attributesOf(pathId), pathId });
    b.announce(1, P, { attributes: attributesOf(3) });
    b.originate([P]);
    b.sync();
    expect(b.has(2, P)).toEqual(['1', '2', '3', 'own']);
    const before = [...b.told[2]!.keys()].sort();
    b.announce(0, P, { attributes: attributesOf(9), pathId: 1 });
    b.sync();
    expect([...b.told[2]!.keys()].sort()).toEqual(before);
    expect(b.has(2, P)).toEqual(['2', '3', '9', 'own']);
    b.originate([]);
    b.withdraw(0, P, 2);
    b.sync();
    expect(b.has(2, P)).toEqual(['3', '9']);
  });

  test('is not told its own paths', () => {
    const b = bench();
    b.announce(2, P, { attributes: attributesOf(1), pathId: 1 });
    b.announce(1, P, { attributes: attributesOf(2) });
    b.sync();
    expect([b.has(2, P), b.has(0, P)]).toEqual([['2'], ['1', '2']]);
  });

  test('is told everything again when it asks', () => {
    const b = bench();
    for (const pathId of [1, 2]) b.announce(0, P, { attributes: attributesOf(pathId), pathId });
    b.sync();
    const sent = b.octets[2]!.length;
    b.routing.refresh(b.peers[2]!, 4);
    b.sync();
    expect([b.octets[2]!.length - sent, b.has(2, P)]).toEqual([4, ['1', '2']]);
  });

  test('hears of a peer that is removed path by path, though its numbers are given away at once', () => {
    const b = bench();
    b.announce(1, P, { attributes: attributesOf(1) });
    b.sync();
    b.routing.removePeer(b.peers[1]!);
    b.peers[1] = b.routing.addPeer({ ...b.peers[1]!.settings });
    b.up(1);
    b.announce(1, '10.0.1.0/24', { attributes: attributesOf(2) });
    b.sync();
    expect([b.has(2, P), b.has(2, '10.0.1.0/24')]).toEqual([[], ['2']]);
    expect(b.held()).toEqual([0, 0, 0]);
  });
});
