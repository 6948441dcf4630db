/** Builders for what the doctor looks at, so that a test shows only what it is about. */
import type { NodeStatus, PeerStatus, SpeakerStatus } from '../../src/api/contract.ts';
import type { Finding } from '../../src/host/doctor/finding.ts';
import type { ClusterFacts, HostFacts, HostLink } from '../../src/host/doctor/host-facts.ts';
import { parseInterfaceAddress } from '../../src/model/ip.ts';
import { node, pool } from './dataplane-inputs.ts';
import { HEALTHY } from './doctor-ports.ts';
import { readerOf } from './host-reader.ts';

export const peerStatus = (address: string, state = 'Established', some: Partial<PeerStatus> = {}): PeerStatus => ({
  ...{ address, port: 179, type: 'node-to-node mesh', origin: 'x', remoteAsn: 64512, localAsn: 64512, state },
  ...{ since: '2026-01-01T00:00:00Z', received: 0, accepted: 0, advertised: 0, flaps: 0 },
  ...some,
});

/** Of process 71. */
export const speakerStatus = (...peers: readonly PeerStatus[]): SpeakerStatus => ({
  ...{ node: 'node-a1', version: '1', pid: 71, startedAt: '2026-01-01T00:00:00Z' },
  bgp: { asn: 64512, bgpIdentifier: '1.1.1.1', address: '172.30.1.11', converged: true, peers },
});

export const agentStatus = (some: Partial<NodeStatus> = {}): NodeStatus => ({
  ...speakerStatus(),
  datastore: { type: 'file', inSync: true, revision: 1 },
  dataplane: { routes: 1, pending: 0, failed: 0 },
  ...some,
});

export const ABSENT = { absent: 'nobody listens' };

/** node-a1 alone, 172.30.1.11/24, with a plain pool. */
export const clusterFacts = (
  some: Partial<ClusterFacts> = {},
  bgp: Partial<ClusterFacts['bgp']> = {},
): ClusterFacts => ({
  self: node('node-a1', '172.30.1.11/24'),
  others: [],
  pools: [pool('10.48.0.0/16')],
  bgp: { hasMesh: true, hasPasswords: false, portOf: () => 179, ...bgp },
  ...some,
});

export const eth0: HostLink = {
  ...{ index: 2, name: 'eth0', mtu: 1500, up: true },
  addresses: ['172.30.1.11/24', 'fd30:1::11/64'].map((text) => parseInterfaceAddress(text)),
};

export interface HostWords extends Partial<Omit<HostFacts, 'reader'>> {
  /** Files beside those of a healthy host. */
  readonly texts?: Readonly<Record<string, string>>;
}

export const hostFacts = ({ texts = {}, ...some }: HostWords = {}): HostFacts => ({
  reader: readerOf({ ...HEALTHY, ...texts }),
  links: [eth0],
  cluster: clusterFacts(),
  agent: ABSENT,
  clock: { isSynchronized: true, maxErrorMs: 3 },
  ...some,
});

/** `ok: this host forwards IPv4` */
export const verdicts = (findings: readonly Finding[]): readonly string[] =>
  findings.map(({ verdict, what }) => `${verdict}: ${what}`);
