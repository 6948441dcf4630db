import { beforeEach, expect, test, vi } from 'vitest';
import type { WorkloadInterface } from '../../felix/index.ts';
import { KernelError } from '../../felix/kernel.ts';
import type { KernelLink } from '../../felix/kernel.ts';
import { SCOPE, formatRoute } from '../../felix/routes/kernel-route.ts';
import { addWorkloadInterface, removeWorkloadInterface } from '../../felix/workload-interface.ts';
import { formatPrefix, parseInterfaceAddress, parseIpAddress } from '../../src/model/ip.ts';
import { FakeKernel } from '../support/fake-kernel.ts';

const netns = '/var/run/netns/pod1';
let pod: FakeKernel;
let host: FakeKernel;
const routeOver = vi.fn<(hostSide: KernelLink) => Promise<void>>();

const workload: WorkloadInterface = {
  netns,
  containerInterface: 'eth0',
  hostInterface: 'cali0123456789a',
  addresses: [parseIpAddress('10.65.0.2')],
  mtu: 1380,
};

const add = (fields: Partial<WorkloadInterface> = {}): Promise<{ readonly mac: string }> =>
  addWorkloadInterface({ ...workload, ...fields }, { host, openNamespace: () => pod, routeOver });

beforeEach(() => {
  routeOver.mockReset().mockResolvedValue(undefined);
  pod = new FakeKernel();
  host = new FakeKernel(new Map([[netns, pod]]));
});

test('makes the pair with the pod side in the pod, and the routes that need no subnet', async () => {
  const { mac } = await add();
  const [hostSide] = (await host.listLinks()).filter(({ kind }) => kind === 'veth');
  const [podSide] = (await pod.listLinks()).filter(({ kind }) => kind === 'veth');
  expect(hostSide).toMatchObject({ name: 'cali0123456789a', mac: 'ee:ee:ee:ee:ee:ee', mtu: 1380, up: true });
  expect(podSide).toMatchObject({ name: 'eth0', mac, mtu: 1380, up: true });
  expect((await pod.listAddresses()).map(({ address }) => formatPrefix(address))).toEqual(['10.65.0.2/32']);
  expect([...(await pod.listRoutes())].map(formatRoute)).toEqual([
    '169.254.1.1/32 dev 2 metric 0 proto 80',
    '0.0.0.0/0 via 169.254.1.1 dev 2 metric 0 proto 80',
  ]);
  expect(await host.readSysctl('net/ipv4/conf/cali0123456789a/proxy_arp')).toBe('1');
});

test('the host is asked for its routes over the link that was made', async () => {
  await add();
  const { index } = (await host.getLink('cali0123456789a'))!;
  expect(routeOver.mock.calls.map(([link]) => link.index)).toEqual([index]);
});

test('forwarding in the pod is off, unless it is asked for', async () => {
  const both = [parseIpAddress('10.65.0.2'), parseIpAddress('fd00::2')];
  const read = () => pod.readSysctls(['net/ipv4/ip_forward', 'net/ipv6/conf/all/forwarding']);
  await add({ addresses: both });
  expect(await read()).toEqual(['0', '0']);
  await add({ addresses: both, allowIpForwarding: true });
  expect(await read()).toEqual(['1', '1']);
});

test('an MTU of 0 leaves the kernel’s own', async () => {
  await add({ mtu: 0 });
  expect((await host.listLinks())[1]).toMatchObject({ mtu: 1500 });
});

test('a second call makes no link anew', async () => {
  const first = await add();
  const links = await host.listLinks();
  host.journal.length = 0;
  expect(await add()).toEqual(first);
  expect(host.journal.filter((words) => words.includes('delete'))).toEqual([]);
  expect(await host.listLinks()).toEqual(links);
});

