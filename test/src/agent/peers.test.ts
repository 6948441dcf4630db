import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ComputedPeers } from '../../../src/agent/peers.ts';
import { CALICO_PEER_DEFAULTS, computePeers } from '../../../src/agent/peers.ts';
import { formatIpAddress } from '../../../src/model/ip.ts';
import type { AnyResource } from '../../../src/resources/index.ts';
import { resource, view } from '../../support/resources.ts';

interface PeerSpec {
  readonly node?: string;
  readonly nodeSelector?: string;
  readonly peerIP?: string;
  readonly peerSelector?: string;
  readonly asNumber?: number;
}

interface NodeOptions {
  readonly v6?: string;
  readonly asNumber?: number;
  readonly cluster?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

const node = (name: string, v4: string | undefined, options: NodeOptions = {}): AnyResource => {
  const { v6, asNumber, cluster, labels = {} } = options;
  const bgp = {
    ...(v4 === undefined ? {} : { ipv4Address: v4 }),
    ...(v6 === undefined ? {} : { ipv6Address: v6 }),
    ...(asNumber === undefined ? {} : { asNumber }),
    ...(cluster === undefined ? {} : { routeReflectorClusterID: cluster }),
  };
  return resource('Node', { name, labels }, Object.keys(bgp).length === 0 ? {} : { bgp });
};
const peer = (name: string, spec: object): AnyResource => resource('BGPPeer', name, spec);
const config = (spec: object, name = 'default'): AnyResource => resource('BGPConfiguration', name, spec);
const noMesh = config({ nodeToNodeMeshEnabled: false });

const of = (nodeName: string, ...resources: readonly AnyResource[]): ComputedPeers =>
  computePeers(view(...resources), nodeName, CALICO_PEER_DEFAULTS);

/** `10.0.0.2:179 AS 64512 node-to-node mesh passive` */
const lines = ({ peers }: ComputedPeers): readonly string[] =>
  peers.map(({ address, port, remoteAsn, kind, passive }) => {
    const host = address.family === 4 ? formatIpAddress(address) : `[${formatIpAddress(address)}]`;
    return `${host}:${port} AS ${remoteAsn} ${kind}${passive ? ' passive' : ''}`;
  });

const a = node('a', '10.0.0.9/24');
const b = node('b', '10.0.0.10/24');
const c = node('c', '10.0.1.1/24');

describe('the node-to-node mesh', () => {
  test('is with every other node; the address that is smaller as text waits', () => {
    expect(lines(of('a', a, b, c))).toEqual([
      '10.0.0.10:179 AS 64512 node-to-node mesh',
      '10.0.1.1:179 AS 64512 node-to-node mesh passive',
    ]);
    expect(lines(of('b', a, b, c))).toEqual([
      '10.0.0.9:179 AS 64512 node-to-node mesh passive',
      '10.0.1.1:179 AS 64512 node-to-node mesh passive',
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
        { origin: 'BGPConfiguration(default)', peer: 'node-to-node mesh', reason: 'nodeToNodeMeshEnabled is false' },
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

  test('takes a peer without an AS number of its own to have ours, as Calico does', () => {
    const own = node('own', '10.0.0.1/24', { asNumber: 65001 });
    expect(lines(of('own', own, a))).toEqual(['10.0.0.9:179 AS 65001 node-to-node mesh passive']);
    expect(lines(of('a', own, a, config({ asNumber: 64600 })))).toEqual(['10.0.0.1:179 AS 65001 node-to-node mesh']);
    expect(of('a', own, a, config({ asNumber: 64600 })).peers[0]?.localAsn).toBe(64600);
  });

  test('follows the port that a peer listens on, and the restart time of the mesh', () => {
    const settings = [
      config({ listenPort: 177, nodeMeshMaxRestartTime: '10s' }),
      config({ listenPort: 500 }, 'node.c'),
    ];
    const computed = of('a', a, b, c, ...settings);
    expect(lines(computed)).toEqual([
      '10.0.0.10:177 AS 64512 node-to-node mesh',
      '10.0.1.1:500 AS 64512 node-to-node mesh passive',
    ]);
    expect(computed.peers.map((p) => p.gracefulRestartSeconds)).toEqual([10, 10]);
  });
});

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
    expect(lines(of('z', a, b, other, noMesh, ...peers))).toEqual(['10.0.0.10:179 AS 64512 global passive']);
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
      '10.0.0.9:179 AS 64512 node specific',
      '10.0.0.2:179 AS 64512 node specific',
      '[fd00::2]:179 AS 64512 node specific',
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
    ['10.0.0.1', 65001, ['10.0.0.9:179 AS 64512 node specific', '10.0.0.2:179 AS 64512 node specific']],
    ['10.0.0.1:179', 65001, ['10.0.0.9:179 AS 64512 node specific', '10.0.0.2:179 AS 64512 node specific']],
    ['10.0.0.1:180', 65001, []],
    ['10.0.0.1', 65002, []],
    ['fd00::1', 65001, ['[fd00::2]:179 AS 64512 node specific']],
  ])('expects those that name it by %s and AS %d', (peerIP, asNumber, expected) => {
    expect(lines(of('tor', tor, dual, a, noMesh, peer('p', { peerIP, asNumber })))).toEqual(expected);
  });

  test('expects the AS number that the near side shows', () => {
    const spec = { node: 'a', peerIP: '10.0.0.1', asNumber: 65001, localASNumber: 65077 };
    expect(lines(of('tor', tor, a, noMesh, peer('p', spec)))).toEqual(['10.0.0.9:179 AS 65077 node specific']);
    expect(of('a', tor, a, noMesh, peer('p', spec)).peers[0]?.localAsn).toBe(65077);
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

describe('for every cluster', () => {
  test('a node that is not registered has no peers', () => {
    expect(of('gone', a, b)).toEqual({
      peers: [],
      omitted: [{ origin: 'Node(gone)', peer: 'every peer', reason: 'the node is not registered' }],
      incomplete: [],
    });
  });

  const names = ['n1', 'n2', 'n3', 'n4'] as const;
  const cluster = fc
    .record({
      nodes: fc.tuple(
        ...names.map((name, i) =>
          fc
            .record({
              asNumber: fc.constantFrom(64512, 65001),
              cluster: fc.constantFrom(undefined, '1.0.0.1'),
              rack: fc.constantFrom('a', 'b'),
            })
            .map(({ asNumber, cluster: id, rack }) =>
              node(name, `10.0.0.${8 + i}/24`, {
                asNumber,
                labels: { rack },
                ...(id === undefined ? {} : { cluster: id }),
              }),
            ),
        ),
      ),
      peers: fc.array(
        fc.constantFrom<PeerSpec>(
          { peerIP: '10.9.0.1', asNumber: 65000 },
          { nodeSelector: "rack == 'a'", peerSelector: "rack == 'b'" },
          { node: 'n1', peerIP: '10.0.0.10' },
          { peerSelector: 'all()' },
          { peerIP: '10.0.0.9:179' },
        ),
        { maxLength: 4 },
      ),
    })
    .map(({ nodes, peers }) => [...nodes, ...peers.map((spec, i) => peer(`p${i}`, withAsnOf(nodes, spec)))]);

  /** A BGPPeer with another AS number than its node's is one-sided, and comes up nowhere. */
  function withAsnOf(
    nodes: readonly AnyResource[],
    spec: { readonly peerIP?: string; readonly asNumber?: number },
  ): object {
    if (spec.peerIP === undefined || spec.asNumber !== undefined) return spec;
    const address = spec.peerIP.replace(/:.*/, '');
    const owner = [...view(...nodes).Node.values()].find((one) => one.spec.bgp?.ipv4Address === `${address}/24`);
    return { ...spec, asNumber: owner?.spec.bgp?.asNumber };
  }

  test('the order in which the datastore told of the resources decides nothing', () => {
    const shuffled = cluster.chain((list) =>
      fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })),
    );
    fc.assert(
      fc.property(shuffled, ([list, other]) => {
        for (const name of names) expect(of(name, ...other)).toEqual(of(name, ...list));
      }),
    );
  });

  test('two nodes of the cluster either both have a session, or neither has; and one of them dials', () => {
    fc.assert(
      fc.property(cluster, (list) => {
        const sessions = names.flatMap((name, i) =>
          of(name, ...list)
            .peers.filter(({ address }) => address.words[0]! >>> 16 === 0x0a00)
            .map((p) => ({ from: i, to: (p.address.words[0]! & 255) - 8, passive: p.passive })),
        );
        for (const { from, to, passive } of sessions) {
          const back = sessions.find((other) => other.from === to && other.to === from);
          expect(back).toBeDefined();
          expect(passive && back?.passive).toBe(false);
        }
      }),
    );
  });
});
