import { describe, expect, test } from 'vitest';
import { checkBgpPort } from '../../../../src/host/doctor/bgp-port.ts';
import type { HostLink } from '../../../../src/host/doctor/host-facts.ts';
import { checkNodeAddress, checkOwnMtu } from '../../../../src/host/doctor/own-address.ts';
import * as own from '../../../../src/host/doctor/own-host.ts';
import { node, pool } from '../../../support/dataplane-inputs.ts';
import {
  agentStatus,
  clusterFacts,
  eth0,
  hostFacts as facts,
  verdicts as words,
} from '../../../support/doctor-facts.ts';

const link = (name: string, mtu: number, kind = 'vxlan'): HostLink => ({
  ...{ index: 9, name, kind, mtu, up: true, addresses: [] },
});
const six = pool('fd48::/64', {}, 'six');
const dual = node('node-a1', '172.30.1.11/24', { ipv6: 'fd30:1::11/64' });

describe('ip_forward', () => {
  const off = { '/proc/sys/net/ipv4/ip_forward': '0\n' };
  test('is on, off without an agent, off beside an agent', () => {
    expect(words(own.checkForwarding(facts()))).toEqual(['ok: this host forwards IPv4']);
    expect(words(own.checkForwarding(facts({ texts: off })))).toEqual(['warning: this host does not forward IPv4']);
    expect(words(own.checkForwarding(facts({ texts: off, agent: agentStatus() })))).toEqual([
      'problem: this host does not forward IPv4, although an agent runs',
    ]);
  });

  test('of IPv6 counts where a pool is IPv6', () => {
    const texts = { '/proc/sys/net/ipv6/conf/all/forwarding': '0\n' };
    const cluster = clusterFacts({ pools: [pool('10.48.0.0/16'), six] });
    expect(words(own.checkForwarding(facts({ texts })))).toEqual(['ok: this host forwards IPv4']);
    expect(words(own.checkForwarding(facts({ texts, cluster, agent: agentStatus() })))).toEqual([
      'ok: this host forwards IPv4',
      'problem: this host does not forward IPv6, although an agent runs',
    ]);
  });
});

describe('rp_filter', () => {
  const told = (all: number, eth: number, tunnel: number): readonly string[] =>
    words(
      own.checkReversePath(
        facts({
          links: [eth0, link('tunl0', 1480, 'ipip')],
          texts: {
            '/proc/sys/net/ipv4/conf/all/rp_filter': `${all}\n`,
            '/proc/sys/net/ipv4/conf/eth0/rp_filter': `${eth}\n`,
            '/proc/sys/net/ipv4/conf/tunl0/rp_filter': `${tunnel}\n`,
          },
        }),
      ),
    );
  test.each([
    [0, 0, 0, 'ok: is not strict on eth0, tunl0'],
    [1, 0, 0, 'warning: is strict on eth0, tunl0'],
    [1, 2, 2, 'ok: is not strict on eth0, tunl0'],
    [2, 1, 1, 'ok: is not strict on eth0, tunl0'],
    [0, 2, 1, 'warning: is strict on tunl0'],
  ])('all %d, eth0 %d, tunl0 %d', (...[all, eth, tunnel, expected]) => {
    expect(told(all, eth, tunnel)).toEqual([expected]);
  });
});

