import { bgpConfiguration } from './bgp-configuration.ts';
import type { BgpConfiguration } from './bgp-configuration.ts';
import { bgpFilter } from './bgp-filter.ts';
import type { BgpFilter } from './bgp-filter.ts';
import { bgpPeer } from './bgp-peer.ts';
import type { BgpPeer } from './bgp-peer.ts';
import { calicoNodeStatus } from './calico-node-status.ts';
import type { CalicoNodeStatus } from './calico-node-status.ts';
import { clusterInformation } from './cluster-information.ts';
import type { ClusterInformation } from './cluster-information.ts';
import { felixConfiguration } from './felix-configuration.ts';
import type { FelixConfiguration } from './felix-configuration.ts';
import { globalNetworkPolicy } from './global-network-policy.ts';
import type { GlobalNetworkPolicy } from './global-network-policy.ts';
import { globalNetworkSet } from './global-network-set.ts';
import type { GlobalNetworkSet } from './global-network-set.ts';
import { hostEndpoint } from './host-endpoint.ts';
import type { HostEndpoint } from './host-endpoint.ts';
import { ipPool } from './ip-pool.ts';
import type { IpPool } from './ip-pool.ts';
import { ipReservation } from './ip-reservation.ts';
import type { IpReservation } from './ip-reservation.ts';
import { ipamConfiguration } from './ipam-configuration.ts';
import type { IpamConfiguration } from './ipam-configuration.ts';
import type { KindSpec } from './kind.ts';
import { kubeControllersConfiguration } from './kube-controllers-configuration.ts';
import type { KubeControllersConfiguration } from './kube-controllers-configuration.ts';
import { networkPolicy } from './network-policy.ts';
import type { NetworkPolicy } from './network-policy.ts';
import { networkSet } from './network-set.ts';
import type { NetworkSet } from './network-set.ts';
import { node } from './node.ts';
import type { Node } from './node.ts';
import { profile } from './profile.ts';
import type { Profile } from './profile.ts';
import { tier } from './tier.ts';
import type { Tier } from './tier.ts';
import { workloadEndpoint } from './workload-endpoint.ts';
import type { WorkloadEndpoint } from './workload-endpoint.ts';

export interface ResourceByKind {
  readonly BGPConfiguration: BgpConfiguration;
  readonly BGPPeer: BgpPeer;
  readonly BGPFilter: BgpFilter;
  readonly IPPool: IpPool;
  readonly Node: Node;
  readonly WorkloadEndpoint: WorkloadEndpoint;
  readonly ClusterInformation: ClusterInformation;
  readonly IPReservation: IpReservation;
  readonly IPAMConfiguration: IpamConfiguration;
  readonly FelixConfiguration: FelixConfiguration;
  readonly CalicoNodeStatus: CalicoNodeStatus;
  readonly KubeControllersConfiguration: KubeControllersConfiguration;
  readonly NetworkPolicy: NetworkPolicy;
  readonly GlobalNetworkPolicy: GlobalNetworkPolicy;
  readonly NetworkSet: NetworkSet;
  readonly GlobalNetworkSet: GlobalNetworkSet;
  readonly HostEndpoint: HostEndpoint;
  readonly Profile: Profile;
  readonly Tier: Tier;
}

export type Kind = keyof ResourceByKind;
export type AnyResource = ResourceByKind[Kind];

/** One row per kind. A kind without a row does not compile, nor a row without a kind. */
export const kindTable: { readonly [K in Kind]: KindSpec<ResourceByKind[K]> } = {
  BGPConfiguration: bgpConfiguration,
  BGPPeer: bgpPeer,
  BGPFilter: bgpFilter,
  IPPool: ipPool,
  Node: node,
  WorkloadEndpoint: workloadEndpoint,
  ClusterInformation: clusterInformation,
  IPReservation: ipReservation,
  IPAMConfiguration: ipamConfiguration,
  FelixConfiguration: felixConfiguration,
  CalicoNodeStatus: calicoNodeStatus,
  KubeControllersConfiguration: kubeControllersConfiguration,
  NetworkPolicy: networkPolicy,
  GlobalNetworkPolicy: globalNetworkPolicy,
  NetworkSet: networkSet,
  GlobalNetworkSet: globalNetworkSet,
  HostEndpoint: hostEndpoint,
  Profile: profile,
  Tier: tier,
};

export const KINDS = Object.keys(kindTable) as readonly Kind[];

export const isKind = (name: string): name is Kind => Object.hasOwn(kindTable, name);

/** Finds the kind that people mean by `bgppeer`, `BGPPeers` or `bp`. */
export function kindByAlias(word: string): Kind | undefined {
  const lower = word.toLowerCase();
  return KINDS.find((kind) => {
    const { plural, aliases } = kindTable[kind];
    return kind.toLowerCase() === lower || plural === lower || aliases.includes(lower);
  });
}

/** How messages name a resource: `IPPool(default-ipv4-ippool)`, `WorkloadEndpoint(default/web-1)`. */
export function resourceId(kind: Kind, name: string, namespace?: string): string {
  return `${kind}(${namespace === undefined ? '' : `${namespace}/`}${name})`;
}
