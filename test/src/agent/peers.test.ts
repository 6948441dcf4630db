import { describe, expect, test } from 'vitest';
import { config, noMesh, peer } from './bgp-resources.ts';
import { a, b, lines, node, of } from './peers-cluster.ts';

describe('BGPPeers', () => {
  test('are for all nodes, for one, or for those that a selector picks', () => {
    const rackA = node('r', '10.0.0.3/24', { labels: { rack: 'a' } });
    const peers = [
      peer('all', { peerIP: '10.1.0.1', asNumber: 65000 }),
      peer('for-a', { node: 'a', peerIP: '10.1.0.2:1790', asNumber: 65001 }),
      peer('rack-a', { nodeSelector: "rack == 'a'", peerIP: '10.1.0.3', asNumber: 64512 }),
    ];
    expect(lines(of('a', a, rackA, noMesh, ...peers))).toEqual([
      '10.1.0.1:179 AS 65000 global',
      '10.1.0.2:1790 AS 65001 node specific',
    ]);
    expect(lines(of('r', a, rackA, noMesh, ...peers))).toEqual([
      '10.1.0.1:179 AS 65000 global',
      '10.1.0.3:179 AS 64512 node specific',
    ]);
    expect(of('a', a, noMesh, ...peers).peers.map(({ origin }) => origin)).toEqual(['BGPPeer(all)', 'BGPPeer(for-a)']);
  });

  test('with one address and several ports are several peers; the first to name a port has it', () => {
    const peers = [
      peer('x-150', { peerIP: '10.1.0.1:150', asNumber: 65000 }),
      peer('x-166', { peerIP: '10.1.0.1:166', asNumber: 65000 }),
      peer('a-mine', { node: 'a', peerIP: '10.1.0.1:166', asNumber: 65009 }),
    ];
    const computed = of('a', a, noMesh, ...peers);
    expect(lines(computed)).toEqual(['10.1.0.1:150 AS 65000 global', '10.1.0.1:166 AS 65000 global']);
    expect(computed.omitted).toContainEqual({
      origin: 'BGPPeer(a-mine)',
      peer: '10.1.0.1',
      reason: 'BGPPeer(x-166) already peers with this address on port 166',
    });
  });

  test('are stronger than the mesh', () => {
    const computed = of(
      'a',
      a,
      b,
      peer('p', { node: 'a', peerIP: '10.0.0.10', asNumber: 64512, maxRestartTime: '1m' }),
    );
    expect(lines(computed)).toEqual(['10.0.0.10:179 AS 64512 node specific']);
    expect(computed.peers[0]?.gracefulRestartSeconds).toBe(60);
    expect(computed.omitted[0]?.reason).toBe('BGPPeer(p) already peers with this address on port 179');
  });

  test('never make a node peer with itself', () => {
    const computed = of('a', a, noMesh, peer('p', { peerIP: '10.0.0.9', asNumber: 64512 }));
    expect(computed.peers).toEqual([]);
    expect(computed.omitted).toContainEqual({
      origin: 'BGPPeer(p)',
      peer: '10.0.0.9',
      reason: "is this node's own address",
      isMeant: true,
    });
  });

  test('need an address of their family on this node', () => {
    const computed = of('a', a, noMesh, peer('p', { peerIP: 'fd00::1', asNumber: 65000 }));
    expect(computed.omitted).toContainEqual({
      origin: 'BGPPeer(p)',
      peer: 'fd00::1',
      reason: 'this node has no IPv6 address',
    });
  });

  test('that name nobody are told of', () => {
    expect(of('a', a, noMesh, peer('p', { node: 'a' })).omitted).toContainEqual({
      origin: 'BGPPeer(p)',
      peer: 'every peer',
      reason: 'neither peerIP nor peerSelector is set',
    });
  });

  test('that are global wait for a node of the cluster with a larger address', () => {
    const peers = [10, 1].map((last) =>
      peer(`p${last}`, { peerIP: `10.0.0.${last}`, asNumber: 64512, reversePeering: 'Manual' }),
    );
    const other = node('z', '10.0.0.1/24');
    expect(lines(of('z', a, b, other, noMesh, ...peers))).toEqual(['10.0.0.10:179 AS 64512 global, passive']);
    expect(lines(of('b', a, b, other, noMesh, ...peers))).toEqual(['10.0.0.1:179 AS 64512 global']);
    const specific = peer('p', { node: 'z', peerIP: '10.0.0.10', asNumber: 64512 });
    expect(lines(of('z', b, other, noMesh, specific))).toEqual(['10.0.0.10:179 AS 64512 node specific']);
  });

  test('take the port that a node of the cluster listens on, unless they name one', () => {
    const ports = [noMesh, config({ listenPort: 500 }, 'node.b')];
    const to = (peerIP: string, asNumber: number) =>
      lines(of('a', a, b, ...ports, peer('p', { node: 'a', peerIP, asNumber })))[0];
    expect(to('10.0.0.10', 64512)).toBe('10.0.0.10:500 AS 64512 node specific');
    expect(to('10.0.0.10', 65000)).toBe('10.0.0.10:179 AS 65000 node specific');
    expect(to('10.0.0.10:179', 64512)).toBe('10.0.0.10:179 AS 64512 node specific');
  });

  test.each<[object, object]>([
    [{ nextHopMode: 'Self' }, { nextHop: 'self' }],
    [{ nextHopMode: 'Keep' }, { nextHop: 'keep' }],
    [{ nextHopMode: 'Auto' }, { nextHop: 'auto' }],
    [{ keepOriginalNextHop: true }, { nextHop: 'keep' }],
    [{ keepOriginalNextHop: true, asNumber: 64512 }, { nextHop: 'auto' }],
    [
      { keepOriginalNextHop: true, asNumber: 64512, localASNumber: 65010 },
      { nextHop: 'keep', localAsn: 65010 },
    ],
    [{ maxRestartTime: '1m30.6s' }, { gracefulRestartSeconds: 91 }],
    [{ keepaliveTime: '20s' }, { keepaliveSeconds: 20 }],
    [{ numAllowedLocalASNumbers: 2 }, { allowOwnAsn: 2 }],
    [{ sourceAddress: 'UseNodeIP' }, { localAddress: { family: 4, words: [0x0a00_0009] } }],
  ])('%j gives %j', (spec, expected) => {
    const { peers } = of('a', a, noMesh, peer('p', { peerIP: '10.1.0.1', asNumber: 65000, ...spec }));
    expect(peers[0]).toMatchObject(expected);
  });

  test('with sourceAddress None have no source address', () => {
    const { peers } = of('a', a, noMesh, peer('p', { peerIP: '10.1.0.1', asNumber: 65000, sourceAddress: 'None' }));
    expect(peers[0]).not.toHaveProperty('localAddress');
  });
});
