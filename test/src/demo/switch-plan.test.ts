import { expect, test } from 'vitest';
import { formatIpAddress, formatPrefix } from '../../../src/model/ip.ts';
import { planSwitch } from '../../../src/demo/switch-plan.ts';
import { buildTopology, SWITCHES } from '../../../src/demo/topology.ts';

test('our own speaker in the place of tor-a has the same neighbors and subnets as the sample for BIRD', () => {
  const plan = planSwitch(SWITCHES[0], buildTopology({ etcd: true }));
  expect(plan.speaker).toMatchObject({ asn: 65001, bgpIdentifier: 0xac1e0101, transit: true });
  expect(plan.peers.map((peer) => [formatIpAddress(peer.address), peer.remoteAsn, peer.passive])).toEqual([
    ['172.30.0.2', 65002, false],
    ['172.30.1.11', 64512, true],
    ['172.30.1.12', 64512, true],
  ]);
  expect(plan.originated.map(({ prefix }) => formatPrefix(prefix))).toEqual([
    '172.30.1.0/24',
    '172.30.0.0/30',
    '172.30.9.0/24',
    '172.30.8.0/24',
  ]);
});

test('tor-b has nothing behind it but its rack and the other switch', () => {
  const plan = planSwitch(SWITCHES[1], buildTopology({ etcd: true }));
  expect(plan.peers.map((peer) => formatIpAddress(peer.address))).toEqual(['172.30.0.1', '172.30.2.11', '172.30.2.12']);
  expect(plan.originated.map(({ prefix }) => formatPrefix(prefix))).toEqual(['172.30.2.0/24', '172.30.0.0/30']);
});
