import { expect, test } from 'vitest';
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
