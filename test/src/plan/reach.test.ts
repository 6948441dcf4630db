/** Whose routes reach whom, and through whom: resources in, next hops out. */
import { describe, expect, test } from 'vitest';
import { nodePeers, View } from '../../../src/plan/view.ts';
import { sessionFaults } from '../../../src/plan/warnings.ts';
import { parsePrefix } from '../../../src/model/ip.ts';
import { resource } from '../../support/resources.ts';
import { config, noMesh, peer } from '../agent/bgp-resources.ts';
import { node, pool, world } from './clusters.ts';
import type { Part } from './clusters.ts';

function viewOf(parts: readonly Part[]): View {
  const seen = world(...parts);
  const view = new View(seen);
  for (const [i, name] of view.sessions.names.entries()) view.sessions.add(i, nodePeers(seen, name).peers);
  return view;
}

/** Of each node whom it hears of, and through whom where that is another: `n1: n2 n3 via n2`. */
const hearing = (view: View): readonly string[] =>
  view.sessions.names.map((to) => {
    const heard = view.sessions.names.flatMap((from) => {
      const nextHop = view.nextHop(to, from, 4);
      return nextHop === undefined ? [] : [nextHop === from ? from : `${from} via ${nextHop}`];
    });
    return `${to}: ${heard.join(' ')}`;
  });

const rr = (i: number, cluster = '1.0.0.1', bgp: object = {}) =>
  node(i, { labels: { rr: 'yes' }, bgp: { routeReflectorClusterID: cluster, ...bgp } });
const clients = peer('clients', { nodeSelector: '!has(rr)', peerSelector: 'has(rr)' });
const reflectors = peer('reflectors', { nodeSelector: 'has(rr)', peerSelector: 'has(rr)' });

describe('routes reach', () => {
  test('everybody in a mesh, whatever the AS numbers', () => {
    const seen = viewOf([node(1), node(2, { bgp: { asNumber: 65001 } }), node(3, { bgp: { asNumber: 65002 } })]);
    expect(hearing(seen)).toEqual(['n1: n2 n3', 'n2: n1 n3', 'n3: n1 n2']);
  });

  test('nobody without sessions, and over a node that is no reflector nobody either', () => {
    const chain = [
      peer('a', { node: 'n1', peerIP: '172.16.0.2', asNumber: 64512 }),
      peer('b', { node: 'n3', peerIP: '172.16.0.2', asNumber: 64512 }),
    ];
    expect(hearing(viewOf([noMesh, node(1), node(2), node(3)]))).toEqual(['n1: ', 'n2: ', 'n3: ']);
    expect(hearing(viewOf([noMesh, node(1), node(2), node(3), ...chain]))).toEqual(['n1: n2', 'n2: n1 n3', 'n3: n2']);
  });

  test('the clients of a reflector, with the next hop of before; with nextHopMode Self through the reflector', () => {
    const parts = (mode: object) => [
      ...[noMesh, rr(1), node(2), node(3)],
      peer('clients', { nodeSelector: '!has(rr)', peerSelector: 'has(rr)', ...mode }),
    ];
    expect(hearing(viewOf(parts({})))).toEqual(['n1: n2 n3', 'n2: n1 n3', 'n3: n1 n2']);
    expect(hearing(viewOf(parts({ nextHopMode: 'Self' })))).toEqual([
      'n1: n2 n3',
      'n2: n1 n3 via n1',
      'n3: n1 n2 via n1',
    ]);
  });

  test('over two reflectors of one cluster only where a client has both; of two clusters always', () => {
    const one = (i: number, reflector: number) =>
      peer(`c${i}`, { node: `n${i}`, peerIP: `172.16.0.${reflector}`, asNumber: 64512 });
    const parts = (second: string) => [
      noMesh,
      rr(1),
      rr(2, second),
      node(3),
      node(4),
      reflectors,
      one(3, 1),
      one(4, 2),
    ];
    expect(hearing(viewOf(parts('1.0.0.1')))).toEqual(['n1: n2 n3', 'n2: n1 n4', 'n3: n1 n2', 'n4: n1 n2']);
    expect(hearing(viewOf(parts('1.0.0.2')))).toEqual(['n1: n2 n3 n4', 'n2: n1 n3 n4', 'n3: n1 n2 n4', 'n4: n1 n2 n3']);
    expect(hearing(viewOf([noMesh, rr(1), rr(2), node(3), node(4), clients]))).toEqual([
      'n1: n3 n4',
      'n2: n3 n4',
      'n3: n1 n2 n4',
      'n4: n1 n2 n3',
    ]);
  });

  test('beyond the AS over a reflector, where a pool that is exported holds them, through the reflector', () => {
    const parts = [noMesh, rr(1), node(2), node(3, { bgp: { asNumber: 65003 } }), clients];
    expect(hearing(viewOf([...parts, pool()]))).toEqual(['n1: n2 n3', 'n2: n1', 'n3: n1 n2 via n1']);
    const closed = viewOf([...parts, pool({ disableBGPExport: true })]);
    expect(hearing(closed)).toEqual(['n1: n2 n3', 'n2: n1', 'n3: n1']);
  });

  test('not back into an AS that the path has been through, unless the BGPPeer allows it', () => {
    const parts = (allowed: object) => [
      ...[noMesh, pool(), rr(1, '1.0.0.1', { asNumber: 65001 }), node(2, { bgp: { asNumber: 65002 } })],
      node(3, { bgp: { asNumber: 65002 } }),
      peer('clients', { nodeSelector: '!has(rr)', peerIP: '172.16.0.1', asNumber: 65001, ...allowed }),
    ];
    // Between ASes the reflector passes on what the pools hold.
    expect(hearing(viewOf(parts({})))).toEqual(['n1: n2 n3', 'n2: n1', 'n3: n1']);
    expect(hearing(viewOf(parts({ numAllowedLocalASNumbers: 1 })))).toEqual([
      'n1: n2 n3',
      'n2: n1 n3 via n1',
      'n3: n1 n2 via n1',
    ]);
  });

  test('what BGPFilters let through; of communities nobody here knows', () => {
    const filtered = (rule: object) => {
      const seen = viewOf([
        ...[noMesh, node(1), node(2, { labels: { x: 'y' } })],
        resource('BGPFilter', 'f', { importV4: [rule] }),
        peer('p', { node: 'n1', peerSelector: 'has(x)', filters: ['f'] }),
      ]);
      const path = seen.reach(4).path(0, 1)!;
      return seen.reach(4).lets(parsePrefix('10.244.2.0/26'), 0, path);
    };
    const at = (cidr: string, matchOperator: string) => ({ action: 'Reject', cidr, matchOperator });
    expect(filtered(at('10.244.2.0/24', 'In'))).toBe('no');
    expect(filtered(at('10.244.3.0/24', 'In'))).toBe('yes');
    expect(filtered(at('10.244.2.0/24', 'Equal'))).toBe('yes');
    expect(filtered({ ...at('10.244.2.0/24', 'Equal'), prefixLength: { max: 26 } })).toBe('no');
    expect(filtered(at('10.244.2.0/26', 'NotEqual'))).toBe('yes');
    expect(filtered(at('10.244.3.0/24', 'NotIn'))).toBe('no');
    expect(filtered({ action: 'Reject', peerType: 'eBGP' })).toBe('yes');
    expect(filtered({ action: 'Reject', source: 'RemotePeers' })).toBe('no');
    expect(filtered({ action: 'Reject', communities: { values: ['1:1'] } })).toBe('unknown');
  });
});

