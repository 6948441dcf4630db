import type { InterfaceAddress, IpAddress, IpFamily, Prefix } from '../src/model/ip.ts';
import { formatPrefix } from '../src/model/ip.ts';
import type { LearnedRoute } from '../src/model/route.ts';

export type EncapMode = 'Always' | 'CrossSubnet' | 'Never';

/** An IP pool as far as routing needs it. At most one of the two modes is not Never. */
export interface Pool {
  readonly name: string;
  readonly cidr: Prefix;
  readonly ipipMode: EncapMode;
  readonly vxlanMode: EncapMode;
  /** What its addresses send out of all pools leaves under this host's address. */
  readonly natOutgoing: boolean;
}

/** A node of the cluster as its Node resource describes it. */
export interface ClusterNode {
  readonly name: string;
  /** BGP address with the length of its subnet; that length is what CrossSubnet goes by. Absent: IPv6 alone. */
  readonly address?: InterfaceAddress;
  readonly ipipTunnelAddress?: IpAddress;
  readonly vxlanTunnelAddress?: IpAddress;
  /** `66:xx:xx:xx:xx:xx`; absent: derived from the node's name as felix does. */
  readonly vxlanTunnelMac?: string;
  /** Absent: the node has no IPv6 BGP address. */
  readonly ipv6?: ClusterNodeIpv6;
}

/** The same of a node in IPv6, which knows no IPIP. */
export interface ClusterNodeIpv6 {
  readonly address: InterfaceAddress;
  readonly vxlanTunnelAddress?: IpAddress;
  /** Absent: derived from the node's name and `-v6` as felix does. */
  readonly vxlanTunnelMac?: string;
}

/** A pod on this node. */
export interface LocalEndpoint {
  /** `namespace/pod` */
  readonly name: string;
  readonly interfaceName: string;
  readonly addresses: readonly IpAddress[];
}

/** A BGP peer that is reached through a router of our choice, whatever else the host's routes say. */
export interface PeerGateway {
  readonly peer: IpAddress;
  /** Of the peer's family. */
  readonly gateway: IpAddress;
  /** Who says so: `BGPPeer(tor-a)`. */
  readonly origin: string;
}

/**
 * Everything that decides which routes, links, addresses and neighbours this host should have.
 * The desired state is a function of one such value, whatever came before.
 */
export interface DataplaneInputs {
  readonly local: ClusterNode;
  /** All other nodes. */
  readonly nodes: readonly ClusterNode[];
  /** Disabled ones too: their pods live on. */
  readonly pools: readonly Pool[];
  /** Blocks with a confirmed affinity to this node. */
  readonly localBlocks: readonly Prefix[];
  /** Addresses of these blocks that IPAM knows to be in use on other nodes, which borrowed them. Absent: none. */
  readonly lentAddresses?: readonly IpAddress[];
  readonly endpoints: readonly LocalEndpoint[];
  /** One for each peer. Absent: none. */
  readonly peerGateways?: readonly PeerGateway[];
  readonly learned: readonly LearnedRoute[];
  /** False while bird is still in a restart's deferral: what is absent from `learned` may yet come. */
  readonly learnedComplete: boolean;
}

/** A node's BGP address in a family, if it has one. */
export const addressOf = (
  node: Pick<ClusterNode, 'address' | 'ipv6'>,
  family: IpFamily,
): InterfaceAddress | undefined => (family === 4 ? node.address : node.ipv6?.address);

/** Whether the pools have the same CIDRs in the same order. */
export function samePools(before: DataplaneInputs | undefined, after: DataplaneInputs): boolean {
  const text = ({ pools }: DataplaneInputs): string => pools.map(({ cidr }) => formatPrefix(cidr)).join(' ');
  return before !== undefined && text(before) === text(after);
}
