import { describe, expect, test } from 'vitest';
import type { DesiredTunnel, TunnelPlan } from '../../felix/calc/tunnels.ts';
import type { Kernel, KernelLink } from '../../felix/kernel.ts';
import type { LinkPermissions } from '../../felix/link-table.ts';
import { LinkTable, planLink } from '../../felix/link-table.ts';
import { formatPrefix, hostPrefix, parseInterfaceAddress, parseIpAddress } from '../../src/model/ip.ts';
import { FakeKernel } from '../support/fake-kernel.ts';

const may: LinkPermissions = { mayDelete: true, isInUse: () => false };
const ipip = { kind: 'ipip', name: 'tunl0', mtu: 1480, address: parseIpAddress('192.168.1.1') } as const;
const device = { vni: 4096, port: 4789, parentIndex: 2, local: parseIpAddress('172.30.1.11') };
const vxlan: DesiredTunnel = {
  kind: 'vxlan',
  name: 'vxlan.calico',
  mtu: 1450,
  address: parseIpAddress('192.168.1.2'),
  vxlan: { ...device, mac: '66:00:00:00:00:01' },
};
const wanted = (tunnel: DesiredTunnel): TunnelPlan => ({ state: 'wanted', tunnel });
const unwanted = (kind: 'ipip' | 'vxlan', name: string, ...taken: readonly string[]): TunnelPlan => ({
  ...{ state: 'unwanted', kind, name },
  taken: taken.map((text) => parseIpAddress(text)),
});

const read = async (kernel: Kernel) => ({ links: await kernel.listLinks(), addresses: await kernel.listAddresses() });

interface Circumstances {
  readonly may?: LinkPermissions;
  readonly table?: LinkTable;
  readonly now?: number;
}

async function converge(kernel: FakeKernel, plan: TunnelPlan, some: Circumstances = {}) {
  const table = some.table ?? new LinkTable(kernel);
  return table.reconcile(plan, some.now ?? 0, {
    host: await read(kernel),
    read: () => read(kernel),
    may: some.may ?? may,
  });
}

async function show(kernel: FakeKernel, name: string) {
  const { links, addresses } = await read(kernel);
  const link = links.find((one) => one.name === name);
  const own = addresses.filter(({ ifindex }) => ifindex === link?.index).map(({ address }) => formatPrefix(address));
  return link && { mtu: link.mtu, up: link.up, addresses: own };
}

test('tunl0 is made with its MTU, its one address, and up', async () => {
  const kernel = new FakeKernel();
  expect((await converge(kernel, wanted(ipip))).error).toBeUndefined();
  expect(await show(kernel, 'tunl0')).toEqual({ mtu: 1480, up: true, addresses: ['192.168.1.1/32'] });
});

test('vxlan.calico is made with VNI, port, parent and MAC, without learning', async () => {
  const kernel = new FakeKernel();
  await converge(kernel, wanted(vxlan));
  const link = (await kernel.listLinks()).find(({ name }) => name === 'vxlan.calico');
  expect(link).toMatchObject({ kind: 'vxlan', mac: '66:00:00:00:00:01', vxlan: { ...device, learning: false } });
  expect(await show(kernel, 'vxlan.calico')).toEqual({ mtu: 1450, up: true, addresses: ['192.168.1.2/32'] });
});

test('tunl0 discovers the MTU of its paths, which the kernel’s own does not, and is told so once', async () => {
  const kernel = new FakeKernel();
  await converge(kernel, wanted(ipip));
  expect((await kernel.listLinks()).find(({ name }) => name === 'tunl0')?.pmtuDiscovery).toBe(true);
  expect(kernel.journal.filter((line) => line.includes('pmtuDiscovery')).length).toBe(1);
});

test.each([wanted(ipip), wanted(vxlan)])('a tunnel that is right is not touched', async (plan) => {
  const kernel = new FakeKernel();
  await converge(kernel, plan);
  const before = kernel.journal.length;
  expect((await converge(kernel, plan)).changed).toBe(0);
  expect(kernel.journal.length).toBe(before);
});

