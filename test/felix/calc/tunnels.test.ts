import { expect, test } from 'vitest';
import { tunnelMac } from '../../../felix/calc/tunnel-mac.ts';
import { planTunnelPeers, planTunnels, podMtu } from '../../../felix/calc/tunnels.ts';
import { formatIpAddress } from '../../../src/model/ip.ts';
import { host, inputs, node, pool } from '../../support/dataplane-inputs.ts';

const settings = { ipipMtu: 0, vxlanMtu: 0, vxlanVni: 4096, vxlanPort: 4789 };
const ipip = pool('192.168.0.0/16', { ipip: 'CrossSubnet' });
const vxlan = pool('192.168.0.0/16', { vxlan: 'CrossSubnet' });

test('tunl0 follows the parent’s MTU less 20 and carries our tunnel address', () => {
  const [tunl0, other] = planTunnels(inputs({ pools: [ipip] }), host(), settings);
  expect(tunl0).toMatchObject({ state: 'wanted', tunnel: { name: 'tunl0', mtu: 1480 } });
  expect(tunl0?.state === 'wanted' && formatIpAddress(tunl0.tunnel.address!)).toBe('192.168.1.1');
  expect(other).toEqual({ state: 'unwanted', kind: 'vxlan', name: 'vxlan.calico', taken: [] });
});

test('vxlan.calico is on the parent with VNI 4096, port 4789, MTU less 50, and a MAC made of the node’s name', () => {
  const [, plan] = planTunnels(inputs({ pools: [vxlan] }), host(), settings);
  expect(plan).toMatchObject({
    state: 'wanted',
    tunnel: { mtu: 1450, vxlan: { vni: 4096, port: 4789, parentIndex: 2, mac: tunnelMac({ name: 'node-a1' }) } },
  });
});

test('an MTU from the settings wins over the parent’s', () => {
  const [tunl0] = planTunnels(inputs({ pools: [ipip] }), host(), { ...settings, ipipMtu: 1300 });
  expect(tunl0).toMatchObject({ tunnel: { mtu: 1300 } });
});

test('while no interface carries our address a wanted tunnel waits rather than goes', () => {
  const plans = planTunnels(inputs({ pools: [ipip] }), host({ noParent: true }), settings);
  expect(plans.map(({ state }) => state)).toEqual(['waiting', 'unwanted', 'unwanted']);
});

test('pods get the smallest MTU of the tunnels in use', () => {
  expect(podMtu(inputs({ pools: [pool('10.0.0.0/8')] }), 1500, settings)).toBe(1500);
  expect(podMtu(inputs({ pools: [ipip] }), 1500, settings)).toBe(1480);
  expect(podMtu(inputs({ pools: [ipip, vxlan] }), 1500, settings)).toBe(1450);
});

test('the MAC is 66 and the first five octets of the name’s SHA-1, or what the node says', () => {
  // printf node-b1 | sha1sum
  expect(tunnelMac({ name: 'node-b1' })).toBe('66:20:fd:f9:3d:c1');
  expect(tunnelMac({ name: 'node-b1', vxlanTunnelMac: '66:AA:00:00:00:01' })).toBe('66:aa:00:00:00:01');
});

test('each node with a tunnel address is a peer of vxlan.calico; without VXLAN there is none', () => {
  const nodes = [node('z', '172.30.2.9/24', { vxlan: '192.168.9.9' }), node('a', '172.30.2.8/24')];
  const peers = planTunnelPeers(inputs({ pools: [vxlan], nodes }));
  expect(peers.map(({ gateway, remote }) => [formatIpAddress(gateway), formatIpAddress(remote)])).toEqual([
    ['192.168.9.9', '172.30.2.9'],
  ]);
  expect(planTunnelPeers(inputs({ pools: [ipip], nodes }))).toEqual([]);
});
