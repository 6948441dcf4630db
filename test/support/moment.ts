/** A moment of an agent in which every metric has something to tell, for tests to take parts from. */
import type { PeerView } from '../../bird/index.ts';
import type { AgentMoment, Moment, PeerMoment } from '../../src/metrics/moment.ts';
import { parseIpAddress } from '../../src/model/ip.ts';
import { peerSettings } from './bgp.ts';

const NO_MESSAGES = { open: 0, update: 0, notification: 0, keepalive: 0, routeRefresh: 0 };

export const peerView = (some: Partial<PeerView> = {}): PeerView => ({
  ...{ settings: peerSettings({ address: '172.30.1.1' }), state: 'Established', since: 1_500 },
  ...{ received: 3, accepted: 2, advertised: 1, flaps: 4, incidents: [] },
  prefixes: [{ family: 4, received: 3, accepted: 2, advertised: 1 }],
  reach: { dialled: 0, connected: 0, incoming: 0, hasSeenOpen: true },
  messages: { sent: NO_MESSAGES, received: NO_MESSAGES },
  ...some,
});

const bfd = {
  ...{ address: parseIpAddress('172.30.1.1'), multihop: false, localDiscriminator: 1, transmitMs: 300, flaps: 2 },
  packets: { received: 0, sent: 0, dropped: {} },
} as const;

export const PEERS: readonly PeerMoment[] = [
  { peer: '172.30.1.1', view: peerView({ bfd: { ...bfd, state: 'Up' } }) },
  { peer: 'fe80::1%eth0', view: peerView({ state: 'Active', prefixes: [] }), cause: 'wrong AS' },
];

export const AGENT: AgentMoment = {
  datastore: {
    view: { entries: new Map(), revision: 7, inSync: true, stale: 'etcd does not answer', staleSince: 4_000 },
    ...{ counts: { listed: 2, lost: 1 }, isLocked: false },
  },
  bgp: {
    ...{ isConverged: true, peers: PEERS },
    tables: [
      { family: 4, prefixes: 9, best: 8 },
      { family: 6, prefixes: 0, best: 0 },
    ],
  },
  cluster: { nodes: 3, workloadEndpoints: 20, hostEndpoints: 1, localEndpoints: 6 },
  pools: [{ pool: 'blue', blocks: 2, allocated: 5, cooling: 1, free: 122 }],
  ...{ lentAddresses: 1, unmet: 2, settingProblems: 1 },
};

export const MOMENT: Moment = {
  ...{ node: 'node-a1', version: '1.2.3', now: 10_000, wallTime: 1_700_000_010_000, worstLagMs: 12 },
  health: {
    ...{ live: true, ready: false },
    reporters: [{ name: 'event loop', live: true, ready: false, detail: 'late' }],
  },
  dataplane: {
    tally: {
      routes: [
        { class: 'ipip', state: 'programmed', count: 40 },
        { class: 'ipip', state: 'failed', count: 2 },
        { class: 'external', state: 'pending', count: 3 },
      ],
      tunnels: [{ name: 'tunl0', up: true, mtu: 1480 }],
      workloadInterfaces: 6,
      passes: { ended: 9, failed: 1, totalMs: 250, full: 2, lastFullAt: 8_000 },
    },
    health: { hasReconciled: true },
    repairs: {
      counts: { route: 5, link: 0, address: 0, neighbour: 0, fdb: 0, sysctl: 0, nat: 0 },
      fights: [{ kind: 'route', name: '192.168.2.0/26', repairs: 7, by: 'deleted by process 812 (bird)' }],
    },
    nat: [{ subject: { kind: 'tunnel', name: 'tunl0' }, reason: 'x', state: 'in force' }] as never,
  },
  agent: AGENT,
  process: { cpuSeconds: 1.5, residentBytes: 1e8, virtualBytes: 2e9, openFiles: 40, maxFiles: 1024, startedAt: 1.7e9 },
  runtime: { nodeVersion: 'v24.0.0', heapTotalBytes: 5e7, heapUsedBytes: 4e7, externalBytes: 1e6, busySeconds: 3.25 },
};

/** An agent that waits for its datastore, asked for no more than it knows. */
export const BARE_MOMENT: Moment = {
  ...{ node: MOMENT.node, version: MOMENT.version, now: 10_000, wallTime: 1_700_000_010_000, worstLagMs: 0 },
  health: { live: true, ready: false, reporters: [] },
  dataplane: {
    tally: { routes: [], tunnels: [], workloadInterfaces: 0, passes: { ended: 0, failed: 0, totalMs: 0, full: 0 } },
    ...{ health: { hasReconciled: false }, repairs: { counts: MOMENT.dataplane.repairs.counts, fights: [] }, nat: [] },
  },
};
