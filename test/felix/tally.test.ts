import { beforeEach, describe, expect, test } from 'vitest';
import type { Dataplane, DataplaneTally } from '../../felix/index.ts';
import type { DataplaneInputs } from '../../felix/inputs.ts';
import { inputs, learned, nodeA2, nodeB1, pool } from '../support/dataplane-inputs.ts';
import { full, kernelRoute, newHost, start, startWith, update } from '../support/dataplane-rig.ts';
import type { Rig } from '../support/dataplane-rig.ts';
import type { FakeKernel } from '../support/fake-kernel.ts';

let kernel: FakeKernel;
beforeEach(async () => {
  kernel = await newHost();
});

const asText = (rows: Iterable<{ readonly class: string; readonly state: string }>): readonly string[] =>
  [...rows].map((row) => `${row.class} ${row.state}`).toSorted();

/** One line for each route. */
const counted = ({ routes }: DataplaneTally): readonly string[] =>
  asText(routes.flatMap(({ count, ...row }) => Array.from({ length: count }, () => row)));

const told = (dataplane: Dataplane): readonly string[] =>
  asText(dataplane.routes().map(({ route, state }) => ({ class: route.class, state })));

/** The tally is made by another walk than the list, and must tell the same. */
async function agreed({ dataplane }: Rig): Promise<readonly string[]> {
  const lines = counted(await dataplane.tally());
  expect(lines).toEqual(told(dataplane));
  return lines;
}

describe('routes are counted as they are listed', () => {
  test('before the first inputs, and what an earlier process left: kept, then to go', async () => {
    kernel.givenRoute(kernelRoute('192.168.9.0/26', { type: 'blackhole' }));
    kernel.givenRoute(
      kernelRoute('192.168.3.0/26', { hops: [{ ifindex: 2, onlink: true, gateway: full.nodes[0]!.address!.address }] }),
    );
    const rig = await start(kernel);
    expect(await agreed(rig)).toEqual(['external retained', 'local-block retained']);
    await update(rig, inputs({ learnedComplete: false }));
    expect(await agreed(rig)).toEqual(['external retained', 'local-block retained']);
    kernel.failNext('writeRoutes', { code: 'EPERM', times: 1 });
    await update(rig, inputs());
    expect((await agreed(rig)).length).toBeGreaterThan(0);
    await rig.clock.advance(20_000);
    expect(await agreed(rig)).toEqual([]);
  });

  test('programmed, refused by the kernel, and one that another stands in the way of', async () => {
    const rig = await startWith(kernel, full);
    expect(await agreed(rig)).toEqual(['ipip programmed', 'local-block programmed', 'same-subnet programmed']);
    kernel.failNext('writeRoutes', { code: 'EINVAL', times: 1 });
    const more: DataplaneInputs = {
      ...full,
      learned: [...full.learned, learned('192.168.4.0/26', '172.30.2.12'), learned('192.168.1.0/26', '172.30.1.12')],
    };
    await update(rig, more);
    const lines = await agreed(rig);
    expect(lines).toContain('ipip failed');
    expect(lines.filter((line) => line.endsWith(' unresolved'))).toHaveLength(1);
  });

  test('while the other end is not ready for a new mode, the way that was there counts as not resolved', async () => {
    const modes = (mode: Parameters<typeof pool>[1]) => ({
      ...full,
      nodes: [nodeA2, { ...nodeB1, vxlanTunnelAddress: undefined }] as DataplaneInputs['nodes'],
      pools: [pool('192.168.0.0/16', mode)],
    });
    const rig = await startWith(kernel, modes({ ipip: 'Always' }));
    await update(rig, modes({ vxlan: 'Always' }));
    await rig.clock.advance(5000);
    expect((await agreed(rig)).some((line) => line.endsWith('unresolved'))).toBe(true);
  });

  test('of several thousand none is lost between the turns', async () => {
    const many = Array.from({ length: 3000 }, (_, i) => learned(`10.${i >> 8}.${i & 255}.0/24`, '172.30.1.12'));
    const rig = await startWith(kernel, { ...full, learned: many });
    const { routes } = await rig.dataplane.tally();
    expect(routes.find((row) => row.class !== 'local-block')).toMatchObject({ state: 'programmed', count: 3000 });
    expect(counted({ routes } as DataplaneTally)).toEqual(told(rig.dataplane));
  });

  test('a plan that changes between the turns leaves no route that nobody wants', async () => {
    const many = Array.from({ length: 3000 }, (_, i) => learned(`10.${i >> 8}.${i & 255}.0/24`, '172.30.1.12'));
    const rig = await startWith(kernel, { ...full, learned: many });
    const tally = rig.dataplane.tally();
    await update(rig, full);
    const { routes } = await tally;
    expect(routes.filter(({ state }) => state === 'pending')).toEqual([]);
  });
});

test('tunnels as the host has them, and interfaces of pods', async () => {
  kernel.givenLink({ name: 'cali0a1b2c3d4e5', mtu: 1480, up: true, running: true, mac: 'ee:ee:ee:ee:ee:ee' });
  const rig = await startWith(kernel, full);
  const { tunnels, workloadInterfaces } = await rig.dataplane.tally();
  expect(tunnels).toEqual([{ name: 'tunl0', up: true, mtu: 1480 }]);
  expect(workloadInterfaces).toBe(1);
});

test('passes: how many, how many that failed, when all was read again because it was time to', async () => {
  const rig = await startWith(kernel, full);
  const first = (await rig.dataplane.tally()).passes;
  expect(first).toMatchObject({ failed: 0, full: 1 });
  await rig.clock.advance(200_000);
  const later = (await rig.dataplane.tally()).passes;
  expect(later.full).toBe(3);
  expect(later.lastFullAt).toBeGreaterThan(first.lastFullAt ?? Infinity);
  kernel.failNext('writeRoutes', { code: 'EINVAL', times: 1 });
  await update(rig, { ...full, learned: [] });
  expect((await rig.dataplane.tally()).passes).toMatchObject({ failed: 1 });
});
