import { expect, test, vi } from 'vitest';
import { inputs, pool } from '../support/dataplane-inputs.ts';
import { full, newHost, settings, startWith } from '../support/dataplane-rig.ts';

test('settings as they were: the kernel is written nothing', async () => {
  const { clock, dataplane, kernel } = await startWith(await newHost(), full);
  kernel.journal.length = 0;
  dataplane.configure({ ...settings });
  await clock.advance(100);
  expect(kernel.journal.filter((line) => !line.startsWith('list'))).toEqual([]);
});

test('a shorter interval between full comparisons counts from the last one, a longer one too', async () => {
  const { clock, dataplane, kernel } = await startWith(await newHost(), full);
  const listings = vi.spyOn(kernel, 'listRoutes');
  const dumps = async (ms: number): Promise<number> => {
    listings.mockClear();
    await clock.advance(ms);
    return listings.mock.calls.length;
  };
  await clock.advance(20_000);
  dataplane.configure({ ...settings, resyncSeconds: 10 });
  expect(await dumps(10)).toBe(1);
  expect(await dumps(9_900)).toBe(0);
  expect(await dumps(200)).toBe(1);
  dataplane.configure({ ...settings, resyncSeconds: 1000 });
  expect(await dumps(900_000)).toBe(0);
  dataplane.configure({ ...settings, resyncSeconds: 0 });
  expect(await dumps(10_000_000)).toBe(0);
  dataplane.configure({ ...settings, resyncSeconds: 10 });
  expect(await dumps(10)).toBe(1);
});

test('a VNI that changes makes the device anew', async () => {
  const wanted = inputs({ pools: [pool('10.48.0.0/16', { vxlan: 'Always' })] });
  const { clock, dataplane, kernel } = await startWith(await newHost(), wanted);
  const vni = async () => (await kernel.listLinks()).find(({ name }) => name === 'vxlan.calico')?.vxlan?.vni;
  const before = await vni();
  dataplane.configure({ ...settings, vxlanVni: 7 });
  await clock.advance(100);
  expect([before, await vni()]).toEqual([4096, 7]);
});
