import { expect, test } from 'vitest';
import { findParent, viewHost } from '../../felix/host-snapshot.ts';
import type { KernelLink } from '../../felix/kernel.ts';
import type { KernelRoute } from '../../felix/routes/kernel-route.ts';
import { formatPrefix, parseInterfaceAddress, parseIpAddress, parsePrefix } from '../../src/model/ip.ts';

const link = (index: number, name: string): KernelLink => ({
  index,
  name,
  mtu: 1500,
  up: true,
  running: true,
  mac: '',
});
const address = (ifindex: number, text: string) => ({ ifindex, address: parseInterfaceAddress(text), scope: 0 });
const own = parseIpAddress('172.30.1.11');
const parentOf = (links: readonly KernelLink[], addresses: readonly ReturnType<typeof address>[]) => {
  const parent = findParent({ links, addresses, routes: [] }, own);
  return parent && `${parent.link.name} ${formatPrefix(parent.address)}`;
};

test('the parent is the interface that carries our address, with the mask it has there', () => {
  const links = [link(2, 'eth0'), link(3, 'eth1')];
  expect(parentOf(links, [address(2, '10.0.0.1/8'), address(3, '172.30.1.11/23')])).toBe('eth1 172.30.1.11/23');
  expect(parentOf(links, [address(2, '10.0.0.1/8')])).toBeUndefined();
});

test('a tunnel is never the parent, and of several interfaces the first one is', () => {
  const links = [link(9, 'eth9'), link(4, 'eth4'), link(2, 'tunl0')];
  const everywhere = [9, 4, 2].map((ifindex) => address(ifindex, '172.30.1.11/24'));
  expect(parentOf(links, everywhere)).toBe('eth4 172.30.1.11/24');
});

test('an address that stands as /32 beside one that brings its subnet gets that subnet’s mask', () => {
  const addresses = [address(2, '172.30.1.11/32'), address(2, '172.30.1.99/24')];
  expect(parentOf([link(2, 'eth0')], addresses)).toBe('eth0 172.30.1.11/24');
  expect(parentOf([link(2, 'eth0')], addresses.slice(0, 1))).toBe('eth0 172.30.1.11/32');
});

test('routes of others are seen, best metric first; ours, blackholes and those over our tunnels are not', () => {
  const route = (prefix: string, some: Partial<KernelRoute>): KernelRoute => ({
    ...{ prefix: parsePrefix(prefix), table: 254, protocol: 4, type: 'unicast', scope: 0, metric: 0 },
    ...{ hops: [{ ifindex: 2, onlink: false }], ...some },
  });
  const routes = [
    route('0.0.0.0/0', { metric: 600 }),
    route('10.0.0.0/8', { metric: 100 }),
    route('10.1.0.0/16', { protocol: 80 }),
    route('10.2.0.0/16', { type: 'blackhole', hops: [] }),
    route('10.3.0.0/16', { hops: [{ ifindex: 3, onlink: true }] }),
  ];
  const snapshot = { links: [link(2, 'eth0'), link(3, 'tunl0')], addresses: [], routes };
  const seen = viewHost(snapshot, { address: parseInterfaceAddress('172.30.1.11/24') }, new Map()).foreignRoutes;
  expect(seen.map(({ prefix, hops }) => `${formatPrefix(prefix)} ${hops.length}`)).toEqual([
    '10.3.0.0/16 0',
    '10.0.0.0/8 1',
    '0.0.0.0/0 1',
  ]);
});
