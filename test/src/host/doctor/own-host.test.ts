import { describe, expect, test } from 'vitest';
import { checkBgpPort } from '../../../../src/host/doctor/bgp-port.ts';
import type { Finding } from '../../../../src/host/doctor/finding.ts';
import type { ClusterFacts, HostFacts, HostLink } from '../../../../src/host/doctor/host-facts.ts';
import * as own from '../../../../src/host/doctor/own-host.ts';
import { parseInterfaceAddress, parsePrefix } from '../../../../src/model/ip.ts';
import { HEALTHY } from '../../../support/doctor-ports.ts';
import { readerOf } from '../../../support/host-reader.ts';

const address = parseInterfaceAddress('172.30.1.11/24');
const self = { name: 'node-a1', address };
const eth0: HostLink = { index: 2, name: 'eth0', mtu: 1500, up: true, addresses: [address] };
const link = (name: string, mtu: number, kind = 'vxlan'): HostLink => ({
  index: 9,
  name,
  kind,
  mtu,
  up: true,
  addresses: [],
});
const pool = { cidr: parsePrefix('10.48.0.0/16'), ipip: false, vxlan: false, nat: false };

interface Case extends Partial<Omit<HostFacts, 'reader' | 'cluster'>> {
  readonly texts?: Record<string, string>;
  readonly cluster?: Partial<ClusterFacts>;
}
const facts = ({ texts = {}, cluster = {}, ...some }: Case = {}): HostFacts => ({
  reader: readerOf({ ...HEALTHY, ...texts }),
  links: [eth0],
  cluster: { self, others: [], pools: [pool], bgpPort: 179, ...cluster },
  clock: { isSynchronized: true, maxErrorMs: 3 },
  ...some,
});
const words = (findings: readonly Finding[]): readonly string[] =>
  findings.map(({ verdict, what }) => `${verdict}: ${what}`);

describe('ip_forward', () => {
  const off = { '/proc/sys/net/ipv4/ip_forward': '0\n' };
  test('is on, off without an agent, off beside an agent', () => {
    expect(words(own.checkForwarding(facts()))).toEqual(['ok: this host forwards IPv4']);
    expect(words(own.checkForwarding(facts({ texts: off })))).toEqual(['warning: this host does not forward IPv4']);
    expect(words(own.checkForwarding(facts({ texts: off, agentPid: 5 })))).toEqual([
      'problem: this host does not forward IPv4, although an agent runs',
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
    expect(words(checkBgpPort(facts({ texts: tcp(row('00B3', 4711)), agentPid: 55 })))).toEqual([
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
    expect(words(checkBgpPort(facts({ texts: six, cluster: { bgpPort: 1790 } })))).toEqual([
      'problem: 1790 is taken by frr (process 55)',
    ]);
  });
  test('an agent that does not listen', () => {
    expect(words(checkBgpPort(facts({ agentPid: 55 })))).toEqual([
      'problem: nobody listens on 179, although an agent runs',
    ]);
  });
});

describe('the MTU', () => {
  const told = (...links: readonly HostLink[]): readonly string[] =>
    words(own.checkOwnMtu(facts({ links: [eth0, ...links] })));
  test('of tunnels must leave room for their headers, that of pods must fit into the tunnel', () => {
    expect(told(link('vxlan.calico', 1450), link('tunl0', 1480, 'ipip'), link('cali1', 1450, 'veth'))).toEqual([
      'ok: tunnels fit into eth0',
    ]);
    expect(told(link('vxlan.calico', 1451))).toEqual([
      'problem: vxlan.calico has 1451, and its 50 octets of headers do not fit into the 1500 of eth0',
    ]);
    expect(told(link('tunl0', 1480, 'ipip'), link('cali1', 1500, 'veth'))).toEqual([
      'warning: 1 pods have a larger MTU than the tunnel they may send through',
    ]);
    expect(told({ ...link('vxlan.calico', 1500), up: false }, link('cali1', 1500, 'veth'))).toEqual([
      'ok: tunnels fit into eth0',
    ]);
  });
});

test('the kernel must have what the pools ask for', () => {
  const without = { '/proc/config.gz': 'CONFIG_NET_NS=y\nCONFIG_VETH=y\n' };
  expect(words(own.checkModules(facts({ texts: without })))).toEqual([
    'ok: 6.1.0 has what the pools of this cluster need',
  ]);
  expect(words(own.checkModules(facts({ texts: without, cluster: { pools: [{ ...pool, ipip: true }] } })))).toEqual([
    'problem: has no ipip',
  ]);
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

test("the node's address is on an interface that is up, and nobody else's", () => {
  expect(words(own.checkNodeAddress(facts()))).toEqual(['ok: 172.30.1.11 is on eth0']);
  expect(words(own.checkNodeAddress(facts({ links: [] })))).toEqual([
    'problem: 172.30.1.11 is on no interface of this host',
  ]);
  expect(words(own.checkNodeAddress(facts({ links: [{ ...eth0, up: false }] })))).toEqual([
    'problem: 172.30.1.11 is on eth0, which is down',
  ]);
  const others = [{ name: 'node-b1', address }];
  expect(words(own.checkNodeAddress(facts({ cluster: { others } })))).toEqual([
    "problem: 172.30.1.11 is node node-b1's, too",
  ]);
});
