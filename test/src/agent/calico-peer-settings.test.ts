/** Calico's confd scenarios about what a BGPPeer says of its session: resources in, settings of peers out. */
import { describe, expect, test } from 'vitest';
import type { PeerInputs } from '../../../src/agent/peers.ts';
import { formatIpAddress } from '../../../src/model/ip.ts';
import type { AnyResource } from '../../../src/resources/index.ts';
import { config, noMesh, peer } from './bgp-resources.ts';
import { exported, filter, node, nodes, peerAt, peersOf, v4Nodes } from './calico-cluster.ts';

describe('explicit_peering', () => {
  test.each([
    ['local-as', '10.192.0.3', '10.192.0.4', { node: 'kube-master' }],
    ['local-as-global', '10.192.0.3', '10.192.0.4', {}],
    ['local-as-ipv6', '2001::103', '2001::104', { node: 'kube-master' }],
    ['local-as-global-ipv6', '2001::103', '2001::104', {}],
  ])('%s: another AS of our own, and how often it may come back', (...[, inside, outside, where]) => {
    const resources = [
      noMesh,
      ...nodes(),
      peer('bgppeer-1', {
        ...where,
        peerIP: inside,
        asNumber: 64_512,
        localASNumber: 65_000,
        numAllowedLocalASNumbers: 1,
      }),
      peer('bgppeer-2', { ...where, peerIP: outside, asNumber: 65_000, localASNumber: 65_000 }),
    ];
    const first = peerAt(inside, resources);
    const second = peerAt(outside, resources);
    expect(first).toMatchObject({ localAsn: 65_000, allowOwnAsn: 1 });
    expect(second).toMatchObject({ localAsn: 65_000, allowOwnAsn: 0 });
    // The same AS or not is a matter of the AS that we show.
    const prefix = inside.includes('.') ? '192.168.0.0/26' : 'fd00::/122';
    expect(exported(first, { prefix })).toMatchObject({ asPath: [{ type: 'sequence', asns: [65_000] }] });
    expect(exported(second, { prefix })).toMatchObject({ asPath: [], localPref: 100 });
  });
});

describe('next_hop_mode', () => {
  test.each([
    ['Self', 'self'],
    ['Keep', 'keep'],
    ['Auto', 'auto'],
    [undefined, 'auto'],
  ])('global_peers, route_reflectors: %s', (nextHopMode, expected) => {
    const mode = nextHopMode === undefined ? {} : { nextHopMode };
    const resources = [
      noMesh,
      node('kube-master', { bgp: { routeReflectorClusterID: '10.0.0.1' } }),
      node('kube-node-1'),
      peer('out', { peerIP: '10.192.0.77', asNumber: 64_533, ...mode }),
      peer('in', { node: 'kube-master', peerIP: '10.192.0.3', asNumber: 64_512, ...mode }),
    ];
    expect(peerAt('10.192.0.77', resources).nextHop).toBe(expected);
    expect(peerAt('10.192.0.3', resources).nextHop).toBe(expected);
  });
});

describe('reverse_peering', () => {
  const forward = (spec: object = {}): readonly AnyResource[] => [
    noMesh,
    node('kube-master', { labels: { role: 'tor' } }),
    node('kube-node-1'),
    filter('f', { importV4: [{ action: 'Reject' }], exportV6: [{ action: 'Accept' }] }),
    peer('to-tor', {
      nodeSelector: '!has(role)',
      peerSelector: "role == 'tor'",
      filters: ['f'],
      ttlSecurity: 3,
      maxRestartTime: '10s',
      keepaliveTime: '3s',
      nextHopMode: 'Self',
      password: { secretKeyRef: { name: 'bgp', key: 'tor' } },
      ...spec,
    }),
  ];
  const passwords: PeerInputs['passwords'] = ({ name, key }) => ({ password: `${name}/${key}` });

  test('auto: the far side has the filters, the password, the TTL and the timers, too', () => {
    const { peers } = peersOf('kube-master', forward(), { passwords });
    expect(peers.map(({ origin }) => origin)).toEqual(['BGPPeer(to-tor), reverse', 'BGPPeer(to-tor), reverse']);
    for (const each of [...peers, ...peersOf('kube-node-1', forward(), { passwords }).peers]) {
      expect(each).toMatchObject({
        ttlSecurityHops: 3,
        password: 'bgp/tor',
        gracefulRestartSeconds: 10,
        keepaliveSeconds: 3,
        nextHop: 'self',
      });
      const direction = each.families[0] === 4 ? 'importFilters' : 'exportFilters';
      expect(each[direction]).toMatchObject([{ name: 'BGPFilter(f)', rules: [{ family: each.families[0] }] }]);
    }
  });

  test('manual: there is no far side', () => {
    expect(peersOf('kube-master', forward({ reversePeering: 'Manual' }), { passwords }).peers).toEqual([]);
  });
});

