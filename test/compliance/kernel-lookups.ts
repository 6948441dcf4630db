/** What every Kernel must do when it is asked of one link, or of many sysctls at once. Beside kernel.ts, which has all else. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { Kernel, KernelLink } from '../../felix/kernel.ts';

/** `open` gives a fresh kernel for each test, with nothing but `lo`. */
export function kernelLookupCompliance(name: string, open: () => Promise<{ readonly kernel: Kernel }>): void {
  describe(`${name} keeps the kernel's contract in lookups`, () => {
    let kernel: Kernel;

    const listed = async (wanted: string): Promise<KernelLink | undefined> =>
      (await kernel.listLinks()).find((one) => one.name === wanted);

    beforeEach(async () => {
      ({ kernel } = await open());
      await kernel.createLink({ kind: 'veth', name: 'near', mtu: 1400, peer: { name: 'far' } });
    });

    test('gives one link by name, as the list has it, before and after a change', async () => {
      for (const wanted of ['lo', 'near', 'far']) {
        const link = await kernel.getLink(wanted);
        expect(link).toMatchObject({ name: wanted });
        expect(link).toEqual(await listed(wanted));
      }
      const { index } = (await kernel.getLink('near'))!;
      expect((await kernel.getLink('far'))?.peerIndex).toBe(index);
      await kernel.setLink(index, { mtu: 1300, up: true });
      expect(await kernel.getLink('near')).toEqual(await listed('near'));
      expect(await kernel.getLink('near')).toMatchObject({ mtu: 1300, up: true });
    });

    test('finds no link where there is none of that name, and none any more once it is deleted', async () => {
      expect(await kernel.getLink('nowhere')).toBeUndefined();
      expect(await kernel.getLink('nea')).toBeUndefined();
      await kernel.deleteLink('near');
      expect(await kernel.getLink('near')).toBeUndefined();
      expect(await kernel.getLink('far')).toBeUndefined();
    });

    test('tells a tunnel by its settings, and by what came out of it', async () => {
      const vxlan = { vni: 77, port: 4790, learning: false, parentIndex: 0 };
      await kernel.createLink({ kind: 'vxlan', name: 'vx77', vxlan });
      expect(await kernel.getLink('vx77')).toEqual(await listed('vx77'));
      expect((await kernel.getLink('vx77'))?.vxlan).toEqual(vxlan);
    });

    test('writes several sysctls in order and reads them back, each at its place', async () => {
      const paths = ['proxy_arp', 'forwarding', 'route_localnet'].map((each) => `net/ipv4/conf/near/${each}`);
      const changes = [...paths.map((path) => ({ path, value: '1' })), { path: paths[1]!, value: '0' }];
      expect(await kernel.writeSysctls(changes)).toEqual([undefined, undefined, undefined, undefined]);
      expect(await kernel.readSysctls([...paths].reverse())).toEqual(['1', '0', '1']);
      expect(await kernel.readSysctl(paths[0]!)).toBe('1');
    });

    test('of several sysctls refuses only those that are not there, each at its place and by name', async () => {
      const path = 'net/ipv4/conf/near/proxy_arp';
      const missing = 'net/ipv4/conf/nowhere/proxy_arp';
      const refusal = { code: 'ENOENT', message: expect.stringContaining(missing) };
      const written = await kernel.writeSysctls([
        { path: missing, value: '1' },
        { path, value: '1' },
      ]);
      expect(written).toEqual([expect.objectContaining(refusal), undefined]);
      expect(await kernel.readSysctls([path, missing, path])).toEqual(['1', expect.objectContaining(refusal), '1']);
    });

    test('no sysctls at all are nothing', async () => {
      expect(await kernel.writeSysctls([])).toEqual([]);
      expect(await kernel.readSysctls([])).toEqual([]);
    });
  });
}
