import { describe, expect, test } from 'vitest';
import { encapDecision } from '../../../felix/calc/encap.ts';
import type { EncapMode } from '../../../felix/inputs.ts';
import { node, pool } from '../../support/dataplane-inputs.ts';

const own = node('own', '172.30.1.11/24');
const near = node('near', '172.30.1.12/24');
const far = node('far', '172.30.2.11/24');

describe('how a packet travels to another node', () => {
  const table: readonly [EncapMode, EncapMode, kinds: readonly [near: string, far: string]][] = [
    // ipip, vxlan, same subnet, other subnet
    ['Never', 'Never', ['direct', 'direct']],
    ['Always', 'Never', ['ipip', 'ipip']],
    ['CrossSubnet', 'Never', ['direct', 'ipip']],
    ['Never', 'Always', ['vxlan', 'vxlan']],
    ['Never', 'CrossSubnet', ['direct', 'vxlan']],
  ];
  test.each(table)('IPIP %s and VXLAN %s: %j, within the subnet and beyond it', (ipip, vxlan, [kindNear, kindFar]) => {
    const some = pool('192.168.0.0/16', { ipip, vxlan });
    expect(encapDecision(some, own, near).kind).toBe(kindNear);
    expect(encapDecision(some, own, far).kind).toBe(kindFar);
  });
});

test('the reason names the pool, its mode and both addresses', () => {
  const crossSubnet = pool('192.168.0.0/16', { ipip: 'CrossSubnet' });
  expect(encapDecision(crossSubnet, own, far).reason).toBe(
    'ippool p is IPIP CrossSubnet and 172.30.1.11/24 does not contain 172.30.2.11, so through tunl0',
  );
  expect(encapDecision(crossSubnet, own, near).reason).toBe(
    'ippool p is IPIP CrossSubnet and 172.30.1.11/24 contains 172.30.1.12, so direct',
  );
  expect(encapDecision(pool('192.168.0.0/16', { vxlan: 'Always' }), own, near).reason).toBe(
    'ippool p is VXLAN Always, so through vxlan.calico',
  );
  expect(encapDecision(pool('192.168.0.0/16'), own, far).reason).toBe('ippool p has no encapsulation, so direct');
});

test('only our own mask counts, not the one the other node has', () => {
  const crossSubnet = pool('192.168.0.0/16', { ipip: 'CrossSubnet' });
  const wide = node('wide', '172.30.1.11/16');
  const narrow = node('narrow', '172.30.2.11/28');
  expect(encapDecision(crossSubnet, wide, narrow).kind).toBe('direct');
  expect(encapDecision(crossSubnet, narrow, wide).kind).toBe('ipip');
});

test('an IPv6 pool has no IPIP, whatever it says', () => {
  const own6 = node('own', 'fd00:1::1/64');
  const far6 = node('far', 'fd00:2::1/64');
  expect(encapDecision(pool('fd10::/48', { ipip: 'Always' }), own6, far6).kind).toBe('direct');
  expect(encapDecision(pool('fd10::/48', { vxlan: 'CrossSubnet' }), own6, far6).kind).toBe('vxlan');
});
