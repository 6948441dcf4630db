/** IPv6 pools, and IPv4 prefixes whose next hop is IPv6 (RFC 8950). */
import { describe, expect, test } from 'vitest';
import { planRoutes } from '../../../felix/calc/routes.ts';
import { peerLinkLocal, tunnelMac } from '../../../felix/calc/tunnel-mac.ts';
import { planTunnelPeers, planTunnels, podMtu } from '../../../felix/calc/tunnels.ts';
import type { ClusterNode, DataplaneInputs } from '../../../felix/inputs.ts';
import { formatIpAddress } from '../../../src/model/ip.ts';
import { dualA1, dualA2, dualB1, host, inputs, learned, nodeB1, pool } from '../../support/dataplane-inputs.ts';
import { programmable } from '../../support/route-text.ts';

const settings = { ipipMtu: 0, vxlanMtu: 0, vxlanVni: 4096, vxlanPort: 4789 };
const dual = (some: Partial<DataplaneInputs>): DataplaneInputs =>
  inputs({ local: dualA1, nodes: [dualA2, dualB1], ...some });
const plan = (some: Partial<DataplaneInputs>, words: Parameters<typeof host>[0] = {}) => [
  ...planRoutes(dual(some), host({ ipv6: true, ...words })),
];
const routesOf = (...args: Parameters<typeof plan>) => programmable(plan(...args));
const troubleOf = (...args: Parameters<typeof plan>) => plan(...args).map(({ unresolved }) => unresolved);

const near = learned('fd10::80/122', 'fd00:30:1::12');
const far = learned('fd10::c0/122', 'fd00:30:2::11');
const viaB1 = formatIpAddress(peerLinkLocal(tunnelMac(dualB1, 6)));

describe('IPv6 blocks of other nodes', () => {
  test('VXLAN CrossSubnet goes by our IPv6 subnet: direct within it, beyond it through vxlan-v6.calico', () => {
    const pools = [pool('fd10::/48', { vxlan: 'CrossSubnet' })];
    expect(routesOf({ pools, learned: [near, far] })).toEqual([
      'fd10::80/122 via fd00:30:1::12 dev eth0 onlink',
      `fd10::c0/122 via ${viaB1} dev vxlan-v6.calico onlink`,
    ]);
    const [first, second] = plan({ pools, learned: [near, far] });
    expect([first?.route.class, second?.route.class]).toEqual(['same-subnet', 'vxlan']);
    expect(second?.route.reason).toBe(
      'ippool p is VXLAN CrossSubnet and fd00:30:1::11/64 does not contain fd00:30:2::11, so through vxlan-v6.calico (learned from fd00:30:2::11)',
    );
  });

  test('VXLAN Always and no encapsulation', () => {
    const always = [pool('fd10::/48', { vxlan: 'Always' })];
    const viaA2 = formatIpAddress(peerLinkLocal(tunnelMac(dualA2, 6)));
    expect(routesOf({ pools: always, learned: [near] })).toEqual([
      `fd10::80/122 via ${viaA2} dev vxlan-v6.calico onlink`,
    ]);
    expect(routesOf({ pools: [pool('fd10::/48')], learned: [near, far] })).toEqual([
      'fd10::80/122 via fd00:30:1::12 dev eth0 onlink',
      'fd10::c0/122 via fd00:30:1::1 dev eth0',
    ]);
  });

  test('pools of both families and all kinds stand side by side', () => {
    const pools = [
      pool('192.168.0.0/17', { ipip: 'Always' }, 'ipip'),
      pool('192.168.128.0/17', { vxlan: 'Always' }, 'vxlan'),
      pool('10.0.0.0/8', {}, 'plain'),
      pool('fd10::/48', { vxlan: 'Always' }, 'vxlan6'),
      pool('fd11::/48', {}, 'plain6'),
    ];
    const routes = ['192.168.3.0/26', '192.168.200.0/26', '10.3.0.0/26'].map((text) => learned(text, '172.30.2.11'));
    const routes6 = [far, learned('fd11::c0/122', 'fd00:30:2::11')];
    expect(routesOf({ pools, learned: [...routes, ...routes6] })).toEqual([
      '10.3.0.0/26 via 172.30.1.1 dev eth0',
      '192.168.200.0/26 via 192.168.3.2 dev vxlan.calico onlink',
      '192.168.3.0/26 via 172.30.2.11 dev tunl0 onlink',
      `fd10::c0/122 via ${viaB1} dev vxlan-v6.calico onlink`,
      'fd11::c0/122 via fd00:30:1::1 dev eth0',
    ]);
    const plans = planTunnels(dual({ pools }), host({ ipv6: true }), settings);
    expect(plans.map(({ state }) => state)).toEqual(['wanted', 'wanted', 'wanted']);
  });

  test('a node without an IPv6 tunnel address is waited for by name', () => {
    const pools = [pool('fd10::/48', { vxlan: 'Always' })];
    const nodes = [{ ...nodeB1, ipv6: { address: dualB1.ipv6!.address } }];
    expect(troubleOf({ pools, nodes, learned: [far] })).toEqual(['node node-b1 has no VXLAN tunnel address yet']);
  });
});

