import { describe, expect, test } from 'vitest';
import { advertisements, explainRoute } from '../../../bird/explain/route.ts';
import { explainPrefix } from '../../../bird/routing/explain.ts';
import { parsePrefix } from '../../../src/model/ip.ts';
import { attributesOf, RoutingBench } from '../../support/routing-bench.ts';

const P = '10.0.0.0/24';

test('a prefix is explained: every path as received and as used, the selection, and what each peer hears of each path', () => {
  const b = new RoutingBench([
    { address: '10.9.0.2', session: { addPath: { send: false, receive: true } } },
    {
      address: '10.9.0.3',
      remoteAsn: 65003,
      importFilters: [{ name: 'no-4', rules: [{ family: 4, action: 'reject', match: { community: 4 } }] }],
    },
    {
      address: '10.9.0.4',
      remoteAsn: 65004,
      exportFilters: [{ name: 'no-2', rules: [{ family: 4, action: 'reject', match: { community: 2 } }] }],
      session: { addPath: { send: true, receive: false } },
    },
  ]);
  b.announce(0, P, { attributes: attributesOf(1), pathId: 7 });
  b.announce(0, P, { attributes: attributesOf(2), pathId: 8 });
  b.announce(1, P, { attributes: attributesOf(4) });
  b.sync();
  const found = explainPrefix(b.routing, parsePrefix(P))!;
  expect(found.paths.map(({ peer, lane, pathId, rejectedBy }) => [peer?.index, lane, pathId, rejectedBy])).toEqual([
    [1, 0, 7, undefined],
    [1, 1, 8, undefined],
    [2, 0, undefined, 'rejected by rule 1 of no-4'],
  ]);
  const [first, second] = found.paths;
  expect([found.best, found.selection?.best.source]).toEqual([first!.source, first!.source]);
  const told = found.exports.map((each) => [
    each.peer.index,
    each.source,
    each.kind === 'send'
      ? [each.pathId, each.attributes.asPath?.[0]?.asns.length, each.told !== undefined]
      : each.reason,
  ]);
  expect(told).toEqual([
    [1, first!.source, 'it came from this peer'],
    [1, second!.source, 'it came from this peer'],
    [2, first!.source, [undefined, 2, true]],
    [2, second!.source, 'it is not the best path, and the peer takes no other'],
    [3, first!.source, [first!.source + 1, 2, true]],
    [3, second!.source, 'rejected by rule 1 of no-2'],
  ]);
});

test('what waits to be sent is pending, and what nobody ever offered is not explained', () => {
  const b = new RoutingBench([{ address: '10.9.0.2' }]);
  expect(explainPrefix(b.routing, parsePrefix(P))).toBeUndefined();
  b.originate([P]);
  b.settle();
  const [one] = explainPrefix(b.routing, parsePrefix(P))!.exports;
  expect(one).toMatchObject({ kind: 'send', isPending: true, told: undefined });
  b.sync();
  expect(explainPrefix(b.routing, parsePrefix(P))!.exports[0]).toMatchObject({ isPending: false, source: 0 });
});

describe('a peer that has not heard of it yet', () => {
  const bench = (addPath: boolean) => {
    const session = addPath ? { session: { addPath: { send: true, receive: false } } } : {};
    const b = new RoutingBench([{ address: '10.9.0.2' }, { address: '10.9.0.3', remoteAsn: 65003, ...session }]);
    b.announce(0, P, { attributes: attributesOf(1) });
    b.sync();
    return b;
  };
  const heard = (b: RoutingBench) => {
    const ofPeer = (to: string): boolean => to.startsWith('10.9.0.3');
    const inOne = explainRoute(b.routing, parsePrefix(P)).advertised.filter(({ to }) => ofPeer(to));
    expect(advertisements(b.routing, b.peers[1]!)).toEqual(inOne);
    return inOne.map(({ from, outcome, reason, attributes }) => [from, outcome, reason, attributes?.asPath]);
  };

  test.each([false, true])('has a path still that policy keeps back (ADD-PATH %s)', (addPath) => {
    const b = bench(addPath);
    const rules = [{ family: 4, action: 'reject', match: { community: 1 } }] as const;
    b.adjust(1, { exportFilters: [{ name: 'none', rules }] });
    b.settle();
    expect(heard(b)).toEqual([
      ['10.9.0.2 (global)', 'waiting', 'to be withdrawn: rejected by rule 1 of none', '64512 65001'],
    ]);
    b.sync();
    expect(explainRoute(b.routing, parsePrefix(P)).advertised.at(-1)).toMatchObject({ outcome: 'kept back' });
  });

  test.each([
    [false, 'a path that is gone'],
    [true, '10.9.0.2 (global)'],
  ])('has a path still that is gone (ADD-PATH %s)', (addPath, from) => {
    const b = bench(addPath);
    b.withdraw(0, P);
    b.settle();
    expect(heard(b)).toEqual([[from, 'waiting', 'to be withdrawn: the path is gone', '64512 65001']]);
    b.sync();
    expect(explainRoute(b.routing, parsePrefix(P)).verdict).toContain('nobody has told');
  });
});
