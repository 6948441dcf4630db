/** Calico's confd scenarios about who peers with whom: resources in, settings of peers out. */
import { describe, expect, test } from 'vitest';
import { parseIpAddress } from '../../../src/model/ip.ts';
import type { AnyResource } from '../../../src/resources/index.ts';
import { resource } from '../../support/resources.ts';
import { config, noMesh, peer, peerLine } from './bgp-resources.ts';
import { exported, filter, node, nodes, peerAt, peersOf, v4Nodes, verdict } from './calico-cluster.ts';

const lines = (resources: readonly AnyResource[], name = 'kube-master'): readonly string[] =>
  peersOf(name, resources).peers.map(peerLine);

describe('explicit_peering', () => {
  test('global: ports of the cluster and of the peer, no source address, the larger address is dialled by the smaller’s peer', () => {
    const resources = [
      config({ nodeToNodeMeshEnabled: false, asNumber: 64_567, listenPort: 150 }),
      ...v4Nodes(),
      resource('Node', 'kube-node-0', { bgp: { ipv4Address: '10.192.0.1/16' } }),
      peer('bgppeer-1', { peerIP: '10.192.0.3', asNumber: 64_567, sourceAddress: 'None' }),
      peer('bgppeer-2', { peerIP: '10.192.0.1:166', asNumber: 64_567 }),
      peer('bgppeer-3', { peerIP: '10.192.0.1', asNumber: 64_567 }),
    ];
    expect(lines(resources)).toEqual([
      '10.192.0.3:150 AS 64567 global, passive, local AS 64567',
      '10.192.0.1:166 AS 64567 global, local AS 64567',
      '10.192.0.1:150 AS 64567 global, local AS 64567',
    ]);
    const [first, second] = peersOf('kube-master', resources).peers;
    expect(first).not.toHaveProperty('localAddress');
    expect(second?.localAddress).toEqual(parseIpAddress('10.192.0.2'));
  });

  test('global-external: a node and a stranger on one address, by port', () => {
    const resources = [
      noMesh,
      ...v4Nodes(),
      peer('node', { peerIP: '10.192.0.3', asNumber: 64_512 }),
      peer('stranger', { peerIP: '10.192.0.3:200', asNumber: 64_600 }),
      peer('outside', { peerIP: '40.0.0.1', asNumber: 64_600 }),
    ];
    expect(lines(resources)).toEqual([
      '10.192.0.3:179 AS 64512 global, passive',
      '40.0.0.1:179 AS 64600 global',
      '10.192.0.3:200 AS 64600 global, passive',
    ]);
  });

  test('global-ipv6: by IPv6 addresses', () => {
    const resources = [
      noMesh,
      ...nodes(),
      peer('a', { peerIP: '2001::103', asNumber: 64_512 }),
      peer('b', { peerIP: '[2001::aa]:500', asNumber: 64_590 }),
    ];
    expect(lines(resources)).toEqual(['[2001::103]:179 AS 64512 global, passive', '[2001::aa]:500 AS 64590 global']);
    expect(peersOf('kube-master', resources).peers.map(({ families }) => families)).toEqual([[6], [6]]);
  });

  test('specific_node: for one node, within and outside of the AS; nobody waits', () => {
    const resources = [
      noMesh,
      ...v4Nodes(),
      peer('bgppeer-1', { peerIP: '10.192.0.3', asNumber: 64_512, node: 'kube-master' }),
      peer('bgppeer-2', { peerIP: '10.192.0.4', asNumber: 64_566, node: 'kube-master' }),
    ];
    expect(lines(resources)).toEqual([
      '10.192.0.3:179 AS 64512 node specific',
      '10.192.0.4:179 AS 64566 node specific',
    ]);
    expect(lines(resources, 'kube-node-1')).toEqual(['10.192.0.2:179 AS 64512 node specific']);
    // The AS number is not the node's: no session could come up, and none is expected.
    expect(lines(resources, 'kube-node-2')).toEqual([]);
  });

  test('selectors, step2: the port that a peer listens on, set and gone', () => {
    const grouped = [
      node('kube-master', { labels: { group: 'one' } }),
      node('kube-node-1', { labels: { group: 'two' } }),
      node('kube-node-2', { labels: { group: 'two' } }),
      peer('bgppeer-1', { nodeSelector: "group=='one'", peerSelector: "group=='two'" }),
    ];
    const at = (port: number): readonly string[] => [
      `10.192.0.3:${port} AS 64512 node specific`,
      `[2001::103]:${port} AS 64512 node specific`,
      '10.192.0.4:179 AS 64512 node specific',
      '[2001::104]:179 AS 64512 node specific',
    ];
    expect(lines([noMesh, config({ listenPort: 500 }, 'node.kube-node-1'), ...grouped])).toEqual(at(500));
    expect(lines([noMesh, ...grouped])).toEqual(at(179));
  });

  const reflector = (changes: object = {}): readonly AnyResource[] => [
    config({ nodeToNodeMeshEnabled: false }),
    node('kube-master', { labels: { routeReflector: 'true' }, bgp: { routeReflectorClusterID: '10.0.0.1' } }),
    node('kube-node-1'),
    node('kube-node-2'),
    resource('IPPool', 'ippool-1', { cidr: '192.168.0.0/16' }),
    resource('IPPool', 'private', { cidr: '192.170.0.0/16', disableBGPExport: true }),
    resource('IPPool', 'six', { cidr: 'fd00:1::/64' }),
    peer('bgppeer-1', { peerIP: '172.19.4.87', asNumber: 64_533, nodeSelector: 'has(routeReflector)', ...changes }),
    peer('bgppeer-v6', { peerIP: '[ac13::57]:50', asNumber: 64_533, nodeSelector: 'has(routeReflector)', ...changes }),
    peer('others', { nodeSelector: 'has(routeReflector)', peerSelector: '!has(routeReflector)' }),
  ];

  test('route_reflector: the nodes are clients, the switch is not', () => {
    expect(lines(reflector())).toEqual([
      '172.19.4.87:179 AS 64533 node specific',
      '[ac13::57]:50 AS 64533 node specific',
      '10.192.0.3:179 AS 64512 node specific, client',
      '[2001::103]:179 AS 64512 node specific, client',
      '10.192.0.4:179 AS 64512 node specific, client',
      '[2001::104]:179 AS 64512 node specific, client',
    ]);
    expect(lines(reflector(), 'kube-node-1')).toEqual([
      '10.192.0.2:179 AS 64512 node specific',
      '[2001::102]:179 AS 64512 node specific',
    ]);
  });

  test('route_reflector, TestBGPAdvertRR: the switch is told the nodes’ routes within the pools, and nothing else of theirs', () => {
    const tor = peerAt('172.19.4.87', reflector());
    const told = (prefix: string): string => verdict(exported(tor, { prefix, from: 'iBGP' }, 9));
    expect(told('192.168.7.0/26')).toBe('accepted');
    expect(told('192.168.7.5/32')).toBe('accepted');
    expect(told('192.170.7.0/26')).toBe('a node passes nothing on between ASes');
    expect(told('0.0.0.0/0')).toBe('a node passes nothing on between ASes');
    const six = peerAt('ac13::57', reflector());
    expect(verdict(exported(six, { prefix: 'fd00:1::/122', from: 'iBGP' }, 9))).toBe('accepted');
    // Within the AS reflection is what decides, and a node that reflects nothing passes nothing on.
    expect(peerAt('10.192.0.3', reflector())).not.toHaveProperty('exportFilters');
    const plain = [
      noMesh,
      ...nodes(),
      resource('IPPool', 'p', { cidr: '192.168.0.0/16' }),
      peer('t', { peerIP: '172.19.4.87', asNumber: 1 }),
    ];
    expect(peerAt('172.19.4.87', plain)).not.toHaveProperty('exportFilters');
  });

  test('route_reflector with a filter: the filter comes first, the pools behind it', () => {
    const f = filter('f', { exportV4: [{ action: 'Reject', cidr: '192.168.7.0/24', matchOperator: 'In' }] });
    const tor = peerAt('172.19.4.87', [...reflector({ filters: ['f'] }), f]);
    const told = (prefix: string): string => verdict(exported(tor, { prefix, from: 'iBGP' }, 9));
    expect([told('192.168.7.0/26'), told('192.168.8.0/26')]).toEqual(['rejected by an export filter', 'accepted']);
  });

  test('route_reflector_v6_by_ip: a client by its literal address', () => {
    const resources = [...reflector(), peer('by-ip', { node: 'kube-master', peerIP: '2001::1ff', asNumber: 64_512 })];
    expect(lines(resources)).toContain('[2001::1ff]:179 AS 64512 node specific, client');
  });

  test('keepnexthop, keepnexthop-global: kept towards the switch, of no meaning within the AS', () => {
    const kept = { keepOriginalNextHop: true };
    const tor = peerAt('172.19.4.87', reflector(kept));
    expect(tor.nextHop).toBe('keep');
    const told = exported(tor, { prefix: '192.168.7.0/26', from: 'iBGP' }, 9);
    expect(told).toMatchObject({ nextHop: Uint8Array.of(10, 192, 0, 9) });
    const global = [
      noMesh,
      ...v4Nodes(),
      peer('in', { peerIP: '10.192.0.3', asNumber: 64_512, ...kept }),
      peer('out', { peerIP: '10.192.0.77', asNumber: 64_533, ...kept }),
    ];
    expect(lines(global)).toEqual([
      '10.192.0.3:179 AS 64512 global, passive',
      '10.192.0.77:179 AS 64533 global, next hop keep',
    ]);
  });
});