test('whatever somebody did to tunl0, it gets its MTU, its state and exactly its address back', async () => {
  const kernel = new FakeKernel();
  await converge(kernel, wanted(ipip));
  const { index } = (await kernel.listLinks()).find(({ name }) => name === 'tunl0')!;
  await kernel.setLink(index, { mtu: 1400, up: false });
  await kernel.removeAddress({ ifindex: index, address: hostPrefix(ipip.address), scope: 0 });
  await kernel.addAddress({ ifindex: index, address: parseInterfaceAddress('10.0.0.1/24'), scope: 0 });
  await converge(kernel, wanted(ipip));
  expect(await show(kernel, 'tunl0')).toEqual({ mtu: 1480, up: true, addresses: ['192.168.1.1/32'] });
});

test('a new address comes before the old one goes', async () => {
  const kernel = new FakeKernel();
  await converge(kernel, wanted(ipip));
  kernel.journal.length = 0;
  await converge(kernel, wanted({ ...ipip, address: parseIpAddress('192.168.1.9') }));
  expect(kernel.journal.map((line) => line.replace(/ on link.*/, ''))).toEqual([
    'add address 192.168.1.9/32',
    'remove address 192.168.1.1/32',
  ]);
});

test('a tunnel without an address assigned yet is made all the same, and an address on it stays', async () => {
  const kernel = new FakeKernel();
  await converge(kernel, wanted(ipip));
  await converge(kernel, wanted({ kind: 'ipip', name: 'tunl0', mtu: 1480 }));
  expect(await show(kernel, 'tunl0')).toMatchObject({ addresses: ['192.168.1.1/32'] });
});

test('a vxlan.calico with another VNI is made anew, but not before all is in sync', async () => {
  const kernel = new FakeKernel();
  await converge(kernel, wanted(vxlan));
  const other = wanted({ ...vxlan, vxlan: { ...vxlan.vxlan!, vni: 5000 } });
  expect((await converge(kernel, other, { may: { ...may, mayDelete: false } })).changed).toBe(0);
  await converge(kernel, other);
  expect((await kernel.listLinks()).find(({ name }) => name === 'vxlan.calico')?.vxlan?.vni).toBe(5000);
  expect(await show(kernel, 'vxlan.calico')).toEqual({ mtu: 1450, up: true, addresses: ['192.168.1.2/32'] });
});

test('a kernel without ipip gives one clear error, and the next try waits', async () => {
  const kernel = new FakeKernel();
  kernel.failNext('createLink', { code: 'EOPNOTSUPP', times: 9 });
  const table = new LinkTable(kernel);
  const { error } = await converge(kernel, wanted(ipip), { table });
  expect(error?.message).toBe('the kernel has no ipip module: modprobe ipip');
  expect(table.errors([wanted(ipip)]).get('tunl0')).toBe(error?.message);
  expect(table.nextDueAt()).toBe(250);
  await converge(kernel, wanted(ipip), { table });
  expect(kernel.journal.length).toBe(1);
});

test('a link that was refused and then comes by itself is finished at once, and waits again where it is refused again', async () => {
  const kernel = new FakeKernel();
  const table = new LinkTable(kernel);
  for (const now of [0, 250, 750]) {
    kernel.failNext('createLink', { code: 'EOPNOTSUPP' });
    expect((await converge(kernel, wanted(ipip), { table, now })).error).toBeDefined();
  }
  expect(table.nextDueAt()).toBe(1750);
  // As tunl0 does where somebody else loads the module.
  await kernel.createLink({ kind: 'ipip', name: 'tunl0' });
  kernel.failNext('addAddress', { code: 'ENOBUFS' });
  expect((await converge(kernel, wanted(ipip), { table, now: 800 })).error?.message).toMatch(/ENOBUFS/);
  expect(await converge(kernel, wanted(ipip), { table, now: 900 })).toEqual({ name: 'tunl0', changed: 0 });
  expect(table.nextDueAt()).toBe(1050);
  expect((await converge(kernel, wanted(ipip), { table, now: 1050 })).error).toBeUndefined();
  expect(await show(kernel, 'tunl0')).toEqual({ mtu: 1480, up: true, addresses: ['192.168.1.1/32'] });
});

