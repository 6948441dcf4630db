import { expect, test } from 'vitest';
import { formatPrefix, parseInterfaceAddress } from '../../../src/model/ip.ts';
import type { KernelBench } from './bench.ts';

/** Addresses of links. */
export function addressesContract(given: () => KernelBench): void {
  test.each(['10.3.0.1/32', 'fd00:3::1/128'])('adds and removes address %s, twice each', async (text) => {
    const { kernel, near } = given();
    const address = { ifindex: near.index, address: parseInterfaceAddress(text), scope: 0 };
    const there = async (): Promise<boolean> =>
      (await kernel.listAddresses()).some((one) => formatPrefix(one.address) === text && one.ifindex === near.index);
    await kernel.addAddress(address);
    await kernel.addAddress(address);
    expect(await there()).toBe(true);
    await kernel.removeAddress(address);
    await kernel.removeAddress(address);
    expect(await there()).toBe(false);
  });
}
