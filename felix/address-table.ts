import type { IpAddress } from '../src/model/ip.ts';
import { hostPrefix, isHostPrefix, sameAddress } from '../src/model/ip.ts';
import type { KernelAddress } from './kernel.ts';
import { SCOPE } from './kernel.ts';

export type AddressChange =
  { readonly op: 'add'; readonly address: KernelAddress } | { readonly op: 'remove'; readonly address: KernelAddress };

/**
 * A tunnel carries exactly one IPv4 address, ours, as /32 (`want` undefined: none); the new one comes before the old
 * goes. IPv6 addresses on it are the kernel's own link-local ones.
 */
export function planAddresses(
  ifindex: number,
  want: IpAddress | undefined,
  have: readonly KernelAddress[],
): readonly AddressChange[] {
  const present = have.filter((entry) => entry.ifindex === ifindex && entry.address.address.family === 4);
  const isWanted = ({ address }: KernelAddress): boolean =>
    want !== undefined && isHostPrefix(address) && sameAddress(address.address, want);
  const additions: readonly AddressChange[] =
    want === undefined || present.some(isWanted)
      ? []
      : [{ op: 'add', address: { ifindex, address: hostPrefix(want), scope: SCOPE.universe } }];
  const removals = present
    .filter((entry) => !isWanted(entry))
    .map((address): AddressChange => ({ op: 'remove', address }));
  return [...additions, ...removals];
}
