/** What keeps an address from being this node's, and what speaks against it; one address at a time. */
import type { HostAddress, HostInterface } from '../../felix/index.ts';
import type { DetectionMethod } from '../config/detection-method.ts';
import {
  addressBits,
  formatPrefix,
  isIpv6LinkLocal,
  prefixContainsAddress,
  prefixOf,
  sameAddress,
} from '../model/ip.ts';
import type { InterfaceAddress, IpAddress, IpFamily } from '../model/ip.ts';
import { isPairOfContainer, isPassedOverByName, specialKind } from './autodetect-links.ts';

export interface Question {
  readonly method: DetectionMethod;
  readonly family: IpFamily;
  readonly interfaces: readonly HostInterface[];
  /** Of can-reach: the address of this host that it asks for; absent where there is none. */
  readonly wanted?: IpAddress;
  /** Of kubernetes-internal-ip: what the Node resource says. */
  readonly internalIps: readonly IpAddress[];
}

export interface Refusal {
  /** `is a bridge` */
  readonly reason: string;
  /** Calico would take it: whoever has such an address keeps it. */
  readonly isOurs: boolean;
}

const always = (reason: string): Refusal => ({ reason, isOurs: false });

/** Why no address of a link is taken. */
export function refuseLink(link: HostInterface, { method, interfaces }: Question): Refusal | undefined {
  if (!link.up) return always('is down');
  const isMatched = 'patterns' in method && method.patterns.some((pattern) => pattern.test(link.name));
  if (method.kind === 'interface') return isMatched ? undefined : always('is not asked for');
  if (['cidr', 'can-reach', 'kubernetes-internal-ip'].includes(method.kind)) return undefined;
  if (isMatched) return always('is to be skipped');
  if (isPassedOverByName(link)) return always("is passed over for its name, as Calico's first-found does");
  const special = specialKind(link);
  if (special === undefined || isPairOfContainer(link, interfaces)) return undefined;
  return { reason: `is ${special}`, isOurs: true };
}

/** Why one address of a link that may be taken is not. */
export function refuseAddress(
  address: HostAddress,
  link: HostInterface,
  { method, family, wanted, internalIps }: Question,
): Refusal | undefined {
  if (method.kind === 'kubernetes-internal-ip') {
    const isNamed = internalIps.some((internal) => sameAddress(internal, address.address));
    return isNamed ? undefined : always('is not the InternalIP of the Node');
  }
  if (method.kind === 'cidr') {
    const containing = method.cidrs.filter((cidr) => prefixContainsAddress(cidr, address.address));
    if (containing.length === 0) return always('is in none of the networks asked for');
    if (containing.some(({ length }) => length === addressBits(family))) return undefined;
  }
  if (method.kind === 'can-reach' && (wanted === undefined || !sameAddress(address.address, wanted))) {
    return always(`is not the source towards ${method.destination}`);
  }
  const holder = ownerOfVirtual(address, link);
  if (holder === undefined) return undefined;
  // In IPv6 it may as well be what DHCPv6 gave beside an address of SLAAC.
  return { reason: `is a single address beside ${formatPrefix(holder)}: a virtual one`, isOurs: family === 6 };
}

/**
 * What speaks against an address that may be taken, the gravest first: of two the one without the first point on which
 * they differ is better.
 */
export function demerits(
  address: HostAddress,
  link: HostInterface,
  { method, family }: Question,
): readonly (string | undefined)[] {
  const isNamed = isNamedWhole(link, method);
  const special = isNamed ? undefined : specialKind(link);
  return [
    method.kind === 'interface' && !isNamed ? 'is named only in part' : undefined,
    special && `is ${special}`,
    link.running ? undefined : 'has no carrier',
    address.length === addressBits(family) ? 'has no subnet' : undefined,
    address.deprecated === true ? 'is deprecated' : undefined,
    address.secondary === true ? (family === 4 ? 'is a secondary address' : 'is a temporary address') : undefined,
  ];
}

/** `eth1` matches `eth10` and `veth1`, too, but does not name them. */
const isNamedWhole = ({ name }: HostInterface, method: DetectionMethod): boolean =>
  method.kind === 'interface' && method.patterns.some(({ source }) => new RegExp(`^(?:${source})$`).test(name));

/** Global unicast as Calico sees it: private addresses are, loopback, link-local, multicast and broadcast ones are not. */
export function isUsable(address: IpAddress): boolean {
  const [first = 0, second, third, last] = address.words;
  if (address.family === 6) {
    const isLoopbackOrNone = first === 0 && second === 0 && third === 0 && (last ?? 0) <= 1;
    return !isLoopbackOrNone && !isIpv6LinkLocal(address) && first >>> 24 !== 0xff;
  }
  const isLinkLocal = first >>> 16 === 0xa9fe;
  return first !== 0 && first >>> 24 !== 127 && !isLinkLocal && first >>> 28 !== 14 && first !== 0xffff_ffff;
}

/** The address with a subnet that makes a host address beside it a virtual one: the one whose subnet holds it, else any. */
export function ownerOfVirtual({ address, length }: InterfaceAddress, link: HostInterface): HostAddress | undefined {
  const bits = addressBits(address.family);
  if (length < bits) return undefined;
  const beside = link.addresses.filter(
    (other) => other.address.family === address.family && other.length < bits && isUsable(other.address),
  );
  return beside.find((other) => holds(other, address)) ?? beside[0];
}

/** An address with the mask that its interface brings, be it by another address whose subnet it lies in. */
export function withSubnet(address: InterfaceAddress, link: HostInterface): InterfaceAddress {
  const owner = ownerOfVirtual(address, link);
  const length = owner !== undefined && holds(owner, address.address) ? owner.length : address.length;
  return { address: address.address, length };
}

const holds = (owner: InterfaceAddress, address: IpAddress): boolean =>
  prefixContainsAddress(prefixOf(owner.address, owner.length), address);
