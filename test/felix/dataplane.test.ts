import { describe, expect, test, vi } from 'vitest';
import type { RouteStatus } from '../../felix/index.ts';
import { createDataplane } from '../../felix/index.ts';
import { formatPrefix, parseInterfaceAddress, parseIpAddress, parsePrefix } from '../../src/model/ip.ts';
import { silentLogger } from '../../src/runtime/logger.ts';
import { inputs, pool } from '../support/dataplane-inputs.ts';
import {
  block,
  full,
  kernelRoute,
  near,
  newHost,
  settings,
  start,
  startWith,
  update,
} from '../support/dataplane-rig.ts';
import type { Rig } from '../support/dataplane-rig.ts';
import { FakeClock } from '../support/fake-clock.ts';
import type { FakeKernel } from '../support/fake-kernel.ts';
import { routeText } from '../support/route-text.ts';

const oursIn = async (kernel: FakeKernel): Promise<readonly string[]> =>
  [...(await kernel.listRoutes())]
    .filter(({ protocol }) => protocol === 80)
    .map(({ prefix }) => formatPrefix(prefix))
    .sort();

const states = (statuses: readonly RouteStatus[]): readonly string[] =>
  statuses.map(({ route, state }) => `${formatPrefix(route.prefix)} ${state}`).sort();

const writes = ({ kernel }: Rig): readonly string[] => kernel.journal.filter((line) => !line.startsWith('watch'));

describe('a first start', () => {
  test('writes nothing before the first update', async () => {
    const rig = await start(await newHost());
    await rig.clock.advance(100_000);
    expect(writes(rig)).toEqual([]);
    expect(rig.dataplane.adoptedRoutes()).toBe(0);
  });

  test('makes tunl0, forwarding and every route', async () => {
    const { kernel, dataplane } = await startWith(await newHost(), full);
    expect(await oursIn(kernel)).toEqual(['192.168.1.0/26', '192.168.2.0/26', '192.168.3.0/26']);
    expect(await kernel.readSysctl('net/ipv4/ip_forward')).toBe('1');
    const tunl0 = (await kernel.listLinks()).find(({ name }) => name === 'tunl0');
    expect(tunl0).toMatchObject({ mtu: 1480, up: true });
    expect(states(dataplane.routes())).toEqual([
      '192.168.1.0/26 programmed',
      '192.168.2.0/26 programmed',
      '192.168.3.0/26 programmed',
    ]);
    expect(dataplane.routes().map(({ route }) => routeText(route))).toContain(
      '192.168.3.0/26 via 172.30.2.11 dev tunl0 onlink',
    );
  });

  test('many updates at once are one pass over the last of them', async () => {
    const rig = await start(await newHost());
    for (let i = 0; i < 5; i++) rig.dataplane.update(inputs({ localBlocks: [parsePrefix(`192.168.${i}.0/26`)] }));
    await rig.clock.advance(1);
    await rig.dataplane.settled();
    expect(await oursIn(rig.kernel)).toEqual(['192.168.4.0/26']);
  });

  test('without permission it ends in one sentence', async () => {
    const kernel = await newHost();
    kernel.failNext('writeRoutes', { code: 'EPERM' });
    const failed = createDataplane(settings, { kernel, clock: new FakeClock(), random: () => 0, log: silentLogger });
    await expect(failed.start()).rejects.toThrow(/^this needs root or CAP_NET_ADMIN to program routes: /);
  });
});

test('interfaces() tells what detection of an address goes by: kind, carrier, which addresses come second', async () => {
  const kernel = await newHost();
  const second = parseInterfaceAddress('172.30.1.12/24');
  await kernel.addAddress({ ifindex: 2, address: second, scope: 0 });
  const cni0 = kernel.givenLink({ name: 'cni0', kind: 'bridge', mtu: 1500, up: true, running: false, mac: '' });
  const { dataplane } = await start(kernel);
  const named = new Map((await dataplane.interfaces()).map((each) => [each.name, each]));
  expect(named.get('eth0')).toEqual({
    ...{ name: 'eth0', index: 2, up: true, running: true, mtu: 1500, mac: '02:00:00:00:00:01' },
    addresses: [parseInterfaceAddress('172.30.1.11/24'), { ...second, secondary: true }],
  });
  expect(named.get('cni0')).toMatchObject({ index: cni0, kind: 'bridge', running: false, addresses: [] });
});

