/** What somebody does to our objects in the kernel is put right within 100 ms, counted, and told when it goes on. */
import { describe, expect, test, vi } from 'vitest';
import type { KernelRoute } from '../../felix/routes/kernel-route.ts';
import { formatPrefix, parseIpAddress } from '../../src/model/ip.ts';
import { pool } from '../support/dataplane-inputs.ts';
import { full, kernelRoute, newHost, startWith } from '../support/dataplane-rig.ts';
import type { Rig } from '../support/dataplane-rig.ts';
import type { FakeKernel } from '../support/fake-kernel.ts';
import { memoryLogger } from '../support/memory-logger.ts';

const wanted = {
  ...full,
  pools: [pool('192.168.0.0/16', { vxlan: 'Always' })],
  endpoints: [{ name: 'd/p', interfaceName: 'cali1', addresses: [parseIpAddress('192.168.1.5')] }],
};

async function withPod(): Promise<FakeKernel> {
  const kernel = await newHost();
  const veth = { kind: 'veth', mtu: 1450, up: true, running: true, mac: 'ee:ee:ee:ee:ee:ee' };
  kernel.givenLink({ name: 'cali1', ...veth });
  return kernel;
}

const routeTo = async (kernel: FakeKernel, prefix: string): Promise<KernelRoute | undefined> =>
  [...(await kernel.listRoutes())].find((route) => formatPrefix(route.prefix) === prefix && route.protocol === 80);

const link = async (kernel: FakeKernel, name: string) => (await kernel.listLinks()).find((one) => one.name === name)!;

const neighbours = async (kernel: FakeKernel) => kernel.listNeighbours((await link(kernel, 'vxlan.calico')).index);

const deeds: readonly (readonly [string, string, (kernel: FakeKernel) => Promise<void>])[] = [
  ['a route deleted', 'route', async (kernel) => kernel.loseRoute((await routeTo(kernel, '192.168.2.0/26'))!)],
  [
    'a route replaced',
    'route',
    (kernel) => {
      kernel.givenRoute(kernelRoute('192.168.2.0/26', { protocol: 4, hops: [{ ifindex: 2, onlink: false }] }));
      return Promise.resolve();
    },
  ],
  ['a pod’s route deleted', 'route', async (kernel) => kernel.loseRoute((await routeTo(kernel, '192.168.1.5/32'))!)],
  ['a tunnel deleted', 'link', (kernel) => kernel.deleteLink('vxlan.calico')],
  [
    'a tunnel taken down',
    'link',
    async (kernel) => kernel.setLink((await link(kernel, 'vxlan.calico')).index, { up: false }),
  ],
  [
    'a tunnel’s MTU changed',
    'link',
    async (kernel) => kernel.setLink((await link(kernel, 'vxlan.calico')).index, { mtu: 1300 }),
  ],
  [
    'a tunnel’s address removed',
    'address',
    async (kernel) => {
      const { index } = await link(kernel, 'vxlan.calico');
      await kernel.removeAddress((await kernel.listAddresses()).find(({ ifindex }) => ifindex === index)!);
    },
  ],
  [
    'a neighbour deleted',
    'neighbour',
    async (kernel) => kernel.removeNeighbour((await neighbours(kernel)).find(({ kind }) => kind === 'neighbour')!),
  ],
  [
    'a neighbour changed',
    'neighbour',
    async (kernel) => {
      const one = (await neighbours(kernel)).find(({ kind }) => kind === 'neighbour')!;
      await kernel.replaceNeighbour({ ...one, mac: '66:66:66:66:66:66' });
    },
  ],
  [
    'a forwarding entry deleted',
    'fdb',
    async (kernel) => kernel.removeNeighbour((await neighbours(kernel)).find(({ kind }) => kind === 'fdb')!),
  ],
  ['ip_forward switched off', 'sysctl', (kernel) => kernel.writeSysctl('net/ipv4/ip_forward', '0')],
  ['proxy_arp switched off', 'sysctl', (kernel) => kernel.writeSysctl('net/ipv4/conf/cali1/proxy_arp', '0')],
  ['a pod’s forwarding switched off', 'sysctl', (kernel) => kernel.writeSysctl('net/ipv4/conf/cali1/forwarding', '0')],
  ['a pod’s rp_filter changed', 'sysctl', (kernel) => kernel.writeSysctl('net/ipv4/conf/cali1/rp_filter', '1')],
];

const SYSCTLS = ['net/ipv4/ip_forward', 'net/ipv4/conf/cali1/proxy_arp', 'net/ipv4/conf/cali1/forwarding'];