describe('mesh', () => {
  test('restart-time: for every peer of the mesh', () => {
    const resources = [config({ nodeMeshMaxRestartTime: '10s' }), ...nodes()];
    expect(peersOf('kube-master', resources).peers.map((each) => each.gracefulRestartSeconds)).toEqual([
      10, 10, 10, 10,
    ]);
  });

  test('route-reflector-mesh-enabled: the mesh, and a peer for the reflector', () => {
    const resources = [
      node('kube-master'),
      node('kube-node-1', { labels: { rr: 'yes' }, bgp: { routeReflectorClusterID: '10.0.0.1' } }),
      node('kube-node-2'),
      peer('rr', { nodeSelector: 'all()', peerSelector: 'has(rr)' }),
    ];
    expect(lines(resources)).toEqual([
      '10.192.0.3:179 AS 64512 node specific',
      '[2001::103]:179 AS 64512 node specific',
      '10.192.0.4:179 AS 64512 node-to-node mesh, passive',
      '[2001::104]:179 AS 64512 node-to-node mesh, passive',
    ]);
  });

  test('TestNodeDeletion: a node that is gone is no peer any longer', () => {
    const peers = (...list: readonly AnyResource[]): number => peersOf('kube-master', list).peers.length;
    expect(peers(...nodes())).toBe(4);
    expect(peers(...nodes().slice(0, 2))).toBe(2);
  });

  test('timers and capabilities are those of Calico’s template', () => {
    const { peers } = peersOf('kube-master', [...nodes(), peer('p', { peerIP: '10.192.0.9', asNumber: 1 })]);
    expect(peers).toHaveLength(5);
    for (const each of peers) {
      expect(each).toMatchObject({
        connectDelaySeconds: 2,
        dialAtStart: true,
        connectRetrySeconds: 5,
        errorWaitSeconds: [5, 30],
        holdSeconds: 240,
        gracefulRestartSeconds: 120,
        addPath: { send: false, receive: true },
      });
    }
  });
});