describe('a tunnel that nobody wants any more', () => {
  const tunnels = [
    { tunnel: ipip, gone: { mtu: 1480, up: true, addresses: [] } },
    { tunnel: vxlan, gone: undefined },
  ];

  test.each(tunnels)('$tunnel.name takes packets for ten more seconds, then goes', async ({ tunnel, gone }) => {
    const kernel = new FakeKernel();
    const table = new LinkTable(kernel);
    const plan = unwanted(tunnel.kind, tunnel.name);
    await converge(kernel, wanted(tunnel), { table });
    const whole = await show(kernel, tunnel.name);
    for (const now of [1000, 5000, 10_999]) {
      expect(await converge(kernel, plan, { table, now })).toEqual({ name: tunnel.name, changed: 0 });
      expect(table.nextDueAt()).toBe(11_000);
    }
    expect(await show(kernel, tunnel.name)).toEqual(whole);
    await converge(kernel, plan, { table, now: 11_000 });
    expect(await show(kernel, tunnel.name)).toEqual(gone);
    expect(table.nextDueAt()).toBeUndefined();
  });

  test.each(tunnels)('$tunnel.name stays as long as packets come out of it', async ({ tunnel, gone }) => {
    const kernel = new FakeKernel();
    const table = new LinkTable(kernel);
    const plan = unwanted(tunnel.kind, tunnel.name);
    await converge(kernel, wanted(tunnel), { table });
    kernel.receiveOver(tunnel.name, 7);
    const whole = await show(kernel, tunnel.name);
    for (const now of [0, 10_000, 20_000]) {
      expect((await converge(kernel, plan, { table, now })).changed).toBe(0);
      expect(table.nextDueAt()).toBe(now + 10_000);
      kernel.receiveOver(tunnel.name, 1);
    }
    await converge(kernel, plan, { table, now: 30_000 });
    expect(await show(kernel, tunnel.name)).toEqual(whole);
    await converge(kernel, plan, { table, now: 40_000 });
    expect(await show(kernel, tunnel.name)).toEqual(gone);
  });

  test.each(tunnels)('$tunnel.name goes at once where a pod has its address now', async ({ tunnel, gone }) => {
    const kernel = new FakeKernel();
    const table = new LinkTable(kernel);
    await converge(kernel, wanted(tunnel), { table });
    await converge(kernel, unwanted(tunnel.kind, tunnel.name), { table, now: 1000 });
    const taken = formatPrefix(hostPrefix(tunnel.address!)).replace('/32', '');
    await converge(kernel, unwanted(tunnel.kind, tunnel.name, taken), { table, now: 1001 });
    expect(await show(kernel, tunnel.name)).toEqual(gone);
    expect(table.nextDueAt()).toBeUndefined();
  });

  test('one that is wanted again in between counts anew the next time', async () => {
    const kernel = new FakeKernel();
    const table = new LinkTable(kernel);
    const plan = unwanted('ipip', 'tunl0');
    await converge(kernel, wanted(ipip), { table });
    await converge(kernel, plan, { table, now: 1000 });
    await converge(kernel, wanted(ipip), { table, now: 5000 });
    expect(table.nextDueAt()).toBeUndefined();
    await converge(kernel, plan, { table, now: 12_000 });
    expect(table.nextDueAt()).toBe(22_000);
    expect(await show(kernel, 'tunl0')).toMatchObject({ addresses: ['192.168.1.1/32'] });
  });

  test('a refused removal is tried again as any other', async () => {
    const kernel = new FakeKernel();
    const table = new LinkTable(kernel);
    const plan = unwanted('vxlan', 'vxlan.calico');
    await converge(kernel, wanted(vxlan), { table });
    await converge(kernel, plan, { table });
    kernel.failNext('deleteLink', { code: 'EBUSY', times: 1 });
    expect((await converge(kernel, plan, { table, now: 10_000 })).error).toMatchObject({ code: 'EBUSY' });
    expect(table.nextDueAt()).toBe(10_250);
    await converge(kernel, plan, { table, now: 10_250 });
    expect(await show(kernel, 'vxlan.calico')).toBeUndefined();
  });
});

test('an unwanted tunnel stays while a route of ours uses it, and while not all is in sync', () => {
  const link: KernelLink = {
    index: 7,
    name: 'vxlan.calico',
    kind: 'vxlan',
    mtu: 1450,
    up: true,
    running: true,
    mac: '',
  };
  const host = { links: [link], addresses: [] };
  const plan = unwanted('vxlan', 'vxlan.calico');
  expect(planLink(plan, host, { mayDelete: true, isInUse: (ifindex) => ifindex === 7 })).toEqual([]);
  expect(planLink(plan, host, { mayDelete: false, isInUse: () => false })).toEqual([]);
  expect(planLink(plan, host, may)).toEqual([{ op: 'delete', name: 'vxlan.calico' }]);
});
