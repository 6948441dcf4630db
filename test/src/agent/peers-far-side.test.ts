import { describe, expect, test } from 'vitest';
import { noMesh, peer } from './bgp-resources.ts';
import { a, b, c, lines, node, of } from './peers-cluster.ts';

describe('the far side of a peering', () => {
  const tor = node('tor', '10.0.0.1/24', { labels: { role: 'tor' }, v6: 'fd00::1/64', asNumber: 65001 });
  const dual = node('dual', '10.0.0.2/24', { v6: 'fd00::2/64' });

  test('expects every node that a selector points at it from, in both families', () => {
    const toTor = peer('to-tor', {
      nodeSelector: '!has(role)',
      peerSelector: "role == 'tor'",
      maxRestartTime: '10s',
      keepaliveTime: '3s',
    });
    const computed = of('tor', tor, dual, a, noMesh, toTor);
    expect(lines(computed)).toEqual([
      '10.0.0.9:179 AS 64512 node specific, local AS 65001',
      '10.0.0.2:179 AS 64512 node specific, local AS 65001',
      '[fd00::2]:179 AS 64512 node specific, local AS 65001',
    ]);
    expect(computed.peers[0]).toMatchObject({
      origin: 'BGPPeer(to-tor), reverse',
      localAsn: 65001,
      gracefulRestartSeconds: 10,
      keepaliveSeconds: 3,
      allowOwnAsn: 0,
    });
    expect(lines(of('dual', tor, dual, a, noMesh, toTor))).toEqual([
      '10.0.0.1:179 AS 65001 node specific',
      '[fd00::1]:179 AS 65001 node specific',
    ]);
  });

  test.each([
    [
      '10.0.0.1',
      65001,
      ['10.0.0.9:179 AS 64512 node specific, local AS 65001', '10.0.0.2:179 AS 64512 node specific, local AS 65001'],
    ],
    [
      '10.0.0.1:179',
      65001,
      ['10.0.0.9:179 AS 64512 node specific, local AS 65001', '10.0.0.2:179 AS 64512 node specific, local AS 65001'],
    ],
    ['10.0.0.1:180', 65001, []],
    ['10.0.0.1', 65002, []],
    ['fd00::1', 65001, ['[fd00::2]:179 AS 64512 node specific, local AS 65001']],
  ])('expects those that name it by %s and AS %d', (peerIP, asNumber, expected) => {
    expect(lines(of('tor', tor, dual, a, noMesh, peer('p', { peerIP, asNumber })))).toEqual(expected);
  });

  test('expects the AS number that the near side shows', () => {
    const spec = { node: 'a', peerIP: '10.0.0.1', asNumber: 65001, localASNumber: 65077 };
    expect(lines(of('tor', tor, a, noMesh, peer('p', spec)))).toEqual([
      '10.0.0.9:179 AS 65077 node specific, local AS 65001',
    ]);
    expect(of('a', tor, a, noMesh, peer('p', spec)).peers[0]?.localAsn).toBe(65077);
  });

  test('within one group both ends show the localASNumber, and expect it', () => {
    const group = peer('p', { nodeSelector: 'all()', peerSelector: 'all()', localASNumber: 65077 });
    for (const name of ['a', 'b']) {
      expect(of(name, a, b, noMesh, group).peers).toMatchObject([{ localAsn: 65077, remoteAsn: 65077 }]);
    }
  });

  test('chooses among BGPPeers as the near side does: the global ones first', () => {
    const global = peer('z-global', { peerSelector: "role == 'tor'", maxRestartTime: '20s' });
    const specific = peer('a-specific', { node: 'a', peerSelector: "role == 'tor'", maxRestartTime: '10s' });
    for (const name of ['a', 'tor']) {
      expect(of(name, tor, a, noMesh, global, specific).peers[0]?.gracefulRestartSeconds).toBe(20);
    }
  });

  test('is not made up where reversePeering is Manual', () => {
    const spec = { peerSelector: "role == 'tor'", reversePeering: 'Manual' };
    expect(lines(of('tor', tor, a, noMesh, peer('p', spec)))).toEqual([]);
    expect(lines(of('a', tor, a, noMesh, peer('p', spec)))[0]).toBe('10.0.0.1:179 AS 65001 global');
  });

  test('is no conflict where all peer with all', () => {
    const { peers, omitted } = of('a', a, b, c, noMesh, peer('p', { nodeSelector: 'all()', peerSelector: 'all()' }));
    expect(peers).toHaveLength(2);
    expect(omitted.map(({ origin }) => origin)).toEqual(['BGPConfiguration(default)']);
  });
});
