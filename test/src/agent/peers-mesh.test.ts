import { describe, expect, test } from 'vitest';
import { CALICO_PEER_DEFAULTS, computePeers } from '../../../src/agent/peers.ts';
import { formatIpAddress } from '../../../src/model/ip.ts';
import { view } from '../../support/resources.ts';
import { config, noMesh, peer } from './bgp-resources.ts';
import { a, b, c, lines, node, of } from './peers-cluster.ts';

describe('the node-to-node mesh', () => {
  test('is with every other node; the address that is smaller as text waits', () => {
    expect(lines(of('a', a, b, c))).toEqual([
      '10.0.0.10:179 AS 64512 node-to-node mesh',
      '10.0.1.1:179 AS 64512 node-to-node mesh, passive',
    ]);
    expect(lines(of('b', a, b, c))).toEqual([
      '10.0.0.9:179 AS 64512 node-to-node mesh, passive',
      '10.0.1.1:179 AS 64512 node-to-node mesh, passive',
    ]);
  });

  test('has the timers of Calico’s BIRD, our address as source, and no reflection', () => {
    expect(of('a', a, b).peers).toEqual([
      {
        address: { family: 4, words: [0x0a00_000a] },
        port: 179,
        kind: 'node-to-node mesh',
        origin: 'BGPConfiguration(default)',
        remoteAsn: 64512,
        localAsn: 64512,
        localAddress: { family: 4, words: [0x0a00_0009] },
        families: [4],
        passive: false,
        holdSeconds: 240,
        connectDelaySeconds: 2,
        dialAtStart: true,
        connectRetrySeconds: 5,
        errorWaitSeconds: [5, 30],
        gracefulRestartSeconds: 120,
        addPath: { send: false, receive: true },
        notificationRestart: false,
        nextHop: 'auto',
        routeReflectorClient: false,
        allowOwnAsn: 0,
      },
    ]);
  });

  test('takes the hold time that the caller’s defaults say', () => {
    const { peers } = computePeers(view(a, b), 'a', { ...CALICO_PEER_DEFAULTS, holdSeconds: 9 });
    expect(peers[0]?.holdSeconds).toBe(9);
  });

  test('is off where the configuration says so, and says so', () => {
    expect(of('a', a, b, noMesh)).toEqual({
      peers: [],
      omitted: [
        {
          origin: 'BGPConfiguration(default)',
          peer: 'node-to-node mesh',
          reason: 'nodeToNodeMeshEnabled is false',
          isMeant: true,
        },
      ],
      incomplete: [],
    });
  });

  test('leaves out route reflectors, nodes without an address and families that only one side has', () => {
    const reflector = node('rr', '10.0.0.1/24', { cluster: '1.0.0.1' });
    const nameless = node('new', undefined);
    const six = node('six', undefined, { v6: 'fd00::6/64' });
    const { peers, omitted } = of('a', a, reflector, nameless, six);
    expect(peers).toEqual([]);
    expect(omitted.map(({ peer: left, reason }) => `${left} ${reason}`)).toEqual([
      'Node(new) has no address',
      'Node(rr) is a route reflector of cluster 1.0.0.1',
      'Node(six) has no address of a family that this node has',
    ]);
    expect(of('rr', a, reflector).peers).toEqual([]);
    expect(of('rr', a, reflector).omitted[0]?.reason).toBe('this node is a route reflector of cluster 1.0.0.1');
  });

  test('is one session per family', () => {
    const d = node('d', '10.0.0.1/24', { v6: 'fd00::1/64' });
    const e = node('e', '10.0.0.2/24', { v6: 'fd00::2/64' });
    const computed = of('e', d, e);
    const { peers } = computed;
    expect(lines(computed)).toEqual([
      '10.0.0.1:179 AS 64512 node-to-node mesh',
      '[fd00::1]:179 AS 64512 node-to-node mesh',
    ]);
    expect(peers.map(({ families }) => families)).toEqual([[4], [6]]);
  });

  test('expects of each node the AS number that it shows, its own or the cluster’s', () => {
    const own = node('own', '10.0.0.1/24', { asNumber: 65001 });
    expect(lines(of('own', own, a))).toEqual(['10.0.0.9:179 AS 64512 node-to-node mesh, passive, local AS 65001']);
    expect(lines(of('a', own, a, config({ asNumber: 64600 })))).toEqual([
      '10.0.0.1:179 AS 65001 node-to-node mesh, local AS 64600',
    ]);
  });

  test('follows the port that a peer listens on, and the restart time of the mesh', () => {
    const settings = [
      config({ listenPort: 177, nodeMeshMaxRestartTime: '10s' }),
      config({ listenPort: 500 }, 'node.c'),
    ];
    const computed = of('a', a, b, c, ...settings);
    expect(lines(computed)).toEqual([
      '10.0.0.10:177 AS 64512 node-to-node mesh',
      '10.0.1.1:500 AS 64512 node-to-node mesh, passive',
    ]);
    expect(computed.peers.map((p) => p.gracefulRestartSeconds)).toEqual([10, 10]);
  });
});

describe('route reflection', () => {
  const rr = (name: string, v4: string, cluster: string) => node(name, v4, { cluster, labels: { rr: 'yes' } });
  const one = rr('rr1', '10.0.0.1/24', '1.0.0.1');
  const same = rr('rr2', '10.0.0.2/24', '1.0.0.1');
  const other = rr('rr3', '10.0.0.3/24', '1.0.0.3');
  const toReflectors = peer('rr', { nodeSelector: 'all()', peerSelector: 'has(rr)' });
  const tor = peer('tor', { peerIP: '10.9.0.1', asNumber: 65000 });

  test('makes clients of iBGP peers outside our cluster, and of them alone', () => {
    const { peers } = of('rr1', one, same, other, a, toReflectors, tor);
    expect(peers.map(({ address, routeReflectorClient }) => [formatIpAddress(address), routeReflectorClient])).toEqual([
      ['10.9.0.1', false],
      ['10.0.0.2', false],
      ['10.0.0.3', true],
      ['10.0.0.9', true],
    ]);
  });

  test('recognises a reflector of our cluster by its address, too', () => {
    const { peers } = of('rr1', one, same, peer('p', { node: 'rr1', peerIP: '10.0.0.2', asNumber: 64512 }));
    expect(peers[0]?.routeReflectorClient).toBe(false);
  });

  test('leaves the nodes that are no reflectors in their mesh', () => {
    expect(lines(of('a', one, a, b, toReflectors))).toEqual([
      '10.0.0.1:179 AS 64512 node specific',
      '10.0.0.10:179 AS 64512 node-to-node mesh',
    ]);
  });
});
