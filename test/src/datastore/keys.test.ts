import { expect, test } from 'vitest';
import {
  affinityKey,
  blockKey,
  handleKey,
  parseAffinityKey,
  parseBlockKey,
  parseHandleKey,
  parseResourceKey,
  resourceKey,
  resourcePrefix,
} from '../../../src/datastore/keys.ts';
import { parsePrefix } from '../../../src/model/ip.ts';

test('resources live where Calico keeps them, and their keys are read back', () => {
  const pool = { plural: 'ippools', name: 'default' };
  const pod = { plural: 'workloadendpoints', namespace: 'shop', name: 'n1-k8s-web-eth0' };
  expect(resourceKey(pool)).toBe('/calico/resources/v3/projectcalico.org/ippools/default');
  expect(resourceKey(pod)).toBe('/calico/resources/v3/projectcalico.org/workloadendpoints/shop/n1-k8s-web-eth0');
  expect(parseResourceKey(resourceKey(pool))).toEqual(pool);
  expect(parseResourceKey(resourceKey(pod))).toEqual(pod);
  expect(resourceKey(pod).startsWith(resourcePrefix('workloadendpoints', 'shop'))).toBe(true);
});

test.each([
  [
    '10.1.2.0/26',
    '/calico/ipam/v2/assignment/ipv4/block/10.1.2.0-26',
    '/calico/ipam/v2/host/n1/ipv4/block/10.1.2.0-26',
  ],
  [
    'fd00::40/122',
    '/calico/ipam/v2/assignment/ipv6/block/fd00::40-122',
    '/calico/ipam/v2/host/n1/ipv6/block/fd00::40-122',
  ],
])('the block %s and its affinity live where Calico keeps them', (cidr, block, affinity) => {
  const prefix = parsePrefix(cidr);
  expect(blockKey(prefix)).toBe(block);
  expect(affinityKey('n1', prefix)).toBe(affinity);
  expect(parseBlockKey(block)).toEqual(prefix);
  expect(parseAffinityKey(affinity)).toEqual({ host: 'n1', prefix });
});

test("a handle's key is read back", () => {
  expect(handleKey('k8s-pod-network.0a1b')).toBe('/calico/ipam/v2/handle/k8s-pod-network.0a1b');
  expect(parseHandleKey('/calico/ipam/v2/handle/k8s-pod-network.0a1b')).toBe('k8s-pod-network.0a1b');
});

test.each([
  '/calico/ipam/v2/host/n1',
  '/calico/ipam/v2/host/n1/ipv4/block/10.1.2.1-26',
  '/calico/ipam/v2/host/n1/ipv6/block/10.1.2.0-26',
  '/calico/ipam/v2/assignment/ipv4/block/10.1.2.0',
  '/calico/ipam/v2/handle/',
  '/calico/resources/v3/projectcalico.org/ippools',
  '/calico/resources/v3/projectcalico.org/a/b/c/d',
  '/calico/resources/v3/projectcalico.org//x',
  '/registry/pods/a/b',
])('%s is none of ours', (key) => {
  const parsed = [parseAffinityKey(key), parseBlockKey(key), parseHandleKey(key), parseResourceKey(key)];
  expect(parsed).toEqual([undefined, undefined, undefined, undefined]);
});