describe('the BGP port', () => {
  const row = (port: string, inode: number, state = '0A'): string =>
    `   0: 00000000:${port} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000     0        0 ${inode} 1\n`;
  const tcp = (...rows: readonly string[]): Record<string, string> => ({
    '/proc/self/net/tcp': `  sl  local_address\n${rows.join('')}`,
    '/proc/55/comm': 'bird\n',
    '/proc/55/fd/7': 'socket:[4711]',
  });
  test('free, ours, of another, of nobody that we see', () => {
    expect(words(checkBgpPort(facts({ texts: tcp(row('00B3', 4711, '01'), row('00B4', 4711)) })))).toEqual([
      'ok: 179 is free',
    ]);
    expect(words(checkBgpPort(facts({ texts: tcp(row('00B3', 4711)), agent: agentStatus({ pid: 55 }) })))).toEqual([
      "ok: 179 is the agent's",
    ]);
    expect(words(checkBgpPort(facts({ texts: tcp(row('00B3', 4711)) })))).toEqual([
      'problem: 179 is taken by bird (process 55)',
    ]);
    expect(words(checkBgpPort(facts({ texts: tcp(row('00B3', 1)) })))).toEqual([
      'unknown: 179 is taken, by whom cannot be seen from here',
    ]);
  });
  test('the cluster’s port, and IPv6 listeners, count', () => {
    const six = {
      '/proc/self/net/tcp6': `head\n${row('06FE', 4711)}`,
      '/proc/55/comm': 'frr',
      '/proc/55/fd/7': 'socket:[4711]',
    };
    expect(words(checkBgpPort(facts({ texts: six, cluster: clusterFacts({}, { portOf: () => 1790 }) })))).toEqual([
      'problem: 1790 is taken by frr (process 55)',
    ]);
  });
  test('one listener for each family is one line', () => {
    const texts = { ...tcp(row('00B3', 4711)), '/proc/self/net/tcp6': `head\n${row('00B3', 4712)}` };
    const both = { ...texts, '/proc/55/fd/8': 'socket:[4712]' };
    expect(words(checkBgpPort(facts({ texts: both, agent: agentStatus({ pid: 55 }) })))).toEqual([
      "ok: 179 is the agent's",
    ]);
  });
  test('an agent that does not listen', () => {
    expect(words(checkBgpPort(facts({ agent: agentStatus({ pid: 55 }) })))).toEqual([
      'problem: nobody listens on 179, although an agent runs',
    ]);
  });
});

describe('the MTU', () => {
  const told = (...links: readonly HostLink[]): readonly string[] =>
    words(checkOwnMtu(facts({ links: [eth0, ...links] })));
  test('of tunnels must leave room for their headers, that of pods must fit into the tunnel', () => {
    expect(told(link('vxlan.calico', 1450), link('tunl0', 1480, 'ipip'), link('cali1', 1450, 'veth'))).toEqual([
      'ok: tunnels fit into eth0',
    ]);
    expect(told(link('vxlan.calico', 1451))).toEqual([
      'problem: vxlan.calico has 1451, and its 50 octets of headers do not fit into the 1500 of eth0',
    ]);
    expect(told(link('tunl0', 1480, 'ipip'), link('cali1', 1500, 'veth'))).toEqual([
      'warning: 1 pod has a larger MTU than the tunnel they may send through',
    ]);
    expect(told({ ...link('vxlan.calico', 1500), up: false }, link('cali1', 1500, 'veth'))).toEqual([
      'ok: tunnels fit into eth0',
    ]);
  });

  test('of the IPv6 tunnel is measured against the interface of the IPv6 address', () => {
    const eth1 = { ...eth0, index: 3, name: 'eth1', mtu: 9000, addresses: [dual.ipv6!.address] };
    const eth4 = { ...eth0, addresses: [dual.address] };
    const links = (mtu: number) => [eth4, eth1, link('vxlan-v6.calico', mtu)];
    const cluster = clusterFacts({ self: dual });
    expect(words(checkOwnMtu(facts({ cluster, links: links(8930) })))).toEqual(['ok: tunnels fit into eth0 and eth1']);
    expect(words(checkOwnMtu(facts({ cluster, links: links(8931) })))).toEqual([
      'problem: vxlan-v6.calico has 8931, and its 70 octets of headers do not fit into the 9000 of eth1',
    ]);
  });
});