/** All that the dataplane answers for, by name: a link that is made again has another index. */
async function show(kernel: FakeKernel): Promise<unknown> {
  const links = await kernel.listLinks();
  const nameOf = (ifindex: number): string => links.find(({ index }) => index === ifindex)?.name ?? '?';
  const routes = [...(await kernel.listRoutes())].map(({ hops, ...route }) => ({
    ...route,
    hops: hops.map(({ ifindex, ...hop }) => ({ ...hop, link: nameOf(ifindex) })),
  }));
  const sysctls = [...SYSCTLS, 'net/ipv4/conf/cali1/rp_filter'].map((path) => kernel.readSysctl(path));
  const sort = <T>(list: readonly T[]): readonly T[] =>
    list.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  return {
    routes: sort(routes),
    links: sort(links.map((one) => ({ ...one, index: 0 }))),
    addresses: sort((await kernel.listAddresses()).map(({ ifindex, ...one }) => ({ ...one, link: nameOf(ifindex) }))),
    neighbours: sort((await neighbours(kernel)).map((one) => ({ ...one, ifindex: 0 }))),
    sysctls: await Promise.all(sysctls),
  };
}

describe('within 100 ms, with one repair counted', () => {
  test.each(deeds)('%s', async (_, kind, deed) => {
    const rig = await startWith(await withPod(), wanted);
    const before = await show(rig.kernel);
    await deed(rig.kernel);
    await rig.clock.advance(99);
    expect(await show(rig.kernel)).toEqual(before);
    expect(rig.dataplane.repairs().counts).toMatchObject({ [kind]: 1 });
    expect(rig.dataplane.repairs().fights).toEqual([]);
  });

  test('all our routes flushed by hand', async () => {
    const rig = await startWith(await withPod(), wanted);
    const before = await show(rig.kernel);
    for (const route of await rig.kernel.listRoutes()) if (route.protocol === 80) rig.kernel.loseRoute(route);
    await rig.clock.advance(99);
    expect(await show(rig.kernel)).toEqual(before);
    expect(rig.dataplane.repairs().counts.route).toBe(4);
  });

  test.each([
    ['deleted', async (kernel: FakeKernel) => kernel.loseRoute((await routeTo(kernel, '192.168.2.0/26'))!)],
    [
      'changed under our protocol',
      (kernel: FakeKernel) => {
        kernel.givenRoute(kernelRoute('192.168.2.0/26', { type: 'blackhole' }));
        return Promise.resolve();
      },
    ],
  ])('a route that is %s, without reading anything, since the event tells all', async (_, deed) => {
    const rig = await startWith(await withPod(), wanted);
    // What we have just written may be told of later than it is true.
    await rig.clock.advance(3000);
    const before = await show(rig.kernel);
    const reads = vi.spyOn(rig.kernel, 'listLinks');
    await deed(rig.kernel);
    await rig.clock.advance(99);
    expect(reads).not.toHaveBeenCalled();
    reads.mockRestore();
    expect(await show(rig.kernel)).toEqual(before);
  });

  test('a route that we have just written is read again: the event may be older than what we wrote', async () => {
    const rig = await startWith(await withPod(), wanted);
    rig.kernel.loseRoute((await routeTo(rig.kernel, '192.168.2.0/26'))!);
    await rig.clock.advance(99);
    const reads = vi.spyOn(rig.kernel, 'listRoutes');
    rig.kernel.loseRoute(
      [...(await rig.kernel.listRoutes())].find(({ prefix }) => formatPrefix(prefix) === '192.168.2.0/26')!,
    );
    await rig.clock.advance(99);
    expect(reads.mock.calls.length).toBeGreaterThan(1);
    // Late news from before our write, in the place of our own that nobody tells: what is right is not written again.
    const there = (await routeTo(rig.kernel, '192.168.2.0/26'))!;
    rig.kernel.journal.length = 0;
    rig.kernel.emit({ kind: 'route', change: 'removed', route: there });
    await rig.clock.advance(99);
    expect(rig.kernel.journal).toEqual([]);
    reads.mockRestore();
  });

  test('a sysctl, without reading anything else', async () => {
    const rig = await startWith(await withPod(), wanted);
    const reads = vi.spyOn(rig.kernel, 'listRoutes');
    await rig.kernel.writeSysctl('net/ipv4/ip_forward', '0');
    await rig.clock.advance(99);
    expect(await rig.kernel.readSysctl('net/ipv4/ip_forward')).toBe('1');
    expect(reads).not.toHaveBeenCalled();
  });
});

test('a sysctl of which the kernel does not tell is put right by the resync', async () => {
  const rig = await startWith(await withPod(), wanted);
  await rig.kernel.writeSysctl('net/ipv4/conf/cali1/route_localnet', '0');
  await rig.clock.advance(90_000);
  expect(await rig.kernel.readSysctl('net/ipv4/conf/cali1/route_localnet')).toBe('1');
  expect(rig.dataplane.repairs().counts.sysctl).toBe(1);
});

test('our own work counts as no repair: a start, new wishes, a parent that comes and goes', async () => {
  const rig = await startWith(await withPod(), wanted);
  for (const pools of [full.pools, wanted.pools, [pool('192.168.0.0/16')], full.pools]) {
    rig.dataplane.update({ ...wanted, pools });
    await rig.clock.advance(20_000);
  }
  await rig.kernel.setLink(2, { mtu: 1400 });
  await rig.clock.advance(200_000);
  expect(rig.dataplane.repairs()).toEqual({
    counts: { route: 0, link: 0, address: 0, neighbour: 0, fdb: 0, sysctl: 0, nat: 0 },
    fights: [],
  });
});

