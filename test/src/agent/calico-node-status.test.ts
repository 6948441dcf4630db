import { expect, test } from 'vitest';
import { calicoStatus } from '../../../src/agent/calico-node-status.ts';
import type { PathReport, PeerStatus } from '../../../src/api/contract.ts';
import { decodeStatus, encodeStatus } from '../../../src/api/status-question.ts';
import { nodeStatus, peer } from '../../support/node-status.ts';

const path = (prefix: string, from: string, best: boolean): PathReport => ({
  ...{ prefix, from, best, reason: '', asPath: '', origin: 'IGP', communities: [], stale: false },
  nextHop: '172.30.1.12',
});

const status = nodeStatus({
  peers: [
    peer('172.30.1.12'),
    peer('172.30.1.1', { type: 'global', state: 'Active' }),
    peer('fd00::2', { type: 'node specific' }),
  ],
});

test('sessions are counted and listed by family, in Calico’s words', () => {
  expect(calicoStatus(['Agent', 'BGP'], { status, paths: () => [], now: '2026-11-26T08:00:00.123Z' })).toEqual({
    lastUpdated: '2026-11-26T08:00:00Z',
    agent: {
      birdV4: expect.objectContaining({ state: 'Ready', routerID: '172.30.1.11' }) as object,
      birdV6: expect.objectContaining({ state: 'Ready', version: '1.2.3' }) as object,
    },
    bgp: {
      ...{ numberEstablishedV4: 1, numberNotEstablishedV4: 1, numberEstablishedV6: 1, numberNotEstablishedV6: 0 },
      peersV4: [
        { peerIP: '172.30.1.12', type: 'NodeMesh', state: 'Established', since: '2026-11-26T07:00:00.000Z' },
        { peerIP: '172.30.1.1', type: 'GlobalPeer', state: 'Active', since: '2026-11-26T07:00:00.000Z' },
      ],
      peersV6: [{ peerIP: 'fd00::2', type: 'NodePeer', state: 'Established', since: '2026-11-26T07:00:00.000Z' }],
    },
  });
});

test('routes are the paths of BGP, the best ones FIB, each with whom it was learned from; two thousand of a family', () => {
  const paths = [
    path('10.48.0.0/26', 'this node', true),
    path('10.48.0.64/26', '172.30.1.12 (node-to-node mesh)', true),
    path('10.48.0.64/26', '172.30.1.1 (global)', false),
    ...Array.from({ length: 3000 }, (_, i) => path(`fd00:${i.toString(16)}::/64`, 'this node', true)),
  ];
  const { routes } = calicoStatus(['Routes'], { status, paths: () => paths, now: '2026-11-26T08:00:00Z' });
  expect(routes?.routesV4).toEqual([
    { type: 'FIB', destination: '10.48.0.0/26', gateway: 'N/A', interface: '', learnedFrom: { sourceType: 'Static' } },
    {
      ...{ type: 'FIB', destination: '10.48.0.64/26', gateway: '172.30.1.12', interface: '' },
      learnedFrom: { sourceType: 'NodeMesh', peerIP: '172.30.1.12' },
    },
    {
      ...{ type: 'RIB', destination: '10.48.0.64/26', gateway: '172.30.1.12', interface: '' },
      learnedFrom: { sourceType: 'BGPPeer', peerIP: '172.30.1.1' },
    },
  ]);
  expect(routes?.routesV6).toHaveLength(2000);
});

test('a status of two thousand peers fits into an annotation, and is what it was', () => {
  const many = (count: number) =>
    nodeStatus({ peers: Array.from({ length: count }, (_, i): PeerStatus => peer(`10.0.${i >> 8}.${i & 255}`)) });
  expect(encodeStatus(many(3)).startsWith('{"')).toBe(true);
  expect(encodeStatus(many(200)).length).toBeLessThan(8 * 1024);
  expect(encodeStatus(many(2000)).length).toBeLessThan(64 * 1024);
  expect(decodeStatus(encodeStatus(many(2000)))).toEqual(many(2000));
});