test('nodes of IPv6 alone have the same ways to each other, and no IPv4 tunnel', () => {
  const alone = ({ address, ...rest }: ClusterNode): ClusterNode => (expect(address).toBeDefined(), rest);
  const some = { pools: [pool('fd10::/48', { vxlan: 'CrossSubnet' }), pool('10.0.0.0/8', { vxlan: 'Always' }, 'q')] };
  const without = inputs({
    local: alone(dualA1),
    nodes: [alone(dualA2), alone(dualB1)],
    ...some,
    learned: [near, far],
  });
  const view = host({ ipv6: true, noParent: true });
  expect(programmable([...planRoutes(without, view)])).toEqual(routesOf({ ...some, learned: [near, far] }));
  expect(planTunnelPeers(without).map(({ interfaceName }) => interfaceName)).toEqual([
    'vxlan-v6.calico',
    'vxlan-v6.calico',
  ]);
  expect(planTunnels(without, view, settings)).toMatchObject([
    { name: 'tunl0', state: 'unwanted' },
    { name: 'vxlan.calico', state: 'waiting', reason: 'this node has no IPv4 address' },
    { state: 'wanted', tunnel: { name: 'vxlan-v6.calico', mtu: 1430 } },
  ]);
});

describe('vxlan-v6.calico', () => {
  const pools = [pool('fd10::/48', { vxlan: 'CrossSubnet' })];

  test('has 70 octets less than the parent, our IPv6 tunnel address and a MAC of its own', () => {
    const [tunl0, vxlan, vxlan6] = planTunnels(dual({ pools }), host({ ipv6: true }), settings);
    expect([tunl0?.state, vxlan?.state]).toEqual(['unwanted', 'unwanted']);
    expect(vxlan6).toMatchObject({
      state: 'wanted',
      tunnel: {
        name: 'vxlan-v6.calico',
        mtu: 1430,
        address: dualA1.ipv6!.vxlanTunnelAddress,
        vxlan: { vni: 4096, port: 4789, parentIndex: 2, local: dualA1.ipv6!.address.address },
      },
    });
    expect(podMtu(dual({ pools }), 1500, settings)).toBe(1430);
  });

  test('has the MTU that is its own to set; that of vxlan.calico is another', () => {
    const mtu = (some: object): unknown =>
      planTunnels(dual({ pools }), host({ ipv6: true }), { ...settings, ...some }).find(
        ({ state }) => state === 'wanted',
      );
    expect(mtu({ vxlanMtuV6: 1300 })).toMatchObject({ tunnel: { name: 'vxlan-v6.calico', mtu: 1300 } });
    expect(mtu({ vxlanMtu: 1300 })).toMatchObject({ tunnel: { mtu: 1430 } });
    expect(podMtu(dual({ pools }), 1500, { ...settings, vxlanMtuV6: 1300 })).toBe(1300);
  });

  test('waits where this node has no IPv6 address, or no interface carries it', () => {
    const waiting = (some: Partial<DataplaneInputs>, words: Parameters<typeof host>[0]) =>
      planTunnels(dual({ pools, ...some }), host(words), settings)[2];
    const { ipv6, ...local } = dualA1;
    expect(ipv6).toBeDefined();
    expect(waiting({ local }, { ipv6: true })).toMatchObject({
      state: 'waiting',
      reason: 'this node has no IPv6 address',
    });
    expect(waiting({}, {})).toMatchObject({ state: 'waiting', reason: expect.stringContaining('fd00:30:1::11') });
  });

  test('knows each node that has an IPv6 tunnel address, by the link-local address of its MAC', () => {
    // printf node-b1-v6 | sha1sum
    expect(tunnelMac({ name: 'node-b1' }, 6)).toBe('66:b7:77:d5:ee:af');
    expect(formatIpAddress(peerLinkLocal('66:b7:77:d5:ee:af'))).toBe('fe80::64b7:77ff:fed5:eeaf');
    const peers = planTunnelPeers(dual({ pools, nodes: [dualB1, dualA2, nodeB1] }));
    expect(peers.map(({ interfaceName, remote }) => [interfaceName, formatIpAddress(remote)])).toEqual([
      ['vxlan-v6.calico', 'fd00:30:1::12'],
      ['vxlan-v6.calico', 'fd00:30:2::11'],
    ]);
  });
});

