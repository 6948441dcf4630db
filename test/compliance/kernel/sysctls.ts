import { expect, test } from 'vitest';
import type { KernelBench } from './bench.ts';

/** Sysctls, by path, one and several. */
export function sysctlsContract(given: () => KernelBench): void {
  test('reads back a sysctl as written, and names one that is not there', async () => {
    const { kernel } = given();
    await kernel.writeSysctl('net/ipv4/conf/near/proxy_arp', '1');
    expect(await kernel.readSysctl('net/ipv4/conf/near/proxy_arp')).toBe('1');
    const missing = 'net/ipv4/conf/nowhere/proxy_arp';
    const refusal = { code: 'ENOENT', message: expect.stringContaining(missing) as string };
    await expect(kernel.readSysctl(missing)).rejects.toMatchObject(refusal);
    await expect(kernel.writeSysctl(missing, '1')).rejects.toMatchObject(refusal);
  });

  test('writes several sysctls in order and reads them back, each at its place', async () => {
    const { kernel } = given();
    const paths = ['proxy_arp', 'forwarding', 'route_localnet'].map((each) => `net/ipv4/conf/near/${each}`);
    const changes = [...paths.map((path) => ({ path, value: '1' })), { path: paths[1]!, value: '0' }];
    expect(await kernel.writeSysctls(changes)).toEqual([undefined, undefined, undefined, undefined]);
    expect(await kernel.readSysctls([...paths].reverse())).toEqual(['1', '0', '1']);
    expect(await kernel.readSysctl(paths[0]!)).toBe('1');
  });

  test('of several sysctls refuses only those that are not there, each at its place and by name', async () => {
    const { kernel } = given();
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
    const { kernel } = given();
    expect(await kernel.writeSysctls([])).toEqual([]);
    expect(await kernel.readSysctls([])).toEqual([]);
  });
}