test('the kernel must have what the pools ask for', () => {
  const without = { '/proc/config.gz': 'CONFIG_NET_NS=y\nCONFIG_VETH=y\n' };
  expect(words(own.checkModules(facts({ texts: without })))).toEqual([
    'ok: 6.1.0 has what the pools of this cluster need',
  ]);
  const missing = (...pools: readonly ReturnType<typeof pool>[]) =>
    own.checkModules(facts({ texts: without, cluster: clusterFacts({ pools }) }));
  const [ipip] = missing(pool('10.48.0.0/16', { ipip: 'CrossSubnet' }));
  expect(ipip).toEqual({
    ...{ check: 'kernel', verdict: 'problem', what: 'has no ipip' },
    why: 'it is for tunl0, of pools with ipipMode Always or CrossSubnet',
    todo: 'boot a kernel that has CONFIG_NET_IPIP, or pools with vxlanMode in its place',
    evidence: ['CONFIG_NET_IPIP is not set', 'pool 10.48.0.0/16: IPIP CrossSubnet'],
  });
  expect(words(missing(pool('10.48.0.0/16', { vxlan: 'Always' })))).toEqual(['problem: has no vxlan']);
  expect(words(missing(pool('10.48.0.0/16', { nat: true })))).toContain('problem: has no nft_masq');
  expect(words(own.checkModules(facts({ texts: { '/proc/config.gz': '' } })))).toEqual([
    'unknown: whether 6.1.0 has veth, network namespaces cannot be told here',
  ]);
});

test('a conntrack table that is nearly full', () => {
  const texts = (count: number): Record<string, string> => ({
    '/proc/sys/net/netfilter/nf_conntrack_count': `${count}\n`,
    '/proc/sys/net/netfilter/nf_conntrack_max': '1000\n',
  });
  expect(words(own.checkConntrack(facts()))).toEqual(['ok: connections are not tracked here']);
  expect(words(own.checkConntrack(facts({ texts: texts(899) })))).toEqual(['ok: 899 of 1000 entries are in use']);
  expect(words(own.checkConntrack(facts({ texts: texts(900) })))).toEqual(['problem: 900 of 1000 entries are in use']);
});

test('the clock', () => {
  expect(words(own.checkClock(facts()))).toEqual(['ok: is kept by a time service']);
  const clock = { isSynchronized: false, maxErrorMs: 16_000 };
  expect(words(own.checkClock(facts({ clock })))).toEqual(['warning: is not kept by any time service']);
  expect(words(own.checkClock(facts({ clock: { unknown: 'adjtimex: EPERM' } })))).toEqual(['unknown: adjtimex: EPERM']);
});

describe("the node's address", () => {
  const told = (some: Parameters<typeof facts>[0] = {}): readonly string[] => words(checkNodeAddress(facts(some)));
  test("is on an interface that is up, and nobody else's", () => {
    expect(told()).toEqual(['ok: 172.30.1.11 is on eth0']);
    expect(told({ links: [] })).toEqual(['problem: 172.30.1.11 is on no interface of this host']);
    expect(told({ links: [{ ...eth0, up: false }] })).toEqual(['problem: 172.30.1.11 is on eth0, which is down']);
    const twin = clusterFacts({ others: [node('node-b1', '172.30.1.11/24')] });
    expect(told({ cluster: twin })).toEqual(["problem: 172.30.1.11 is node node-b1's, too"]);
    const nobody = { others: [], pools: [], bgp: clusterFacts().bgp };
    expect(told({ cluster: nobody })).toEqual(['unknown: the datastore has no Node of this name with an IPv4 address']);
  });

  test('of IPv6, where the Node has one', () => {
    expect(told({ cluster: clusterFacts({ self: dual }) })).toEqual([
      'ok: 172.30.1.11 is on eth0',
      'ok: fd30:1::11 is on eth0',
    ]);
    const links = [{ ...eth0, addresses: [dual.address] }];
    const [, six] = checkNodeAddress(facts({ cluster: clusterFacts({ self: dual }), links }));
    expect(six).toMatchObject({
      what: 'fd30:1::11 is on no interface of this host',
      todo: 'set another one: spec.bgp.ipv6Address of the Node (calicoctl-ts get node node-a1 -o yaml)',
    });
    const other = node('node-b1', '172.30.1.12/24', { ipv6: 'fd30:1::11/64' });
    expect(told({ cluster: clusterFacts({ self: dual, others: [other] }) })[1]).toBe(
      "problem: fd30:1::11 is node node-b1's, too",
    );
  });
});
