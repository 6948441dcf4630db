/** What the API answers about BGP, as a test of the CLI needs it. */
import type { PeerExplainReport, PeerReport, RouteExplainReport } from '../../src/api/bgp-contract.ts';
import type { PathReport } from '../../src/api/contract.ts';

const NO_MESSAGES = { open: 0, update: 0, notification: 0, keepalive: 0, routeRefresh: 0 };

/** 10.0.0.2, a ToR that is up. */
export const peerReport = (more: Partial<PeerReport> = {}): PeerReport => ({
  address: '10.0.0.2',
  port: 179,
  type: 'node specific',
  origin: 'BGPPeer(tor-a)',
  remoteAsn: 65001,
  localAsn: 64512,
  state: 'Established',
  since: '2026-11-25T03:00:00.123Z',
  received: 3,
  accepted: 2,
  advertised: 1,
  flaps: 0,
  messages: {
    sent: { ...NO_MESSAGES, open: 1, update: 2, keepalive: 7 },
    received: { ...NO_MESSAGES, open: 1, update: 4, keepalive: 8 },
  },
  prefixes: [{ family: 'IPv4 unicast', received: 3, accepted: 2, advertised: 1 }],
  reach: { dialled: 1, connected: 1, incoming: 0 },
  incidents: [],
  ...more,
});

export const explainReport = (more: Partial<PeerExplainReport> = {}): PeerExplainReport => ({
  address: '10.0.0.2',
  isConfigured: true,
  type: 'node specific',
  origin: 'BGPPeer(tor-a)',
  state: 'Active',
  since: '2026-11-25T03:00:00.123Z',
  cause: 'nobody listens',
  verdict: '10.0.0.2 is there, but nobody listens on its port 179 (ECONNREFUSED)',
  evidence: ['we dialled once', '1 s ago: connection refused'],
  next: ['that the BGP daemon runs there', 'a firewall'],
  ...more,
});

export const pathReport = (more: Partial<PathReport> = {}): PathReport => ({
  prefix: '10.50.0.0/16',
  nextHop: '10.0.0.2',
  best: true,
  reason: 'best path',
  from: '10.0.0.2 (node specific)',
  asPath: '65001',
  origin: 'igp',
  communities: [],
  stale: false,
  ...more,
});

export const routeReport = (more: Partial<RouteExplainReport> = {}): RouteExplainReport => ({
  asked: '10.50.0.0/16',
  prefix: '10.50.0.0/16',
  verdict: 'the path from 10.0.0.2 (node specific) is best, the only path',
  paths: [{ ...pathReport(), changes: [] }],
  advertised: [],
  ...more,
});