test('a call that fails half way removes the pair it made, and tells interface, namespace and cause', async () => {
  pod.failNext('writeRoutes', { matching: '0.0.0.0/0', code: 'ENETUNREACH' });
  await expect(add()).rejects.toMatchObject({
    code: 'ENETUNREACH',
    message: expect.stringMatching(
      /^interface cali0123456789a of the pod in .*pod1: route 0\.0\.0\.0\/0 inside the pod/,
    ),
  });
  expect((await host.listLinks()).map(({ name }) => name)).toEqual(['lo']);
  expect((await pod.listLinks()).map(({ name }) => name)).toEqual(['lo']);
});

test.each<[string, () => void]>([
  ['a sysctl of the host', () => host.failNext('writeSysctl', { matching: 'rp_filter', code: 'EACCES' })],
  [
    'accept_ra, and not because it is not there',
    () => host.failNext('writeSysctl', { matching: 'accept_ra', code: 'EACCES' }),
  ],
  ['the host side', () => host.failNext('setLink', { code: 'EACCES' })],
  ['a sysctl of the pod', () => pod.failNext('writeSysctl', { matching: 'ip_forward', code: 'EACCES' })],
  ['the loopback', () => pod.failNext('setLink', { matching: 'link 1 ', code: 'EACCES' })],
  ['the pod side', () => pod.failNext('setLink', { matching: 'link 2 ', code: 'EACCES' })],
  ['the route to the pod', () => routeOver.mockRejectedValueOnce(new KernelError('refused', 'EACCES'))],
  ['the address', () => pod.failNext('addAddress', { code: 'EACCES' })],
  [
    'the look at what was made',
    () => vi.spyOn(pod, 'getLink').mockRejectedValueOnce(new KernelError('refused', 'EACCES')),
  ],
])('whatever is refused, nothing is left, and the next call makes it: %s', async (_, refuse) => {
  refuse();
  await expect(add()).rejects.toMatchObject({ code: 'EACCES' });
  expect((await host.listLinks()).map(({ name }) => name)).toEqual(['lo']);
  expect((await pod.listLinks()).map(({ name }) => name)).toEqual(['lo']);
  await add();
  expect([...(await pod.listRoutes())]).toHaveLength(2);
});

test('a host without IPv6 has nothing to accept', async () => {
  host.failNext('writeSysctl', { matching: 'accept_ra', code: 'ENOENT' });
  await add();
  expect((await host.getLink('cali0123456789a'))?.up).toBe(true);
});

test('a link of that name that is no pair of this pod is replaced', async () => {
  host.givenLink({ name: 'cali0123456789a', kind: 'dummy', mtu: 1500, up: true, running: true, mac: '' });
  await add();
  expect(await host.getLink('cali0123456789a')).toMatchObject({ kind: 'veth', up: true });
});

test('asks for its own links alone, however many others there are', async () => {
  for (const kernel of [host, pod]) kernel.failNext('listLinks', { code: 'EIO', times: 1000 });
  await add();
  await add();
  for (const kernel of [host, pod]) kernel.heal();
});

test('a second call removes an address of before, and not the kernel’s own', async () => {
  await add();
  await pod.addAddress({ ifindex: 2, address: parseInterfaceAddress('fe80::1/64'), scope: SCOPE.link });
  await add({ addresses: [parseIpAddress('10.65.0.9')] });
  const addresses = (await pod.listAddresses()).map(({ address }) => formatPrefix(address));
  expect(addresses.sort()).toEqual(['10.65.0.9/32', 'fe80::1/64']);
});

test('a second call that fails keeps the pair that a live pod uses', async () => {
  await add();
  host.failNext('setLink', { code: 'ENOMEM' });
  await expect(add()).rejects.toMatchObject({ code: 'ENOMEM' });
  expect((await host.listLinks()).map(({ name }) => name)).toContain('cali0123456789a');
});

test('removal is by name, and twice is once', async () => {
  await add();
  await removeWorkloadInterface('cali0123456789a', host);
  await removeWorkloadInterface('cali0123456789a', host);
  expect((await pod.listLinks()).map(({ name }) => name)).toEqual(['lo']);
});
