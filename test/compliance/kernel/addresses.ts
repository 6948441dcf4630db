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

  test('tells an IPv4 address that came after another of its subnet, and no other', async () => {
    const { kernel, near } = given();
    for (const text of ['10.1.0.9/24', '10.1.0.10/32', '10.4.0.1/24', '2001:db8::9/64'])
      await kernel.addAddress({ ifindex: near.index, address: parseInterfaceAddress(text), scope: 0 });
    const listed = (await kernel.listAddresses()).filter(({ secondary }) => secondary === true);
    expect(listed.map(({ address }) => formatPrefix(address))).toEqual(['10.1.0.9/24']);
  });
}