/** Somebody deletes our route as soon as he sees it, for `ms`. */
async function fightOver(rig: Rig, prefix: string, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 10) {
    const route = await routeTo(rig.kernel, prefix);
    if (route !== undefined) rig.kernel.loseRoute(route, 812);
    await rig.clock.advance(10);
  }
}

describe('a fight', () => {
  test('is told in the log, in routes() and in repairs(), with the process behind it', async () => {
    const kernel = await withPod();
    kernel.givenProcess(812, 'bird');
    const { log, lines } = memoryLogger();
    const rig = await startWith(kernel, wanted, { log });
    await fightOver(rig, '192.168.2.0/26', 300);
    const by = 'deleted by netlink port 812, process 812 (bird)';
    expect(rig.dataplane.repairs().fights).toEqual([{ kind: 'route', name: '192.168.2.0/26', repairs: 5, by }]);
    const contested = rig.dataplane.routes().filter(({ fight }) => fight !== undefined);
    expect(contested.map(({ route, fight }) => [formatPrefix(route.prefix), fight])).toEqual([
      ['192.168.2.0/26', `5 repairs, ${by}`],
    ]);
    const warnings = lines.filter(({ level }) => level === 'warn');
    expect(warnings).toEqual([
      {
        level: 'warn',
        fields: { fights: 1, examples: [`route 192.168.2.0/26: 5 repairs, ${by}`] },
        message: 'somebody keeps undoing what we program; repairs slow down',
      },
    ]);
    await rig.clock.advance(61_000);
    expect(rig.dataplane.repairs().fights).toEqual([]);
    expect(lines.at(-1)).toMatchObject({
      level: 'info',
      fields: { examples: ['route 192.168.2.0/26 after 6 repairs'] },
    });
    expect(await routeTo(kernel, '192.168.2.0/26')).toBeDefined();
  });

  test('is fought ever more slowly, and holds up nobody else', async () => {
    const rig = await startWith(await withPod(), wanted);
    rig.kernel.journal.length = 0;
    await fightOver(rig, '192.168.2.0/26', 60_000);
    const written = rig.kernel.journal.filter((line) => line.startsWith('replace route 192.168.2.0/26'));
    expect(written.length).toBeGreaterThan(8);
    expect(written.length).toBeLessThan(16);
    rig.kernel.loseRoute((await routeTo(rig.kernel, '192.168.3.0/26'))!);
    await rig.clock.advance(99);
    expect(await routeTo(rig.kernel, '192.168.3.0/26')).toBeDefined();
  });

  test('with someone who replaces is told with the protocol of his route', async () => {
    const rig = await startWith(await withPod(), wanted);
    const his = kernelRoute('192.168.2.0/26', { protocol: 12, hops: [{ ifindex: 2, onlink: false }] });
    for (let i = 0; i < 6; i++) {
      rig.kernel.givenRoute(his);
      await rig.clock.advance(100);
    }
    expect(rig.dataplane.repairs().fights[0]?.by).toBe(
      'replaced by a route of protocol 12 (bird); the kernel does not tell by whom',
    );
  });

  test('over a sysctl and over a tunnel is told, too', async () => {
    const rig = await startWith(await withPod(), wanted);
    for (let i = 0; i < 6; i++) {
      await rig.kernel.writeSysctl('net/ipv4/ip_forward', '0');
      await rig.kernel.deleteLink('vxlan.calico');
      await rig.clock.advance(200);
    }
    expect(rig.dataplane.repairs().fights).toEqual([
      { kind: 'link', name: 'vxlan.calico', repairs: 5, by: 'deleted; the kernel does not tell by whom' },
      { kind: 'sysctl', name: 'net/ipv4/ip_forward', repairs: 5, by: 'set to 0; the kernel does not tell by whom' },
    ]);
    await rig.clock.advance(10_000);
    expect(await rig.kernel.readSysctl('net/ipv4/ip_forward')).toBe('1');
    expect(rig.dataplane.routes().every(({ state }) => state === 'programmed')).toBe(true);
  });

  test('is none where a link flaps: its routes are back with it each time', async () => {
    const rig = await startWith(await withPod(), wanted);
    const { index } = await link(rig.kernel, 'cali1');
    for (let i = 0; i < 10; i++) {
      await rig.kernel.setLink(index, { up: false });
      if (i % 2 === 0) await rig.clock.advance(100);
      await rig.kernel.setLink(index, { up: true });
      await rig.clock.advance(100);
      expect(await routeTo(rig.kernel, '192.168.1.5/32')).toBeDefined();
    }
    expect(rig.dataplane.repairs().fights).toEqual([]);
  });
});
