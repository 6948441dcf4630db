import { expect, test } from 'vitest';
import type { NodeStatus, PeerStatus } from '../../../src/api/contract.ts';
import { settled } from '../../../src/demo/agents.ts';

const peer = (address: string, state: string): PeerStatus => ({
  ...{ address, state, port: 179, type: 'node-to-node mesh', origin: '', remoteAsn: 1, localAsn: 1, since: '' },
  ...{ received: 0, accepted: 0, advertised: 0, flaps: 0 },
});

const status = (
  change: { converged?: boolean; pending?: number; failed?: number; last?: string } = {},
): NodeStatus => ({
  ...{ node: 'node-a1', version: '', pid: 1, startedAt: '' },
  bgp: {
    ...{ asn: 64512, bgpIdentifier: '', address: '', converged: change.converged ?? true },
    peers: [peer('10.0.0.1', 'Established'), peer('10.0.0.2', change.last ?? 'Established')],
  },
  datastore: { type: 'file', inSync: true, revision: 1 },
  dataplane: { routes: 1, pending: change.pending ?? 0, failed: change.failed ?? 0 },
});

test('a node is settled with all its sessions, routes chosen and routes written', () => {
  expect(settled(status(), 2)).toHaveProperty('value');
});

test('a node is not settled without one of them, and says which', () => {
  expect(settled(status({ last: 'Active' }), 2)).toEqual({ missing: '1 of 2 Established; 10.0.0.2 is Active' });
  expect(settled(status({ converged: false }), 2)).toEqual({ missing: 'route selection still waits for End-of-RIB' });
  expect(settled(status({ pending: 1 }), 2)).toEqual({ missing: '1 routes pending, 0 failed' });
  expect(settled(status({ failed: 2 }), 2)).toEqual({ missing: '0 routes pending, 2 failed' });
});
