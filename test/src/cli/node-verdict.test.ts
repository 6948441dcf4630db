import { expect, test } from 'vitest';
import type { NodeStatus } from '../../../src/api/contract.ts';
import { verdictOf } from '../../../src/cli/node/node-verdict.ts';
import { nodeStatus, peer } from '../../support/node-status.ts';

const down = (address: string) => peer(address, { state: 'Idle' });
const sick = (live: boolean): Partial<NodeStatus> => ({
  health: { live, ready: false, reporters: [{ name: 'netlink', live, ready: false, detail: 'silent for 61 s' }] },
});

test.each<[string, Parameters<typeof nodeStatus>[0], string]>([
  ['a part not ready', sick(true), 'netlink is not ready: silent for 61 s'],
  ['a part not live', sick(false), 'netlink is not live: silent for 61 s'],
  [
    'the datastore away, before a peer that is down',
    { datastore: { type: 'etcdv3', inSync: true, revision: 1, stale: 'no answer' }, peers: [down('10.0.0.1')] },
    'the datastore is away: no answer (and 1 more)',
  ],
  [
    'four peers down',
    { peers: ['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4'].map(down) },
    '4 peers are down: 10.0.0.1 Idle, 10.0.0.2 Idle, 10.0.0.3 Idle, 1 more',
  ],
  ['routes refused', { dataplane: { routes: 3, pending: 0, failed: 2 } }, '2 routes were refused by the kernel'],
  [
    'no NAT',
    { nat: [{ subject: 'ippool p', state: 'failed', reason: '', error: 'no libnftables' }] },
    'no NAT for ippool p: no libnftables',
  ],
  [
    'a fight',
    { dataplane: { routes: 0, pending: 0, failed: 0, fights: ['route r'] } },
    'somebody keeps undoing what is programmed: route r',
  ],
  ['a setting', { settingProblems: ['ipipMTU: too small'] }, 'not in force: ipipMTU: too small'],
])('%s: degraded, and why', (_name, some, why) => {
  expect(verdictOf(nodeStatus(some))).toEqual({ state: 'degraded', why });
});

test('a peer that is held down on purpose, and one that is up: ok', () => {
  const peers = [peer('10.0.0.1'), peer('10.0.0.2', { state: 'Idle', shutdown: 'maintenance' })];
  expect(verdictOf(nodeStatus({ peers }))).toEqual({ state: 'ok', why: '' });
});
