import { describe, expect, test } from 'vitest';
import { bgpNodes } from '../../../src/agent/bgp-nodes.ts';
import { computePeers } from '../../../src/agent/peers.ts';
import { CALICO_PEER_DEFAULTS } from '../../../src/agent/peers.ts';
import { unmetWishes } from '../../../src/agent/unmet.ts';
import type { AnyResource } from '../../../src/resources/index.ts';
import { view } from '../../support/resources.ts';
import { config, noMesh, peer } from './bgp-resources.ts';
import { a, b, node } from './peers-cluster.ts';

const unmet = (...resources: readonly AnyResource[]): readonly string[] => {
  const seen = view(...resources);
  return unmetWishes(seen, bgpNodes(seen).get('a'), computePeers(seen, 'a', CALICO_PEER_DEFAULTS));
};

describe('what resources ask of a node and do not get', () => {
  test('is nothing where all is as they mean it', () => {
    const reflector = node('rr', '10.0.0.1/24', { cluster: '1.0.0.1' });
    const own = peer('own', { peerIP: '10.0.0.9', asNumber: 64512 });
    expect(unmet(a, b, reflector, own)).toEqual([]);
    expect(unmet(a, b, noMesh)).toEqual([]);
    // The BGPPeer stands in the place of the mesh.
    expect(unmet(a, b, peer('p', { peerIP: '10.0.0.10', asNumber: 64512 }))).toEqual([]);
  });

  test('is a family that the node has not, a secret and a filter that are not there, a second claim on an address', () => {
    const secretKeyRef = { name: 'bgp', key: 'k' };
    expect(
      unmet(
        ...[a, noMesh, peer('six', { peerIP: 'fd00::1', asNumber: 1 })],
        peer('secret', { peerIP: '10.9.0.1', asNumber: 1, password: { secretKeyRef } }),
        peer('one', { peerIP: '10.9.0.2', asNumber: 1, filters: ['f'] }),
        peer('two', { peerIP: '10.9.0.2', asNumber: 2 }),
      ),
    ).toEqual([
      'BGPPeer(six): fd00::1: this node has no IPv6 address',
      'BGPPeer(two): 10.9.0.2: BGPPeer(one) already peers with this address on port 179',
      'BGPPeer(secret): 10.9.0.1: no Secret can be read here; without its password the session would not be protected',
      'BGPPeer(one): 10.9.0.2: BGPFilter(f) does not exist or cannot be read: the peer goes without it',
    ]);
  });

  test('is a mesh password that is not there, for every peer', () => {
    const nodeMeshPassword = { secretKeyRef: { name: 'bgp', key: 'k' } };
    expect(unmet(a, b, config({ nodeMeshPassword }))).toEqual([
      'BGPConfiguration(default): 10.0.0.10: no Secret can be read here; without its password the session would not be protected',
    ]);
  });

  test('local_bgp_peer, ignored_interfaces: is every field that nothing goes by, in the resources that are for this node', () => {
    const pods = { localWorkloadSelector: "app == 'router'", asNumber: 65401 };
    expect(
      unmet(
        ...[
          a,
          b,
          config({ localWorkloadPeeringIPV4: '169.254.0.179', ignoredInterfaces: ['eth9'] }),
          config({ ignoredInterfaces: ['eth8'] }, 'node.a'),
        ],
        ...[config({ ignoredInterfaces: ['eth7'] }, 'node.b'), config({ listenPort: 1 }, 'lost')],
        ...[peer('here', { node: 'a', ...pods }), peer('elsewhere', { node: 'b', ...pods })],
      ),
    ).toEqual([
      'BGPConfiguration(default): spec.ignoredInterfaces is kept, but it changes nothing: routes of interfaces are not announced',
      'BGPConfiguration(default): spec.localWorkloadPeeringIPV4 is kept, but no node peers with its pods yet',
      'BGPConfiguration(node.a): spec.ignoredInterfaces is kept, but it changes nothing: routes of interfaces are not announced',
      'BGPPeer(here): spec.localWorkloadSelector is kept, but no node peers with its pods yet',
      'BGPConfiguration(lost): nothing goes by it, for its name is neither default nor node.NAME',
    ]);
  });
});