describe('a session does not come up', () => {
  const two = [noMesh, node(1), node(2, { labels: { x: 'y' } })];
  const forward = (spec: object) => peer('p', { node: 'n1', peerSelector: 'has(x)', ...spec });
  const backward = (spec: object) => peer('q', { node: 'n2', peerIP: '172.16.0.1', asNumber: 64512, ...spec });
  const password = (key: string) => ({ password: { secretKeyRef: { name: 'bgp', key } } });

  test.each<readonly [string, readonly Part[], readonly string[]]>([
    ['it does', [forward({})], []],
    [
      'for two passwords',
      [forward(password('a')), backward(password('b'))],
      ['n1 has the password of Secret bgp/a (BGPPeer(p)), and n2 the password of Secret bgp/b (BGPPeer(q))'],
    ],
    [
      'for one password',
      [forward(password('a')), backward({})],
      ['n1 has the password of Secret bgp/a (BGPPeer(p)), and n2 no password (BGPPeer(q))'],
    ],
    [
      'for ttlSecurity at one end',
      [forward({ ttlSecurity: 1 }), backward({})],
      ['only one of n1 (BGPPeer(p)) and n2 (BGPPeer(q)) has ttlSecurity'],
    ],
    [
      'for an AS that nobody expects',
      [forward({ localASNumber: 65077 }), backward({})],
      ['n2 expects AS 64512 of n1 (BGPPeer(q)), which says AS 65077'],
    ],
    [
      'for nobody expects it',
      [forward({ reversePeering: 'Manual' })],
      ['n1 dials n2 (BGPPeer(p)), which has no such peer'],
    ],
    [
      'for a port that nobody listens on',
      [
        ...[config({ listenPort: 1790 }, 'node.n1'), config({ listenPort: 1791 }, 'node.n2')],
        peer('p', { node: 'n1', peerIP: '172.16.0.2:179', asNumber: 64512, reversePeering: 'Manual' }),
        peer('q', { node: 'n2', peerIP: '172.16.0.1:179', asNumber: 64512, reversePeering: 'Manual' }),
      ],
      ['n1 dials n2 on port 179 (BGPPeer(p)), and n2 listens on 1791'],
    ],
  ])('%s', (_, parts, faults) => {
    expect(sessionFaults(viewOf([...two, ...parts]).sessions)).toEqual(faults);
  });
});
