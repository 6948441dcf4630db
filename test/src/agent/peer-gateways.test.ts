import { expect, test } from 'vitest';
import { peerGateways } from '../../../src/agent/peer-gateways.ts';
import { formatIpAddress } from '../../../src/model/ip.ts';
import type { AnyResource } from '../../../src/resources/index.ts';
import { resource, view } from '../../support/resources.ts';
import { a, b, node } from './peers-cluster.ts';

const peer = (name: string, spec: object): AnyResource => resource('BGPPeer', name, { asNumber: 65001, ...spec });
const gatewaysOf = (name: string, ...resources: readonly AnyResource[]): readonly string[] =>
  peerGateways(view(a, b, ...resources), name).map(
    (each) => `${formatIpAddress(each.peer)} by ${formatIpAddress(each.gateway)}: ${each.origin}`,
  );

test('a node takes those of the BGPPeers that are for it, whatever the port', () => {
  const tor = peer('tor', { peerIP: '10.9.9.9:1179', reachableBy: '10.0.0.1', node: 'a' });
  expect(gatewaysOf('a', tor)).toEqual(['10.9.9.9 by 10.0.0.1: BGPPeer(tor)']);
  expect(gatewaysOf('b', tor)).toEqual([]);
  expect(gatewaysOf('unborn', tor)).toEqual([]);
});

test('of two for one peer the global one counts, as it does for the session', () => {
  const own = peer('a-own', { peerIP: '10.9.9.9', reachableBy: '10.0.0.2', node: 'a' });
  const global = peer('z-global', { peerIP: '10.9.9.9', reachableBy: '10.0.0.1' });
  expect(gatewaysOf('a', own, global)).toEqual(['10.9.9.9 by 10.0.0.1: BGPPeer(z-global)']);
});

test('a node without an address of the family has no session, and needs no way', () => {
  const six = peer('six', { peerIP: '2001:db8::9', reachableBy: '2001:db8::1' });
  expect(gatewaysOf('a', six)).toEqual([]);
  const dual = node('d', '10.0.0.12/24', { v6: '2001:db8::12/64' });
  expect(gatewaysOf('d', dual, six)).toEqual(['2001:db8::9 by 2001:db8::1: BGPPeer(six)']);
});