describe('an IPv4 route with an IPv6 next hop', () => {
  const words = { routes: ['fd00:9::/64 via fd00:30:1::254 dev eth0'] };

  test('goes through the neighbour, or the gateway that leads to the next hop', () => {
    const routes = [learned('10.0.0.0/8', 'fd00:30:1::253'), learned('10.9.0.0/16', 'fd00:9::1')];
    expect(routesOf({ learned: routes }, words)).toEqual([
      '10.0.0.0/8 via fd00:30:1::253 dev eth0',
      '10.9.0.0/16 via fd00:30:1::254 dev eth0',
    ]);
  });

  test('goes over the link that a link-local next hop was heard on, and says what is missing', () => {
    const told = { ...learned('10.9.0.0/16', 'fe80::2', 'fe80::1'), interfaces: ['eth0', 'eth0'] };
    expect(routesOf({ learned: [told] })).toEqual(['10.9.0.0/16 via fe80::1 dev eth0 via fe80::2 dev eth0']);
    expect(troubleOf({ learned: [{ ...told, interfaces: ['eth9', 'eth9'] }] })).toEqual([
      'next hop fe80::1: interface eth9 does not exist; next hop fe80::2: interface eth9 does not exist',
    ]);
    expect(troubleOf({ learned: [learned('10.9.0.0/16', 'fe80::2')] })).toEqual([
      'next hop fe80::2 is link-local, and nothing says on which interface',
    ]);
  });

  test('leads the way for other next hops', () => {
    const routes = [learned('10.0.0.0/8', '172.31.9.1'), learned('172.31.9.0/24', 'fd00:30:1::253')];
    expect(routesOf({ learned: routes })).toEqual([
      '10.0.0.0/8 via fd00:30:1::253 dev eth0',
      '172.31.9.0/24 via fd00:30:1::253 dev eth0',
    ]);
  });

  test('of a node is decided by the pool: through the tunnel by IPv4, or direct by the next hop itself', () => {
    const near4 = learned('192.168.2.0/26', 'fd00:30:1::12');
    const far4 = learned('192.168.3.0/26', 'fd00:30:2::11');
    expect(routesOf({ learned: [near4, far4] })).toEqual([
      '192.168.2.0/26 via fd00:30:1::12 dev eth0 onlink',
      '192.168.3.0/26 via 172.30.2.11 dev tunl0 onlink',
    ]);
  });

  test('the other way round there is nothing that the kernel could do', () => {
    const [planned] = plan({ learned: [learned('fd77::/64', '172.30.1.1')] });
    expect(planned).toMatchObject({
      unresolved: 'next hop 172.30.1.1 is IPv4, and the kernel reaches IPv6 through IPv6 alone',
      isRefused: true,
    });
  });
});
