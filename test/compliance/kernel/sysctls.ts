import { expect, test } from 'vitest';
import type { KernelBench } from './bench.ts';

/** Sysctls, by path. */
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
}
