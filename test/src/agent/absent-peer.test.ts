import { expect, test } from 'vitest';
import { whyNoPeer } from '../../../src/agent/absent-peer.ts';
import { CALICO_PEER_DEFAULTS, computePeers } from '../../../src/agent/peers.ts';
import { parseIpAddress } from '../../../src/model/ip.ts';
import type { AnyResource } from '../../../src/resources/index.ts';
import { resource, view } from '../../support/resources.ts';

const node = (name: string, labels: object, bgp: object): AnyResource =>
  resource('Node', { name, labels: { ...labels } }, { bgp });
const peer = (name: string, spec: object): AnyResource => resource('BGPPeer', name, spec);
const mesh = (nodeToNodeMeshEnabled: boolean): AnyResource =>
  resource('BGPConfiguration', 'default', { nodeToNodeMeshEnabled });

function why(address: string, ...given: readonly AnyResource[]): readonly string[] {
  const resources = view(...given);
  const { omitted } = computePeers(resources, 'a', CALICO_PEER_DEFAULTS);
  return whyNoPeer(parseIpAddress(address), { resources, nodeName: 'a', omitted });
}

const a = node('a', { rack: 'r1' }, { ipv4Address: '10.0.0.1/24' });
const b = node('b', { rack: 'r2' }, { ipv4Address: '10.0.0.2/24' });
const TOR = '10.0.0.254';

test('a nodeSelector that does not match this node is named with the label that it asks about', () => {
  const tor = peer('tor', { nodeSelector: "rack == 'r2'", peerIP: TOR, asNumber: 65000 });
  expect(why(TOR, a, b, tor)).toEqual([
    `BGPPeer(tor) names ${TOR}, but its nodeSelector "rack == 'r2'" does not match Node(a): label rack is 'r1'`,
  ]);
});

test('a label that is not there is told as such', () => {
  const tor = peer('tor', { nodeSelector: 'has(tor) && rack == "r1"', peerIP: TOR, asNumber: 65000 });
  expect(why(TOR, a, tor)[0]).toMatch(/label tor is not there, label rack is 'r1'$/);
});

test('a BGPPeer of another node says whose it is', () => {
  const tor = peer('tor', { node: 'b', peerIP: TOR, asNumber: 65000 });
  expect(why(TOR, a, b, tor)).toEqual([`BGPPeer(tor) names ${TOR}, but is for Node(b) alone`]);
});

test('a peerSelector that does not match the node with the address', () => {
  const rr = peer('rr', { nodeSelector: 'all()', peerSelector: 'has(route-reflector)' });
  expect(why('10.0.0.2', a, b, mesh(false), rr)).toEqual([
    'BGPConfiguration(default): node-to-node mesh: nodeToNodeMeshEnabled is false',
    'BGPPeer(rr): its peerSelector "has(route-reflector)" does not match Node(b): label route-reflector is not there',
  ]);
});

test('the mesh leaves a route reflector out, and says so', () => {
  const reflector = node('b', {}, { ipv4Address: '10.0.0.2/24', routeReflectorClusterID: '1.0.0.1' });
  expect(why('10.0.0.2', a, reflector)[0]).toContain('is a route reflector of cluster 1.0.0.1');
});

test('an address that nothing names, our own address, and a node that is not there', () => {
  expect(why('10.9.9.9', a, b)).toEqual(['no BGPPeer names 10.9.9.9, and no Node has that address']);
  expect(why('10.0.0.1', a, b)).toEqual(['10.0.0.1 is an address of this node itself']);
  expect(why('10.0.0.2', b)).toEqual(['Node(a) is not in the datastore, so it has no peers']);
});
