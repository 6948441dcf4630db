import { formatPrefix, sameAddress } from '../../../src/model/ip.ts';
import { KernelError } from '../../../felix/kernel.ts';
import type { KernelAddress } from '../../../felix/kernel.ts';
import type { FakeNamespace } from './namespace.ts';

/** `10.0.0.1/32 on link 7` */
export const addressWords = ({ address, ifindex }: KernelAddress): string =>
  `${formatPrefix(address)} on link ${ifindex}`;

export function addAddress(namespace: FakeNamespace, address: KernelAddress): void {
  if (!namespace.links.has(address.ifindex)) {
    throw new KernelError(`add address ${addressWords(address)}: ENODEV (no such device)`, 'ENODEV');
  }
  if (namespace.addresses.some((one) => isSame(one, address))) return;
  namespace.addresses = [...namespace.addresses, address];
  namespace.emit({ kind: 'address', change: 'set', address });
}

export function removeAddress(namespace: FakeNamespace, address: KernelAddress): void {
  const left = namespace.addresses.filter((one) => !isSame(one, address));
  const isGone = left.length < namespace.addresses.length;
  namespace.addresses = left;
  if (isGone) namespace.emit({ kind: 'address', change: 'removed', address });
}

const isSame = (a: KernelAddress, b: KernelAddress): boolean =>
  a.ifindex === b.ifindex && a.address.length === b.address.length && sameAddress(a.address.address, b.address.address);
