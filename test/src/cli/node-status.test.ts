import { describe, expect, test } from 'vitest';
import type { NodeStatus, PeerStatus } from '../../../src/api/contract.ts';
import { formatNodeStatus } from '../../../src/cli/node/node-status.ts';

const NOW = Date.parse('2026-11-23T20:00:00Z');

const peer = (more: Partial<PeerStatus>): PeerStatus => ({
  address: '172.30.1.12',
  port: 179,
  type: 'node-to-node mesh',
  origin: 'BGPConfiguration(default)',
  remoteAsn: 64512,
  localAsn: 64512,
  state: 'Established',
  since: '2026-11-23T19:27:03.123Z',
  received: 1,
  accepted: 1,
  advertised: 1,
  flaps: 0,
  ...more,
});

const status = (peers: readonly PeerStatus[], more: Partial<NodeStatus> = {}): NodeStatus => ({
  node: 'node-a1',
  version: '0.1.0',
  pid: 1,
  startedAt: '2026-11-23T19:00:00Z',
  bgp: { asn: 64512, bgpIdentifier: '172.30.1.11', address: '172.30.1.11', converged: true, peers },
  datastore: { type: 'file', inSync: true, revision: 9 },
  dataplane: { routes: 3, pending: 0, failed: 0 },
  ...more,
});

