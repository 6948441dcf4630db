import type { DetectionMethod } from '../config/detection-method.ts';
import type { HostInterface } from '../../felix/index.ts';
import { formatPrefix, prefixContainsAddress, sameAddress } from '../model/ip.ts';
import type { InterfaceAddress, IpAddress } from '../model/ip.ts';

/** Interfaces that Calico's first-found never takes: bridges, tunnels and pods' own. calico/node autodetection, filtered names. */
const NEVER =
  /^(docker|cbr|dummy|podman|virbr|lxcbr|veth|lo|br-|cali|tunl|flannel|kube-ipvs|cni|vxlan\.calico|vxlan-v6\.calico|wireguard\.cali|wg-v6\.cali|nodelocaldns)/;

export type Detection =
  | {
      readonly kind: 'found';
      readonly address: InterfaceAddress;
      readonly interfaceName: string;
      readonly reason: string;
    }
  | { readonly kind: 'none'; readonly reason: string };

/** What the host has, as far as detection looks. */
export interface DetectionInputs {
  readonly interfaces: readonly HostInterface[];
  /** For can-reach: the source address that the kernel would use towards the destination. */
  readonly sourceTowards?: IpAddress;
}

/**
 * This node's IPv4 address with its subnet's length, by Calico's method. Interfaces are tried from the highest index
 * down, as Calico does; what was passed over is told in the reason.
 */
export function detectAddress(method: DetectionMethod, { interfaces, sourceTowards }: DetectionInputs): Detection {
  const passed: string[] = [];
  for (const candidate of [...interfaces].sort((a, b) => b.index - a.index)) {
    const name = candidate.name;
    const unsuitable = candidate.up ? excluded(name, method) : 'is down';
    if (unsuitable !== undefined) {
      passed.push(`${name} ${unsuitable}`);
      continue;
    }
    const address = candidate.addresses.find((each) => isUsable(each.address) && fits(each, method, sourceTowards));
    if (address === undefined) {
      passed.push(`${name} has no fitting IPv4 address`);
      continue;
    }
    return {
      kind: 'found',
      address,
      interfaceName: name,
      reason: `${formatPrefix(address)} of ${name} by ${describe(method)}`,
    };
  }
  const seen = passed.length === 0 ? 'there is no interface' : passed.join(', ');
  return { kind: 'none', reason: `no address by ${describe(method)}: ${seen}` };
}

/** The interface address that equals `address`: its mask is what CrossSubnet needs, never /32 by default. */
export function maskOf(address: IpAddress, interfaces: readonly HostInterface[]): InterfaceAddress | undefined {
  return interfaces.flatMap((each) => each.addresses).find((each) => sameAddress(each.address, address));
}

export function describe(method: DetectionMethod): string {
  switch (method.kind) {
    case 'first-found':
      return 'first-found';
    case 'interface':
    case 'skip-interface':
      return `${method.kind}=${method.patterns.map(({ source }) => source).join(',')}`;
    case 'cidr':
      return `cidr=${method.cidrs.map(formatPrefix).join(',')}`;
    case 'can-reach':
      return `can-reach=${method.destination}`;
  }
}

function excluded(name: string, method: DetectionMethod): string | undefined {
  if (method.kind === 'interface') {
    return method.patterns.some((pattern) => pattern.test(name)) ? undefined : 'is not asked for';
  }
  if (method.kind === 'cidr' || method.kind === 'can-reach') return undefined;
  if (NEVER.test(name)) return 'is a bridge, tunnel or pod interface';
  const skipped = method.kind === 'skip-interface' && method.patterns.some((pattern) => pattern.test(name));
  return skipped ? 'is to be skipped' : undefined;
}

function fits(address: InterfaceAddress, method: DetectionMethod, sourceTowards: IpAddress | undefined): boolean {
  if (method.kind === 'cidr') return method.cidrs.some((cidr) => prefixContainsAddress(cidr, address.address));
  if (method.kind === 'can-reach') return sourceTowards !== undefined && sameAddress(address.address, sourceTowards);
  return true;
}

/** Global unicast IPv4; private addresses are fine, loopback, link-local and multicast are not. */
function isUsable({ family, words }: IpAddress): boolean {
  const word = words[0] ?? 0;
  const isLinkLocal = word >>> 16 === 0xa9fe;
  return family === 4 && word !== 0 && word >>> 24 !== 127 && !isLinkLocal && word >>> 28 < 14;
}
