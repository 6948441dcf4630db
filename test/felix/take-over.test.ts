/** A node that ran Calico: its BIRD has left its routes in the kernel (`persist`), and nobody else will take them away. */
import { describe, expect, test, vi } from 'vitest';
import type { KernelRoute } from '../../felix/routes/kernel-route.ts';
import { formatPrefix, parseIpAddress } from '../../src/model/ip.ts';
import { learned, pool } from '../support/dataplane-inputs.ts';
import { full, kernelRoute, newHost, start, startWith, update } from '../support/dataplane-rig.ts';
import type { FakeKernel } from '../support/fake-kernel.ts';
import { silentLogger } from '../../src/runtime/logger.ts';

const told = { settings: { adoptCalicoRoutes: true }, log: silentLogger };
const BIRD = { protocol: 12 };
const wanted = { ...full, pools: [pool('192.168.0.0/16', { ipip: 'CrossSubnet' })] };

/** eth0 is link 2, tunl0 is link 3. */
async function calicosHost(): Promise<FakeKernel> {
  const kernel = await newHost();
  const tunl0 = kernel.givenLink({ name: 'tunl0', kind: 'ipip', mtu: 1480, up: true, running: true, mac: '' });
  const via = (gateway: string, ifindex: number) => ({
    ...BIRD,
    hops: [{ gateway: parseIpAddress(gateway), ifindex, onlink: true }],
  });
  for (const route of [
    kernelRoute('192.168.3.0/26', via('172.30.2.11', tunl0)),
    kernelRoute('192.168.9.0/26', via('172.30.2.19', tunl0)),
    kernelRoute('172.31.9.0/26', via('172.30.2.19', tunl0)),
    kernelRoute('192.168.8.0/26', via('172.30.1.18', 2)),
    kernelRoute('192.168.1.0/26', { ...BIRD, type: 'blackhole' }),
    kernelRoute('192.168.7.0/26', { ...BIRD, type: 'blackhole' }),
    kernelRoute('203.0.113.0/24', { ...BIRD, type: 'blackhole' }),
    kernelRoute('198.51.100.0/24', via('172.30.1.1', 2)),
    kernelRoute('192.168.6.0/26', { ...via('172.30.1.16', 2), protocol: 4 }),
  ])
    kernel.givenRoute(route);
  return kernel;
}

const text = ({ prefix, protocol }: KernelRoute): string => `${formatPrefix(prefix)} ${protocol}`;

const routesIn = async (kernel: FakeKernel): Promise<readonly string[]> =>
  [...(await kernel.listRoutes())]
    .filter(({ protocol }) => [4, 12, 80].includes(protocol))
    .map(text)
    .sort();

const strangers = ['192.168.6.0/26 4', '198.51.100.0/24 12', '203.0.113.0/24 12'];
const ours = ['192.168.1.0/26 80', '192.168.2.0/26 80', '192.168.3.0/26 80'];

describe('when told to take over', () => {
  test('what is wanted is replaced in place, what nobody wants goes, and all else stays', async () => {
    const rig = await startWith(await calicosHost(), wanted, told);
    expect(await routesIn(rig.kernel)).toEqual([...ours, ...strangers].sort());
    const removed = rig.kernel.journal.filter((line) => line.startsWith('remove route'));
    expect(removed.map((line) => line.split(' ')[2]).sort()).toEqual([
      ...['172.31.9.0/26', '192.168.7.0/26', '192.168.8.0/26', '192.168.9.0/26'],
    ]);
  });

  test('nothing goes before datastore and bird are in sync; what may go then is shown', async () => {
    const rig = await start(await calicosHost(), told);
    const before = await routesIn(rig.kernel);
    await update(rig, { ...wanted, learned: [], localBlocks: [], learnedComplete: false });
    expect(await routesIn(rig.kernel)).toEqual(before);
    const retained = rig.dataplane.routes().filter(({ state }) => state === 'retained');
    expect(retained.map(({ route }) => formatPrefix(route.prefix)).sort()).toEqual([
      ...['172.31.9.0/26', '192.168.1.0/26', '192.168.3.0/26', '192.168.7.0/26', '192.168.8.0/26', '192.168.9.0/26'],
    ]);
  });

  test('a pool that comes later makes what lies in it ours', async () => {
    const rig = await startWith(await calicosHost(), { ...wanted, pools: [] }, told);
    expect(await routesIn(rig.kernel)).toContain('192.168.7.0/26 12');
    // Without a tunnel to make, nothing else would have the kernel read again.
    await update(rig, { ...wanted, pools: [pool('192.168.0.0/16')] });
    expect(await routesIn(rig.kernel)).toEqual([...ours, ...strangers].sort());
  });

  test('a pool that comes while the kernel is being read, too', async () => {
    const before = { ...wanted, pools: [pool('10.48.0.0/16', { vxlan: 'Always' })] };
    const rig = await startWith(await calicosHost(), before, told);
    const after = { ...before, pools: [...before.pools, pool('192.168.0.0/16')] };
    const reading = vi.spyOn(rig.kernel, 'listNeighbours').mockImplementationOnce(() => {
      rig.dataplane.update(after);
      return Promise.resolve([]);
    });
    await rig.clock.advance(91_000);
    expect(reading).toHaveBeenCalled();
    expect(await routesIn(rig.kernel)).toEqual([...ours, ...strangers].sort());
  });

  test('a route outside the pools that our bird learns, too, is replaced; other people’s are refused as ever', async () => {
    const outside = [learned('198.51.100.0/24', '172.30.1.1'), learned('192.0.2.0/24', '172.30.1.1')];
    const kernel = await calicosHost();
    kernel.givenRoute(kernelRoute('192.0.2.0/24', { protocol: 4, hops: [{ ifindex: 2, onlink: false }] }));
    const rig = await startWith(kernel, { ...wanted, learned: [...full.learned, ...outside] }, told);
    const routes = await routesIn(rig.kernel);
    expect(routes).toContain('198.51.100.0/24 80');
    expect(routes).toContain('192.0.2.0/24 4');
  });

  test('a BIRD that still runs is told as a fight', async () => {
    const rig = await startWith(await calicosHost(), wanted, told);
    for (let i = 0; i < 6; i++) {
      rig.kernel.givenRoute(
        kernelRoute('192.168.3.0/26', {
          ...BIRD,
          hops: [{ gateway: parseIpAddress('172.30.2.11'), ifindex: 3, onlink: true }],
        }),
      );
      await rig.clock.advance(100);
    }
    expect(rig.dataplane.repairs().fights).toMatchObject([
      { name: '192.168.3.0/26', by: expect.stringContaining('protocol 12 (bird)') as string },
    ]);
  });
});

test('when not told, nothing of Calico’s BIRD is removed, and only what a pool asks for is replaced', async () => {
  const rig = await start(await calicosHost());
  const outside = learned('198.51.100.0/24', '172.30.1.1');
  await update(rig, { ...wanted, learned: [...full.learned, outside] });
  await rig.clock.advance(100_000);
  const kept = ['172.31.9.0/26 12', '192.168.7.0/26 12', '192.168.8.0/26 12', '192.168.9.0/26 12'];
  expect(await routesIn(rig.kernel)).toEqual([...ours, ...kept, ...strangers].sort());
  const refused = rig.dataplane.routes().find(({ route }) => formatPrefix(route.prefix) === '198.51.100.0/24');
  expect(refused?.error).toContain('the host has its own route for it (protocol 12)');
});