describe('a restart', () => {
  test('over the same inputs writes nothing at all', async () => {
    const kernel = await newHost();
    const pools = [pool('192.168.0.0/16', { vxlan: 'CrossSubnet' })];
    for (const wanted of [full, { ...full, pools }]) {
      const first = await startWith(kernel, wanted);
      await first.dataplane.close();
      const second = await startWith(kernel, wanted);
      expect(writes(second)).toEqual([]);
      expect(second.dataplane.adoptedRoutes()).toBe(3);
      await second.dataplane.close();
    }
  });

  test('keeps what an earlier process left until bird is in sync, then removes what nobody wants', async () => {
    const kernel = await newHost();
    await (await startWith(kernel, full)).dataplane.close();
    const rig = await startWith(kernel, { ...full, learned: [near], learnedComplete: false });
    expect(states(rig.dataplane.routes())).toContain('192.168.3.0/26 retained');
    expect(writes(rig)).toEqual([]);
    await update(rig, { ...full, learned: [near] });
    expect(await oursIn(kernel)).toEqual(['192.168.1.0/26', '192.168.2.0/26']);
    expect(states(rig.dataplane.routes())).not.toContain('192.168.3.0/26 retained');
  });

  test('never deletes a route that is not ours', async () => {
    const kernel = await newHost();
    kernel.givenRoute(kernelRoute('10.99.0.0/16', { protocol: 4, hops: [{ ifindex: 2, onlink: false }] }));
    await startWith(kernel, inputs());
    expect([...(await kernel.listRoutes())].map(({ prefix }) => formatPrefix(prefix))).toContain('10.99.0.0/16');
  });
});

describe('changes', () => {
  test('a change of mode replaces routes in place and deletes none', async () => {
    const rig = await startWith(await newHost(), full);
    rig.kernel.journal.length = 0;
    await update(rig, { ...full, pools: [pool('192.168.0.0/16', { ipip: 'Always' })] });
    expect(writes(rig).map((line) => line.split(' ').slice(0, 3).join(' '))).toEqual(['replace route 192.168.2.0/26']);
    await update(rig, { ...full, pools: [pool('192.168.0.0/16', { vxlan: 'Always' })] });
    expect(writes(rig).some((line) => line.startsWith('remove route'))).toBe(false);
    expect(rig.dataplane.routes().every(({ state }) => state === 'programmed')).toBe(true);
  });

  test('a tunnel that no pool needs any more is taken down ten seconds after its routes moved', async () => {
    const kernel = await newHost();
    const rig = await startWith(kernel, { ...full, pools: [pool('192.168.0.0/16', { vxlan: 'Always' })] });
    kernel.journal.length = 0;
    await update(rig, { ...full, pools: [pool('192.168.0.0/16')] });
    const words = (): readonly string[] => writes(rig).map((line) => line.split(' ').slice(0, 3).join(' '));
    const moved = [
      'replace route 192.168.2.0/26',
      'replace route 192.168.3.0/26',
      expect.stringContaining('remove neighbour'),
      ...[1, 2, 3, 4, 5].map((): unknown => expect.stringMatching(/^remove (neighbour|fdb)/)),
    ];
    await rig.clock.advance(9990);
    expect(words()).toEqual(moved);
    await rig.clock.advance(20);
    expect(words()).toEqual([...moved, 'delete link vxlan.calico']);
  });

  test('a pod’s route comes as soon as its interface does', async () => {
    const endpoints = [{ name: 'd/p', interfaceName: 'cali1', addresses: [parseIpAddress('192.168.1.5')] }];
    const rig = await startWith(await newHost(), { ...full, endpoints });
    expect(states(rig.dataplane.routes())).toContain('192.168.1.5/32 unresolved');
    rig.kernel.givenLink({ name: 'cali1', kind: 'veth', mtu: 1480, up: true, running: true, mac: 'ee:ee:ee:ee:ee:ee' });
    await rig.clock.advance(100);
    expect(states(rig.dataplane.routes())).toContain('192.168.1.5/32 programmed');
  });

  test('a parent that loses its address keeps every route', async () => {
    const rig = await startWith(await newHost(), full);
    const address = { ifindex: 2, address: parseInterfaceAddress('172.30.1.11/24'), scope: 0 };
    rig.kernel.journal.length = 0;
    await rig.kernel.removeAddress(address);
    await rig.clock.advance(100);
    expect(states(rig.dataplane.routes())).toContain('192.168.2.0/26 unresolved');
    expect(writes(rig)).toEqual([expect.stringContaining('remove address 172.30.1.11/24')]);
    await rig.kernel.addAddress(address);
    await rig.clock.advance(100);
    expect(states(rig.dataplane.routes())).toContain('192.168.2.0/26 programmed');
  });

  test('tunl0 follows the parent’s MTU', async () => {
    const rig = await startWith(await newHost(), full);
    await rig.kernel.setLink(2, { mtu: 1400 });
    await rig.clock.advance(100);
    expect((await rig.kernel.listLinks()).find(({ name }) => name === 'tunl0')?.mtu).toBe(1380);
  });
});

