import type { NodeStatus, PeerStatus } from '../../src/api/contract.ts';

/** A peer of the mesh that is up, but for what the test says. */
export const peer = (address: string, some: Partial<PeerStatus> = {}): PeerStatus => ({
  ...{ address, port: 179, type: 'node-to-node mesh', origin: 'mesh', remoteAsn: 64512, localAsn: 64512 },
  ...{ state: 'Established', since: '2026-11-26T07:00:00.000Z', received: 1, accepted: 1, advertised: 1, flaps: 0 },
  ...some,
});

/** An agent on which all is well, but for what the test says. */
export const nodeStatus = ({
  node = 'node-a1',
  peers = [],
  ...some
}: Partial<NodeStatus> & { readonly peers?: readonly PeerStatus[] } = {}): NodeStatus => ({
  ...{ node, version: '1.2.3', pid: 1, startedAt: '2026-11-26T06:00:00.000Z' },
  bgp: { asn: 64512, bgpIdentifier: '172.30.1.11', address: '172.30.1.11', converged: true, peers },
  datastore: { type: 'memory', inSync: true, revision: 7 },
  dataplane: { routes: 3, pending: 0, failed: 0 },
  health: { live: true, ready: true, reporters: [] },
  ...some,
});
