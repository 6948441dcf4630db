import { formatPrefix, prefixOf, sameAddress, samePrefix } from '../../../src/model/ip.ts';
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
  const stored = namespace.addresses.some((one) => isOfOneSubnet(one, address))
    ? { ...address, secondary: true }
    : address;
  namespace.addresses = [...namespace.addresses, stored];
  namespace.emit({ kind: 'address', change: 'set', address });
}

export function removeAddress(namespace: FakeNamespace, address: KernelAddress): void {
  const left = namespace.addresses.filter((one) => !isSame(one, address));
  const isGone = left.length < namespace.addresses.length;
  namespace.addresses = left;
  if (isGone) namespace.emit({ kind: 'address', change: 'removed', address });
}

const isOfOneSubnet = (a: KernelAddress, b: KernelAddress): boolean =>
  a.ifindex === b.ifindex &&
  a.address.address.family === 4 &&
  samePrefix(prefixOf(a.address.address, a.address.length), prefixOf(b.address.address, b.address.length));

const isSame = (a: KernelAddress, b: KernelAddress): boolean =>
  a.ifindex === b.ifindex && a.address.length === b.address.length && sameAddress(a.address.address, b.address.address);
