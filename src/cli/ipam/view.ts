import { CALICO_PREFIX } from '../../datastore/keys.ts';
import type { Listing, Store } from '../../datastore/store.ts';
import { ipamSurvey } from '../../ipam/index.ts';
import type { IpamSurvey, Users } from '../../ipam/index.ts';
import { formatIpAddress, parsePrefix, parseIpAddress } from '../../model/ip.ts';
import { resourcesFromEntries } from '../../resources/index.ts';
import type { Node, Resources, UnreadableEntry, WorkloadEndpoint } from '../../resources/index.ts';

/** IPAM and who uses it, at one moment. */
export interface IpamView {
  readonly listing: Listing;
  readonly survey: IpamSurvey;
  readonly resources: Resources;
  readonly users: Users;
  /** Blocks, endpoints, nodes that nobody can read: what they use is unknown. */
  readonly unreadable: readonly UnreadableEntry[];
}

/** Of one listing, so that an address and its endpoint are of the same moment. */
export async function ipamView(store: Store): Promise<IpamView> {
  const listing = await store.list(CALICO_PREFIX);
  const { resources, unreadable } = resourcesFromEntries(listing.entries);
  const survey = ipamSurvey(listing);
  const users = { ...usersOf(resources) };
  return { listing, survey, resources, users, unreadable: [...survey.unreadable, ...unreadable] };
}

/** Every address that a workload endpoint or a node's tunnel has. */
export function usersOf({ Node, WorkloadEndpoint }: Pick<Resources, 'Node' | 'WorkloadEndpoint'>): Users {
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

/** What keeps addresses back, of all IPReservations. */
export const reservedBy = ({ IPReservation }: Resources): readonly (readonly [name: string, cidr: string])[] =>
  [...IPReservation.values()].flatMap(({ metadata, spec }) =>
    spec.reservedCIDRs.map((cidr) => [metadata.name, cidr] as const),
  );
