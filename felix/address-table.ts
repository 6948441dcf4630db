import type { IpAddress } from '../src/model/ip.ts';
import { hostPrefix, isHostPrefix, isIpv6LinkLocal, sameAddress } from '../src/model/ip.ts';
import type { KernelAddress } from './kernel.ts';
import { SCOPE } from './routes/kernel-route.ts';

export type AddressChange =
  { readonly op: 'add'; readonly address: KernelAddress } | { readonly op: 'remove'; readonly address: KernelAddress };

/**
 * A tunnel carries exactly one address of its family, ours, as /32 or /128 (`want` undefined: no IPv4 address); the new
 * one comes before the old goes. Link-local addresses on it are the kernel's own.
 */
export function planAddresses(
  ifindex: number,
  want: IpAddress | undefined,
  have: readonly KernelAddress[],
): readonly AddressChange[] {
  const family = want?.family ?? 4;
  const present = have.filter(({ ifindex: at, address: { address } }) => {
    return at === ifindex && address.family === family && !isIpv6LinkLocal(address);
  });
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