describe('node status', () => {
  test('tells what resources ask for and do not get, and not more of it than one can read', () => {
    const wishes = Array.from({ length: 12 }, (_, i) => `BGPPeer(p${i}): 10.0.0.${i}: this node has no IPv6 address`);
    const lines = formatNodeStatus(status([], { unmet: wishes }), NOW)
      .trimEnd()
      .split('\n');
    expect(lines.slice(-11)).toEqual([
      ...wishes.slice(0, 10).map((wish) => `Not done: ${wish}`),
      'Not done: 2 more, see -o json',
    ]);
    expect(formatNodeStatus(status([], { unmet: wishes.slice(0, 1) }), NOW)).not.toContain('more');
  });

  test('tells how many addresses look leaked, where any do', () => {
    const leaks = { suspected: 2, released: 5, graceSeconds: 900 };
    expect(formatNodeStatus(status([], { leaks }), NOW)).toContain(
      'Addresses that look leaked, since no endpoint has them: 2; given back when that has been so for 900 s',
    );
    expect(formatNodeStatus(status([], { leaks: { ...leaks, suspected: 0 } }), NOW)).not.toContain('leaked');
  });

  test("is calicoctl's table to the letter", () => {
    const text = formatNodeStatus(
      status([
        peer({}),
        peer({
          address: '172.30.1.1',
          type: 'node specific',
          state: 'Active',
          lastError: 'Socket: Connection refused',
        }),
      ]),
      NOW,
    );
    expect(text.split('\n')).toEqual([
      'Calico process is running.',
      '',
      'IPv4 BGP status',
      '+--------------+-------------------+-------+----------+-----------------------------------+',
      '| PEER ADDRESS | PEER TYPE         | STATE | SINCE    | INFO                              |',
      '+--------------+-------------------+-------+----------+-----------------------------------+',
      '| 172.30.1.12  | node-to-node mesh | up    | 19:27:03 | Established                       |',
      '| 172.30.1.1   | node specific     | start | 19:27:03 | Active Socket: Connection refused |',
      '+--------------+-------------------+-------+----------+-----------------------------------+',
      '',
      '',
    ]);
  });

  test('shows the date where it was not today', () => {
    expect(formatNodeStatus(status([peer({ since: '2026-11-20T19:27:03Z' })]), NOW)).toContain(
      '| up    | 2026-11-20 | Established |',
    );
  });

  test('says that there are no peers', () => {
    expect(formatNodeStatus(status([]), NOW)).toBe(
      'Calico process is running.\n\nIPv4 BGP status\nNo IPv4 peers found.\n\n',
    );
  });

  test('shows IPv6 peers in a table of their own, and links of link-local ones', () => {
    const text = formatNodeStatus(status([peer({}), peer({ address: 'fe80::2%eth0', type: 'eBGP' })]), NOW);
    expect(text.split('\n').slice(2)).toEqual([
      'IPv4 BGP status',
      '+--------------+-------------------+-------+----------+-------------+',
      '| PEER ADDRESS | PEER TYPE         | STATE | SINCE    | INFO        |',
      '+--------------+-------------------+-------+----------+-------------+',
      '| 172.30.1.12  | node-to-node mesh | up    | 19:27:03 | Established |',
      '+--------------+-------------------+-------+----------+-------------+',
      '',
      'IPv6 BGP status',
      '+--------------+-----------+-------+----------+-------------+',
      '| PEER ADDRESS | PEER TYPE | STATE | SINCE    | INFO        |',
      '+--------------+-----------+-------+----------+-------------+',
      '| fe80::2%eth0 | eBGP      | up    | 19:27:03 | Established |',
      '+--------------+-----------+-------+----------+-------------+',
      '',
      '',
    ]);
  });

  test('of a speaker alone says so, and why its file is not in force', () => {
    const { node, version, pid, startedAt, bgp } = status([]);
    const configuration = {
      file: '/etc/calico/speaker.yaml',
      readAt: '2026-11-23T19:00:00.000Z',
      refused: ["peers[0].asn = 'abc': is not an AS number"],
    };
    expect(formatNodeStatus({ node, version, pid, startedAt, bgp, configuration }, NOW).split('\n')).toEqual([
      'The speaker is running: AS 64512, BGP Identifier 172.30.1.11.',
      '',
      'IPv4 BGP status',
      'No IPv4 peers found.',
      '',
      '/etc/calico/speaker.yaml is wrong, and what it said at 2026-11-23T19:00:00.000Z stays in force:',
      "peers[0].asn = 'abc': is not an AS number",
      '',
    ]);
  });

  test('tells what the table cannot: a restart under way, a stale view, refused routes', () => {
    const text = formatNodeStatus(
      status([], {
        bgp: { ...status([]).bgp, converged: false },
        datastore: {
          ...{ type: 'etcdv3', inSync: true, revision: 9, staleSince: new Date(NOW - 1_000).toISOString() },
          stale: 'etcd at http://10.0.0.1:2379 does not answer',
        },
        dataplane: { routes: 3, pending: 0, failed: 2, fights: ['route 192.168.2.0/26: 7 repairs, deleted by X'] },
        nat: [
          { subject: 'ippool a (10.0.0.0/16)', state: 'failed', reason: '', error: 'install libnftables' },
          { subject: 'ippool b (10.1.0.0/16)', state: 'off', reason: '' },
          { subject: 'vxlan.calico', state: 'failed', reason: '', error: 'install libnftables' },
        ],
      }),
      NOW,
    );
    expect(text).toContain('Waiting for the peers after a restart: routes are kept, none is removed.\n');
    expect(text).toContain(
      `The datastore is stale since ${new Date(NOW - 1_000).toISOString().slice(11, 19)}, what was known is kept: ` +
        'etcd at http://10.0.0.1:2379 does not answer\n',
    );
    expect(text).toContain('2 routes were refused by the kernel: calicoctl-ts routes\n');
    expect(text).toContain('No NAT for ippool a (10.0.0.0/16), vxlan.calico: install libnftables\n');
    expect(text).toContain('Somebody keeps undoing what we program: route 192.168.2.0/26: 7 repairs, deleted by X\n');
  });

  const chosen = { reason: '10.0.1.5/24 of eth1, by first-found', warnings: [], ambiguous: false, candidates: [] };
  const end = (more: Partial<NodeStatus>): readonly string[] =>
    formatNodeStatus(status([], more), NOW).split('\n').slice(5, -1);

  test('tells how the node came to its addresses', () => {
    const ipv6 = { ...chosen, reason: 'fd00::5/64, as IP6 says', warnings: ['fd00::5 is on no interface'] };
    expect(end({ addresses: [chosen, ipv6] })).toEqual([
      'Address of this node: 10.0.1.5/24 of eth1, by first-found',
      'Address of this node: fd00::5/64, as IP6 says',
      'Warning: fd00::5 is on no interface',
    ]);
    expect(end({})).toEqual([]);
  });

  test('shows the ranking where several would do as well, and there alone', () => {
    const candidates = [
      { interface: 'eth1', address: '10.0.1.5/24', standing: 'taken', reason: 'comes first' },
      { interface: 'eth2', standing: 'left out', reason: 'is down' },
    ];
    expect(end({ addresses: [{ ...chosen, candidates }] })).toEqual([
      'Address of this node: 10.0.1.5/24 of eth1, by first-found',
    ]);
    expect(end({ addresses: [{ ...chosen, ambiguous: true, warnings: ['choose one'], candidates }] })).toEqual([
      'Address of this node: 10.0.1.5/24 of eth1, by first-found',
      'Warning: choose one',
      '+-----------+-------------+----------+-------------+',
      '| INTERFACE | ADDRESS     | STANDING | WHY         |',
      '+-----------+-------------+----------+-------------+',
      '| eth1      | 10.0.1.5/24 | taken    | comes first |',
      '| eth2      |             | left out | is down     |',
      '+-----------+-------------+----------+-------------+',
    ]);
    const many = Array.from({ length: 25 }, () => candidates[0]!);
    const lines = end({ addresses: [{ ...chosen, ambiguous: true, candidates: many }] });
    expect(lines.filter((line) => line.startsWith('| eth1'))).toHaveLength(20);
    expect(lines.at(-1)).toBe('and 5 more: -o json');
  });
});