describe('ttl_security', () => {
  const hops = (...resources: readonly AnyResource[]) =>
    peersOf('kube-master', [noMesh, ...v4Nodes({ 'kube-node-1': { rack: 'a' } }), ...resources]).peers.map(
      ({ ttlSecurityHops }) => ttlSecurityHops,
    );

  test.each([
    ['explicit_node', { node: 'kube-master', peerIP: '10.192.0.3', asNumber: 64_512 }],
    ['global', { peerIP: '10.192.0.77', asNumber: 64_512 }],
    ['peer_selector', { node: 'kube-master', peerSelector: "rack == 'a'" }],
  ])('%s: as many hops as it says; none and 0 are off', (_, spec) => {
    expect(hops(peer('p', { ...spec, ttlSecurity: 1 }))).toEqual([1]);
    expect(hops(peer('p', { ...spec, ttlSecurity: 255 }))).toEqual([255]);
    expect(hops(peer('p', { ...spec, ttlSecurity: 0 }))).toEqual([undefined]);
    expect(hops(peer('p', spec))).toEqual([undefined]);
  });
});

describe('password', () => {
  const secret = (key: string) => ({ password: { secretKeyRef: { name: 'my-secrets', key } } });
  const resources = [
    noMesh,
    ...v4Nodes(),
    peer('bgppeer-1', { node: 'kube-master', peerIP: '10.192.0.3', asNumber: 64_512, ...secret('a') }),
    peer('bgppeer-2', { node: 'kube-master', peerIP: '10.192.0.4', asNumber: 64_512, ...secret('b') }),
    peer('bgppeer-3', { node: 'kube-master', peerIP: '10.192.0.5', asNumber: 64_512 }),
  ];
  const at = (secrets: Readonly<Record<string, string>>, list: readonly AnyResource[] = resources) => {
    const passwords: PeerInputs['passwords'] = ({ key }) => {
      const password = secrets[key];
      return password === undefined ? { missing: `my-secrets/${key} does not exist` } : { password };
    };
    const { peers, omitted } = peersOf('kube-master', list, { passwords });
    return {
      peers: peers.map((each) => `${formatIpAddress(each.address)} ${each.password ?? '-'}`),
      omitted: omitted.filter(({ reason }) => !reason.includes('Mesh')).map((each) => `${each.peer} ${each.reason}`),
    };
  };
  const without = (key: string): string =>
    `my-secrets/${key} does not exist; without its password the session would not be protected`;

  test('step1-6: partial keys, all, another value, a key gone, the secret gone', () => {
    expect(at({ a: 'one' })).toEqual({
      peers: ['10.192.0.3 one', '10.192.0.5 -'],
      omitted: [`10.192.0.4 ${without('b')}`],
    });
    expect(at({ a: 'one', b: 'two' }).peers).toEqual(['10.192.0.3 one', '10.192.0.4 two', '10.192.0.5 -']);
    expect(at({ a: 'one', b: 'three' }).peers).toContain('10.192.0.4 three');
    expect(at({})).toEqual({
      peers: ['10.192.0.5 -'],
      omitted: [`10.192.0.3 ${without('a')}`, `10.192.0.4 ${without('b')}`],
    });
  });

  test('mesh/password/step1-3: of the whole mesh', () => {
    const mesh = [config({ nodeMeshPassword: { secretKeyRef: { name: 'my-secrets', key: 'a' } } }), ...v4Nodes()];
    expect(at({ a: 'one' }, mesh).peers).toEqual(['10.192.0.3 one', '10.192.0.4 one']);
    expect(at({}, mesh)).toEqual({ peers: [], omitted: [`10.192.0.3 ${without('a')}`, `10.192.0.4 ${without('a')}`] });
  });

  test('a claim whose password is missing stands: no weaker one takes its place', () => {
    const mesh = [...v4Nodes(), peer('p', { peerIP: '10.192.0.3', asNumber: 64_512, ...secret('a') })];
    expect(at({}, mesh).peers).toEqual(['10.192.0.4 -']);
    expect(at({ a: 'one' }, mesh).peers).toEqual(['10.192.0.3 one', '10.192.0.4 -']);
  });

  test('without a place to look none is to be had', () => {
    const { peers, omitted } = peersOf('kube-master', resources);
    expect(peers).toHaveLength(1);
    expect(omitted.map(({ reason }) => reason)).toContain(
      'no Secret can be read here; without its password the session would not be protected',
    );
  });

  test('password-deadlock: 99 peers with one secret', () => {
    const many = Array.from({ length: 99 }, (_, i) =>
      peer(`p${i}`, { peerIP: `10.193.0.${i + 1}`, asNumber: 64_512, ...secret('a') }),
    );
    expect(at({ a: 'one' }, [noMesh, ...v4Nodes(), ...many]).peers).toHaveLength(99);
  });
});

test('sourceaddr_gracefulrestart/step1-3: the source address, none, and another restart time', () => {
  const step = (spec: object) => {
    const { localAddress, gracefulRestartSeconds } = peerAt('10.192.0.77', [
      noMesh,
      ...v4Nodes(),
      peer('p', { peerIP: '10.192.0.77', asNumber: 64_512, ...spec }),
    ]);
    return [localAddress === undefined ? 'none' : formatIpAddress(localAddress), gracefulRestartSeconds];
  };
  expect(step({ sourceAddress: 'UseNodeIP' })).toEqual(['10.192.0.2', 120]);
  expect(step({ sourceAddress: 'None' })).toEqual(['none', 120]);
  expect(step({ sourceAddress: 'None', maxRestartTime: '10s' })).toEqual(['none', 10]);
});