test('TestIdlePeers: two BGPPeers for one address are one peering, whatever else changes', () => {
  const overlapping = [
    noMesh,
    ...v4Nodes({ 'kube-node-1': { rack: 'a' } }),
    peer('by-address', { node: 'kube-master', peerIP: '10.192.0.3', asNumber: 64_512 }),
    peer('by-label', { node: 'kube-master', peerSelector: "rack == 'a'" }),
  ];
  const touched = (i: number): readonly AnyResource[] => [
    ...overlapping,
    resource('Node', { name: 'other', labels: { touched: String(i) } }, {}),
  ];
  const all = Array.from({ length: 10 }, (_, i) => peersOf('kube-master', touched(i)).peers);
  for (const peers of all) expect(peers).toEqual(all[0]);
  expect(all[0]).toHaveLength(1);
});

describe('e2e, bgp peers without the mesh', () => {
  const names = ['kube-master', 'kube-node-1', 'kube-node-2'];
  const sessions = (resources: readonly AnyResource[]): readonly number[] =>
    names.map((name) => lines(resources, name).length);

  test('off is off; all() with all() is a mesh, and so is one BGPPeer for each ordered pair', () => {
    const hosts = v4Nodes(Object.fromEntries(names.map((name) => [name, { host: name }])));
    const pairs = names.flatMap((node) =>
      names
        .filter((other) => other !== node)
        .map((other) => peer(`${node}.${other}`, { node, peerSelector: `host == '${other}'` })),
    );
    expect(sessions([noMesh, ...hosts])).toEqual([0, 0, 0]);
    expect(sessions([noMesh, ...hosts, peer('all', { nodeSelector: 'all()', peerSelector: 'all()' })])).toEqual([
      2, 2, 2,
    ]);
    expect(sessions([noMesh, ...hosts, ...pairs])).toEqual([2, 2, 2]);
    // Each pair of BGPPeers asks for one session from both of its ends.
    for (const name of names) {
      expect(peersOf(name, [noMesh, ...hosts, ...pairs]).peers.map(({ origin }) => origin)).toEqual(
        names.filter((other) => other !== name).map((other) => `BGPPeer(${name}.${other})`),
      );
    }
  });

  const reflected = (...reflectors: readonly string[]): readonly AnyResource[] => [
    config({ nodeToNodeMeshEnabled: false, asNumber: '4294.566' }),
    ...names.map((name, i) => {
      const ipv4Address = `10.192.0.${i + 2}/16`;
      return reflectors.includes(name)
        ? resource(
            'Node',
            { name, labels: { rr: 'yes' } },
            { bgp: { ipv4Address, routeReflectorClusterID: '225.0.0.4' } },
          )
        : resource('Node', name, { bgp: { ipv4Address } });
    }),
    peer('rr', { nodeSelector: '!has(rr)', peerSelector: 'has(rr)' }),
    ...(reflectors.length > 1 ? [peer('rr-mesh', { nodeSelector: 'has(rr)', peerSelector: 'has(rr)' })] : []),
  ];

  test('in-cluster route reflectors: every other node is a client of the one, AS 4294.566', () => {
    expect(sessions(reflected('kube-master'))).toEqual([2, 1, 1]);
    expect(lines(reflected('kube-master'))).toEqual([
      '10.192.0.3:179 AS 281412150 node specific, client, local AS 281412150',
      '10.192.0.4:179 AS 281412150 node specific, client, local AS 281412150',
    ]);
  });

  test('clustered route reflectors: of one cluster they are no clients of each other; demoted, one is a client', () => {
    const two = reflected('kube-master', 'kube-node-1');
    expect(lines(two)).toEqual([
      '10.192.0.3:179 AS 281412150 node specific, local AS 281412150',
      '10.192.0.4:179 AS 281412150 node specific, client, local AS 281412150',
    ]);
    expect(sessions(two)).toEqual([2, 2, 2]);
    expect(sessions(reflected('kube-master'))).toEqual([2, 1, 1]);
    expect(sessions(reflected())).toEqual([0, 0, 0]);
  });
});
