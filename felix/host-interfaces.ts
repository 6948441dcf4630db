import type { HostInterface } from './contract.ts';
import type { Kernel } from './kernel.ts';

/** Every link with its addresses, both in the kernel's order. Takes no privilege. */
export async function hostInterfaces(
  kernel: Pick<Kernel, 'listLinks' | 'listAddresses'>,
): Promise<readonly HostInterface[]> {
  const [links, addresses] = [await kernel.listLinks(), await kernel.listAddresses()];
  return links.map(({ name, index, kind, up, running, mtu, mac }) => ({
    ...{ name, index, up, running, mtu, mac },
    ...(kind !== undefined && { kind }),
    addresses: addresses
      .filter(({ ifindex }) => ifindex === index)
      .map(({ address, secondary, deprecated }) => ({
        ...address,
        ...(secondary === true && { secondary }),
        ...(deprecated === true && { deprecated }),
      })),
  }));
}
