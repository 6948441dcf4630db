import { expect, test } from 'vitest';
import { parseInterfaceAddress, parseIpAddress } from '../../../src/model/ip.ts';
import type { KernelBench } from './bench.ts';

/** Links are made, set and deleted. */
export function linksContract(given: () => KernelBench): void {
  test('shows a link as it was made and as it was set', async () => {
    const { kernel, eventually, near, far, link } = given();
    expect(near).toMatchObject({
      kind: 'veth',
      mtu: 1400,
      mac: 'ee:ee:ee:ee:ee:ee',
      up: false,
      peerIndex: far.index,
    });
    await kernel.setLink(near.index, { mtu: 1300, mac: '02:00:00:00:00:09' });
    expect(await link('near')).toMatchObject({ mtu: 1300, mac: '02:00:00:00:00:09', up: true });
    await eventually(async () => (await link('near')).running);
    await kernel.setLink(near.index, { up: false });
    expect(await link('near')).toMatchObject({ up: false, running: false });
  });

  test('renames a link, which keeps its index, and tells it; a name that is taken is refused', async () => {
    const { kernel, eventually, near, far, link } = given();
    const names: string[] = [];
    await kernel.setLink(near.index, { up: false });
    await kernel.watch((event) => {
      if (event.kind === 'link' && event.link.index === near.index) names.push(event.link.name);
    }, new AbortController().signal);
    await kernel.setLink(near.index, { name: 'nearer' });
    await eventually(() => names.includes('nearer'));
    expect(await link('nearer')).toMatchObject({ index: near.index, kind: 'veth', mtu: 1400 });
    await expect(kernel.setLink(near.index, { name: 'far' })).rejects.toMatchObject({
      code: 'EEXIST',
      message: expect.stringContaining(`link ${near.index} name far`) as string,
    });
    expect(await link('far')).toMatchObject({ index: far.index });
  });

  test.each(['dummy', 'ipip'] as const)(
    'makes a %s link that is down, or names it and says that this kernel has no such kind',
    async (kind) => {
      const { kernel, link } = given();
      const error: unknown = await kernel
        .createLink({ kind, name: 'made', mtu: 1400 })
        .catch((thrown: unknown) => thrown);
      if (error === undefined) expect(await link('made')).toMatchObject({ kind, mtu: 1400, up: false });
      else expect(error).toMatchObject({ code: 'EOPNOTSUPP', message: expect.stringContaining('made') as string });
    },
  );

  test('makes a VXLAN link with all that it was asked for', async () => {
    const { kernel, near, link } = given();
    const vxlan = {
      vni: 4096,
      port: 4789,
      learning: false,
      parentIndex: near.index,
      local: parseIpAddress('10.1.0.1'),
    };
    await kernel.createLink({ kind: 'vxlan', name: 'vxlan.calico', mtu: 1350, mac: '66:00:00:00:00:01', vxlan });
    const made = await link('vxlan.calico');
    expect(made).toMatchObject({ kind: 'vxlan', mtu: 1350, mac: '66:00:00:00:00:01', up: false, vxlan });
  });

  test('refuses a second link of a name, and deletes by name once and for all', async () => {
    const { kernel, route, ours, replace } = given();
    await expect(kernel.createLink({ kind: 'veth', name: 'near', peer: { name: 'x' } })).rejects.toMatchObject({
      code: 'EEXIST',
      message: expect.stringContaining('near') as string,
    });
    await replace(route('10.2.0.0/26'));
    await kernel.deleteLink('near');
    await kernel.deleteLink('near');
    // A kernel with ipip has a tunl0 in every namespace by itself.
    expect((await kernel.listLinks()).map((one) => one.name).filter((name) => name !== 'tunl0')).toEqual(['lo']);
    expect(await ours()).toEqual([]);
  });

  test('names a link that is not there', async () => {
    const { kernel } = given();
    await expect(kernel.setLink(9999, { up: true })).rejects.toMatchObject({ code: 'ENODEV' });
    await expect(
      kernel.addAddress({ ifindex: 9999, address: parseInterfaceAddress('10.3.0.1/32'), scope: 0 }),
    ).rejects.toMatchObject({ code: 'ENODEV', message: expect.stringContaining('10.3.0.1/32') as string });
  });
}
