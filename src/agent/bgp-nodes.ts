import type { IpAddress, IpFamily } from '../model/ip.ts';
import { parseInterfaceAddress } from '../model/ip.ts';
import type { Labels } from '../model/selector.ts';
import { DEFAULT_ASN } from '../resources/index.ts';
import type { Node, Resources } from '../resources/index.ts';

export const BGP_PORT = 179;

/** A node as BGP sees it: what its own resource says, completed by the cluster's configuration. */
export interface BgpNode {
  readonly name: string;
  readonly labels: Labels;
  readonly asn: number;
  readonly addresses: readonly IpAddress[];
  readonly port: number;
  /** Set on a route reflector. */
  readonly clusterId?: string;
}

/** All nodes by name, in the order of their names: the order in which the datastore told of them decides nothing. */
export function bgpNodes({ Node, BGPConfiguration }: Resources): ReadonlyMap<string, BgpNode> {
  const shared = BGPConfiguration.get('default')?.spec;
  const bgpNode = ({ metadata: { name, labels = {} }, spec: { bgp } }: Node): BgpNode => ({
    name,
    labels,
    asn: bgp?.asNumber ?? shared?.asNumber ?? DEFAULT_ASN,
    addresses: [bgp?.ipv4Address, bgp?.ipv6Address].flatMap((text) =>
      text === undefined ? [] : [parseInterfaceAddress(text).address],
    ),
    port: BGPConfiguration.get(`node.${name}`)?.spec.listenPort ?? shared?.listenPort ?? BGP_PORT,
    ...(bgp?.routeReflectorClusterID === undefined ? {} : { clusterId: bgp.routeReflectorClusterID }),
  });
  return new Map(byName(Node.values()).map((node) => [node.metadata.name, bgpNode(node)]));
}

/** Code unit order, the same on every host whatever its locale. */
export function byName<R extends { readonly metadata: { readonly name: string } }>(
  resources: Iterable<R>,
): readonly R[] {
  return [...resources].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
}

export const addressIn = (node: BgpNode, family: IpFamily): IpAddress | undefined =>
  node.addresses.find((address) => address.family === family);
