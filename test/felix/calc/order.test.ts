/** The plan is a function of its inputs: the order in which lists come decides nothing, not even a word of a reason. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { planRoutes } from '../../../felix/calc/routes.ts';
import { planTunnelPeers, planTunnels } from '../../../felix/calc/tunnels.ts';
import type { DataplaneInputs, LocalEndpoint } from '../../../felix/inputs.ts';
import { parseIpAddress, parsePrefix } from '../../../src/model/ip.ts';
import { dualA1, dualA2, dualB1, host, inputs, learned, node, nodeB2, pool } from '../../support/dataplane-inputs.ts';
import { routeText } from '../../support/route-text.ts';

const endpoint = (address: string, interfaceName: string, name = 'default/pod'): LocalEndpoint => ({
  name,
  interfaceName,
  addresses: [parseIpAddress(address)],
});

/** Every kind of conflict that the datastore can hold: two pools, nodes, pods, blocks or routes with one key. */
const full = inputs({
  local: dualA1,
  nodes: [
    dualA2,
    dualB1,
    nodeB2,
    node('node-b2-again', '172.30.2.12/24', { vxlan: '192.168.5.2' }),
    node('node-b0', '172.30.2.13/24'),
    node('node-c1', '172.30.2.14/24', { vxlan: '192.168.7.2' }),
  ],
  pools: [
    pool('192.168.0.0/16', { ipip: 'CrossSubnet' }),
    pool('192.168.0.0/16', { vxlan: 'Always' }, 'o'),
    pool('192.168.128.0/17', { vxlan: 'Always' }, 'q'),
    pool('10.0.0.0/8', {}, 'r'),
    pool('fd10::/48', { vxlan: 'CrossSubnet' }, 's'),
    pool('fd11::/48', {}, 't'),
  ],
  localBlocks: ['192.168.1.0/26', '192.168.1.64/26', '192.168.1.0/24', '192.168.1.0/26', 'fd10::40/122'].map((text) =>
    parsePrefix(text),
  ),
  lentAddresses: ['192.168.1.7', '192.168.1.70'].map((text) => parseIpAddress(text)),
  endpoints: [
    ...['192.168.1.5', '192.168.1.6', '192.168.1.5', '192.168.1.5'].map((text, i) => endpoint(text, `cali${i}`)),
    endpoint('192.168.1.5', 'cali0', 'default/another'),
    endpoint('fd10::45', 'cali0'),
  ],
  peerGateways: [
    ['10.9.9.9', '172.30.1.1'],
    ['10.9.9.9', '172.30.1.2'],
    ['172.31.9.1', '172.30.1.3'],
    ['192.168.1.5', '172.30.1.1'],
  ].map(([peer, gateway], i) => ({
    ...{ peer: parseIpAddress(peer!), gateway: parseIpAddress(gateway!), origin: `BGPPeer(p${i})` },
  })),
  learned: [
    learned('192.168.2.0/26', '172.30.1.12', '172.30.2.11'),
    learned('10.2.0.0/24', '10.9.9.9'),
    learned('192.168.2.0/26', '172.30.2.12'),
    { ...learned('192.168.2.0/26', '172.30.2.14'), learnedFrom: '172.30.2.12' },
    learned('192.168.1.0/28', '172.30.1.1'),
    learned('192.168.6.0/26', '172.30.2.12'),
    { ...learned('192.168.6.0/26', '172.30.2.14'), learnedFrom: '172.30.2.12' },
    learned('192.168.1.7/32', '172.30.1.1'),
    learned('192.168.200.0/26', '172.30.2.12', '172.30.1.12'),
    learned('10.1.0.0/24', '172.31.9.1', '172.30.2.11'),
    learned('172.31.9.0/24', '172.30.1.254'),
    learned('172.31.9.0/24', '172.30.1.253'),
    learned('0.0.0.0/0', '172.30.1.1'),
    learned('fd10::80/122', 'fd00:30:1::12'),
    learned('fd10::c0/122', 'fd00:30:2::11', 'fd00:30:1::12'),
    { ...learned('10.7.0.0/16', 'fe80::2', 'fe80::1'), interfaces: ['eth0', 'cali0'] },
  ],
});

const words = {
  up: ['tunl0', 'vxlan.calico', 'vxlan-v6.calico', 'cali0', 'cali1', 'cali2', 'cali3'],
  ipv6: true,
} as const;
const settings = { ipipMtu: 0, vxlanMtu: 0, vxlanVni: 4096, vxlanPort: 4789 };

const shown = (some: DataplaneInputs): object => ({
  routes: [...planRoutes(some, host(words))]
    .map(({ route, unresolved, isRefused }) =>
      [routeText(route), route.class, route.reason, route.pool, unresolved, isRefused].join(' | '),
    )
    .sort(),
  peers: planTunnelPeers(some),
  tunnels: planTunnels(some, host(words), settings),
});

test('the order in which inputs are listed does not matter', () => {
  const shuffled = <T>(list: readonly T[]): fc.Arbitrary<readonly T[]> =>
    fc.shuffledSubarray([...list], { minLength: list.length });
  const turned = full.learned.map((route) => ({
    ...route,
    nextHops: route.nextHops.toReversed(),
    ...(route.interfaces && { interfaces: route.interfaces.toReversed() }),
  }));
  const permuted = fc.record({
    nodes: shuffled(full.nodes),
    pools: shuffled(full.pools),
    localBlocks: shuffled(full.localBlocks),
    lentAddresses: shuffled(full.lentAddresses ?? []),
    endpoints: shuffled(full.endpoints),
    peerGateways: shuffled(full.peerGateways ?? []),
    learned: fc.oneof(shuffled(full.learned), shuffled(turned)),
  });
  const wanted = shown(full);
  fc.assert(
    fc.property(permuted, (lists) => {
      expect(shown({ ...full, ...lists })).toEqual(wanted);
    }),
    { numRuns: 200 },
  );
});

test('what is listed twice is as if it were listed once, but for the pods and routes that say so', () => {
  const { nodes, pools, localBlocks, lentAddresses = [] } = full;
  const twice = {
    nodes: [...nodes, ...nodes],
    pools: [...pools, ...pools],
    localBlocks: [...localBlocks, ...localBlocks],
    lentAddresses: [...lentAddresses, ...lentAddresses],
  };
  const { routes } = shown({ ...full, ...twice }) as { readonly routes: readonly string[] };
  expect(routes).toEqual((shown(full) as { readonly routes: readonly string[] }).routes);
});
