import { expect, test } from 'vitest';
import type { Kernel, KernelLink } from '../../../felix/kernel.ts';
import type { KernelBench } from './bench.ts';

const listed = async (kernel: Kernel, wanted: string): Promise<KernelLink | undefined> =>
  (await kernel.listLinks()).find((one) => one.name === wanted);

/** One link, by name. */
export function lookupsContract(given: () => KernelBench): void {
  test('gives one link by name, as the list has it, before and after a change', async () => {
    const { kernel } = given();
    for (const wanted of ['lo', 'near', 'far']) {
      const link = await kernel.getLink(wanted);
      expect(link).toMatchObject({ name: wanted });
      expect(link).toEqual(await listed(kernel, wanted));
    }
    const { index } = (await kernel.getLink('near'))!;
    expect((await kernel.getLink('far'))?.peerIndex).toBe(index);
    await kernel.setLink(index, { mtu: 1300, up: true });
    expect(await kernel.getLink('near')).toEqual(await listed(kernel, 'near'));
    expect(await kernel.getLink('near')).toMatchObject({ mtu: 1300, up: true });
  });

  test('finds no link where there is none of that name, and none any more once it is deleted', async () => {
    const { kernel } = given();
    expect(await kernel.getLink('nowhere')).toBeUndefined();
    expect(await kernel.getLink('nea')).toBeUndefined();
    await kernel.deleteLink('near');
    expect(await kernel.getLink('near')).toBeUndefined();
    expect(await kernel.getLink('far')).toBeUndefined();
  });

  test('tells a tunnel by its settings, and by what came out of it', async () => {
    const { kernel } = given();
    const vxlan = { vni: 77, port: 4790, learning: false, parentIndex: 0 };
    await kernel.createLink({ kind: 'vxlan', name: 'vx77', vxlan });
    expect(await kernel.getLink('vx77')).toEqual(await listed(kernel, 'vx77'));
    expect((await kernel.getLink('vx77'))?.vxlan).toEqual(vxlan);
  });
}
