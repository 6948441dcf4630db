import { formatIpAddress, parseIpAddress, parsePrefix } from '../model/ip.ts';
import type { Node } from './node.ts';
import type { Resources } from './stored.ts';
import type { WorkloadEndpoint } from './workload-endpoint.ts';

/** Who uses which address. Addresses are texts. */
export interface AddressUsers {
  readonly nodes: ReadonlySet<string>;
  /** By address: `Workload(default/web)`, `Node(n1)`. */
  readonly inUse: ReadonlyMap<string, readonly string[]>;
  readonly containers: ReadonlySet<string>;
}

/** Every address that a workload endpoint or a node's tunnel has. */
export function addressUsers({ Node, WorkloadEndpoint }: Pick<Resources, 'Node' | 'WorkloadEndpoint'>): AddressUsers {
  const inUse = new Map<string, string[]>();
  const use = (address: string, owner: string): void => {
    const ip = formatIpAddress(parseIpAddress(address));
    const owners = inUse.get(ip);
    if (owners === undefined) inUse.set(ip, [owner]);
    else owners.push(owner);
  };
  for (const node of Node.values()) for (const address of tunnelsOf(node)) use(address, `Node(${node.metadata.name})`);
  for (const endpoint of WorkloadEndpoint.values()) {
    for (const network of endpoint.spec.ipNetworks) {
      use(formatIpAddress(parsePrefix(network).address), endpointName(endpoint));
    }
  }
  const containers = [...WorkloadEndpoint.values()].flatMap(({ spec }) => spec.containerID ?? []);
  return { nodes: new Set(Node.keys()), inUse, containers: new Set(containers) };
}

export const endpointName = ({ metadata }: WorkloadEndpoint): string =>
  `Workload(${metadata.namespace ?? 'default'}/${metadata.name})`;

const tunnelsOf = ({ spec }: Node): readonly string[] =>
  [
    spec.bgp?.ipv4IPIPTunnelAddr,
    spec.ipv4VXLANTunnelAddr,
    spec.ipv6VXLANTunnelAddr,
    spec.wireguard?.interfaceIPv4Address,
    spec.wireguard?.interfaceIPv6Address,
  ].filter((address) => address !== undefined);