describe('when others interfere', () => {
  test('a route that somebody deletes is back within a second, and nothing else is written', async () => {
    const rig = await startWith(await newHost(), full);
    const lost = [...(await rig.kernel.listRoutes())].find(({ prefix }) => formatPrefix(prefix) === '192.168.2.0/26')!;
    rig.kernel.journal.length = 0;
    rig.kernel.loseRoute(lost);
    await rig.clock.advance(1000);
    expect(writes(rig)).toEqual([expect.stringContaining('replace route 192.168.2.0/26')]);
  });

  test('a route that somebody replaces with another is ours again', async () => {
    const rig = await startWith(await newHost(), full);
    rig.kernel.givenRoute(kernelRoute('192.168.2.0/26', { protocol: 12, hops: [{ ifindex: 2, onlink: false }] }));
    await rig.clock.advance(1000);
    expect(await oursIn(rig.kernel)).toContain('192.168.2.0/26');
  });

  test('a tunnel that somebody deletes is made again with all routes through it', async () => {
    const rig = await startWith(await newHost(), full);
    await rig.kernel.deleteLink('tunl0');
    await rig.clock.advance(1000);
    expect(await oursIn(rig.kernel)).toContain('192.168.3.0/26');
    expect(rig.dataplane.routes().every(({ state }) => state === 'programmed')).toBe(true);
  });

  test('after lost events everything is read again', async () => {
    const rig = await startWith(await newHost(), full);
    const silent = vi.spyOn(rig.kernel, 'emit').mockImplementation(() => undefined);
    for (const route of await rig.kernel.listRoutes()) if (route.protocol === 80) rig.kernel.loseRoute(route);
    silent.mockRestore();
    rig.kernel.emit({ kind: 'overrun' });
    await rig.clock.advance(10);
    expect((await oursIn(rig.kernel)).length).toBe(3);
  });

  test('what no event told is found by the resync after 90 seconds', async () => {
    const rig = await startWith(await newHost(), full);
    const silent = vi.spyOn(rig.kernel, 'emit').mockImplementation(() => undefined);
    for (const route of await rig.kernel.listRoutes()) if (route.protocol === 80) rig.kernel.loseRoute(route);
    silent.mockRestore();
    await rig.clock.advance(88_000);
    expect((await oursIn(rig.kernel)).length).toBe(0);
    await rig.clock.advance(2000);
    expect((await oursIn(rig.kernel)).length).toBe(3);
  });

  test('our own writes, heard as events, start no work', async () => {
    const rig = await startWith(await newHost(), full);
    await rig.clock.advance(1000);
    const reads = vi.spyOn(rig.kernel, 'listRoutes');
    await update(rig, { ...full, localBlocks: [block, parsePrefix('192.168.1.64/26')] });
    await rig.clock.advance(10_000);
    expect(reads).not.toHaveBeenCalled();
  });
});

describe('when the kernel refuses', () => {
  test('the one route is failed with the kernel’s words, the others are programmed, and it is tried again', async () => {
    const rig = await start(await newHost());
    rig.kernel.failNext('writeRoutes', { matching: '192.168.2.0/26', code: 'EINVAL', times: 2 });
    const changes = vi.fn();
    rig.dataplane.onChange(changes);
    await update(rig, full);
    const failed = rig.dataplane.routes().filter(({ state }) => state !== 'programmed');
    expect(states(failed)).toEqual(['192.168.2.0/26 failed']);
    expect(failed[0]?.error).toContain('EINVAL');
    expect(changes).toHaveBeenCalledTimes(1);
    await rig.clock.advance(2000);
    expect(rig.dataplane.routes().every(({ state }) => state === 'programmed')).toBe(true);
  });

  test('without ipip the routes through tunl0 wait with the reason, and all others are programmed', async () => {
    const rig = await start(await newHost());
    rig.kernel.failNext('createLink', { code: 'EOPNOTSUPP', times: 3 });
    await update(rig, full);
    expect(states(rig.dataplane.routes())).toEqual([
      '192.168.1.0/26 programmed',
      '192.168.2.0/26 programmed',
      '192.168.3.0/26 unresolved',
    ]);
    expect(rig.dataplane.routes().find(({ state }) => state === 'unresolved')?.error).toBe(
      'the kernel has no ipip module: modprobe ipip',
    );
    await rig.clock.advance(10_000);
    expect(rig.dataplane.routes().every(({ state }) => state === 'programmed')).toBe(true);
  });

  test('a kernel that cannot be read is asked again, and settled() does not hang', async () => {
    const rig = await start(await newHost());
    rig.kernel.failNext('listRoutes', { code: 'ENOBUFS', times: 1 });
    await update(rig, full);
    expect(await oursIn(rig.kernel)).toEqual([]);
    await rig.clock.advance(1500);
    expect((await oursIn(rig.kernel)).length).toBe(3);
  });
});

test('close leaves every route and link, and no timer', async () => {
  const rig = await startWith(await newHost(), full);
  rig.kernel.journal.length = 0;
  await rig.dataplane.close();
  expect(rig.clock.pending).toBe(0);
  expect(rig.kernel.journal).toEqual([]);
});
