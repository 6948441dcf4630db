import type { IpAddress } from '../model/ip.ts';
import { formatIpAddress, sameAddress } from '../model/ip.ts';
import { matchesSelector, parseSelector } from '../model/selector.ts';
import { parsePeerIp } from '../resources/index.ts';
import type { BgpPeer, Resources } from '../resources/index.ts';
import type { BgpNode } from './bgp-nodes.ts';
import { addressIn, BGP_PORT, byName } from './bgp-nodes.ts';

/** calicoctl's words. */
export type PeeringKind = 'global' | 'node specific' | 'node-to-node mesh';

/** What one resource asks of this node: a session with one address. */
export interface Peering {
  readonly kind: PeeringKind;
  /** The resource that asks. */
  readonly origin: string;
  readonly address: IpAddress;
  readonly port: number;
  readonly remoteAsn: number;
  /** Absent: this node's AS number. */
  readonly localAsn?: number;
  /** The node of this cluster that has the address, where there is one. */
  readonly remoteNode?: BgpNode;
  readonly passive: boolean;
  readonly useNodeAddress: boolean;
  readonly nextHop: BgpPeer['spec']['nextHopMode'] | 'KeepOverEbgp';
  /** Go's notation. */
  readonly restartTime?: string;
  readonly keepaliveTime?: string;
  readonly allowOwnAsn: number;
  /** Names of BGPFilters, in order. */
  readonly filters: readonly string[];
  readonly password?: SecretRef;
  /** RFC 5082; absent: not looked at. */
  readonly ttlSecurityHops?: number;
}

/** One entry of a Secret. */
export interface SecretRef {
  readonly name: string;
  readonly key: string;
}

/** What the Secret holds, or in words why it is not to be had. */
export type PasswordLookup = (secret: SecretRef) => { readonly password: string } | { readonly missing: string };

export interface Omitted {
  readonly origin: string;
  /** An address, a node, or what the resource itself calls the peers. */
  readonly peer: string;
  readonly reason: string;
  /** Whoever wrote the resources meant it so: a node is no peer of itself, the mesh is off. */
  readonly isMeant?: true;
}

/** Peerings asked for, the strongest claim first, and those that cannot be. */
export interface Wanted {
  readonly peerings: readonly Peering[];
  readonly omitted: readonly Omitted[];
}

export interface Cluster {
  readonly self: BgpNode;
  readonly nodes: ReadonlyMap<string, BgpNode>;
  readonly resources: Resources;
}

const origin = (peer: BgpPeer): string => `BGPPeer(${peer.metadata.name})`;
export const reverseOrigin = (forward: string): string => `${forward}, reverse`;
const isSet = (text: string | undefined): text is string => text !== undefined && text !== '';
const isGlobal = ({ spec }: BgpPeer): boolean => !isSet(spec.node) && !isSet(spec.nodeSelector);

/** The global ones first: of two that ask for the same the first has it. */
export function inOrder(peers: Iterable<BgpPeer>): readonly BgpPeer[] {
  const named = byName(peers);
  return [...named.filter(isGlobal), ...named.filter((peer) => !isGlobal(peer))];
}

/**
 * BGPPeers as Calico takes them: the global ones, then those of this node, then the far sides of everybody's, the global
 * ones first again: a node that others dial must choose among their BGPPeers as they do.
 */
export function explicitPeerings(cluster: Cluster): Wanted {
  const peers = inOrder(cluster.resources.BGPPeer.values());
  const forward = peers.filter((peer) => appliesTo(peer, cluster.self));
  return {
    peerings: [
      ...forward.flatMap((peer) => forwardPeerings(peer, cluster)),
      ...peers.flatMap((peer) => reversePeerings(peer, cluster)),
    ],
    omitted: forward
      .filter(({ spec }) => ![spec.peerIP, spec.peerSelector, spec.localWorkloadSelector].some(isSet))
      .map((peer) => ({ origin: origin(peer), peer: 'every peer', reason: 'neither peerIP nor peerSelector is set' })),
  };
}

/** Whether the BGPPeer is for this node, rather than at it. */
export function appliesTo(peer: BgpPeer, node: BgpNode): boolean {
  if (isGlobal(peer)) return true;
  if (isSet(peer.spec.node)) return peer.spec.node === node.name;
  return matchesSelector(parseSelector(peer.spec.nodeSelector!), node.labels);
}

function forwardPeerings(peer: BgpPeer, cluster: Cluster): readonly Peering[] {
  const { spec } = peer;
  const kind = isGlobal(peer) ? 'global' : 'node specific';
  const common = { kind, origin: origin(peer), passive: false, ...settingsOf(peer) } as const;
  if (isSet(spec.peerSelector)) {
    return selectedNodes(spec.peerSelector, cluster).flatMap((remoteNode) =>
      remoteNode.addresses.map((address) => ({
        ...common,
        address,
        port: remoteNode.port,
        remoteAsn: asnShownBy(remoteNode, peer, cluster.self),
        remoteNode,
      })),
    );
  }
  if (!isSet(spec.peerIP) || spec.asNumber === undefined) return [];
  const { address, port } = parsePeerIp(spec.peerIP);
  const owner = [...cluster.nodes.values()].find((node) => node.addresses.some((own) => sameAddress(own, address)));
  const listenPort = owner?.asn === spec.asNumber ? owner.port : BGP_PORT;
  const ours = addressIn(cluster.self, address.family);
  return [
    {
      ...common,
      address,
      port: port ?? listenPort,
      remoteAsn: spec.asNumber,
      // Both ends being nodes of the cluster, one waits; only global peers by address do so in Calico.
      passive: kind === 'global' && owner !== undefined && ours !== undefined && isPassiveTowards(address, ours),
      ...(owner === undefined ? {} : { remoteNode: owner }),
    },
  ];
}

/** A BGPPeer between nodes of one group is for both ends, and both show its localASNumber. */
function asnShownBy(far: BgpNode, peer: BgpPeer, self: BgpNode): number {
  const { localASNumber } = peer.spec;
  if (localASNumber === undefined) return far.asn;
  return appliesTo(peer, far) && reachedAddresses(peer, self).length > 0 ? localASNumber : far.asn;
}

/**
 * Calico compares the addresses as text: the smaller waits and the larger dials. Numerically odd (`10.0.0.9` is
 * larger than `10.0.0.10`), but both ends must use one rule, and the other end may be Calico's.
 */
export const isPassiveTowards = (remote: IpAddress, own: IpAddress): boolean =>
  formatIpAddress(remote) > formatIpAddress(own);

const selectedNodes = (selector: string, { self, nodes }: Cluster): readonly BgpNode[] => {
  const parsed = parseSelector(selector);
  return [...nodes.values()].filter((node) => node.name !== self.name && matchesSelector(parsed, node.labels));
};

/** Where a BGPPeer of other nodes points at this one, this one must expect them: the far side needs no resource. */
function reversePeerings(peer: BgpPeer, { self, nodes }: Cluster): readonly Peering[] {
  const { spec } = peer;
  if (spec.reversePeering === 'Manual') return [];
  const reached = reachedAddresses(peer, self);
  if (reached.length === 0) return [];
  const far = [...nodes.values()].filter((node) => node.name !== self.name && appliesTo(peer, node));
  return far.flatMap((remoteNode) =>
    reached.flatMap(({ family }) => {
      const address = addressIn(remoteNode, family);
      if (address === undefined) return [];
      return [
        {
          ...sharedSettings(peer),
          kind: 'node specific',
          origin: reverseOrigin(origin(peer)),
          address,
          port: remoteNode.port,
          // The AS number that the far side shows us here.
          remoteAsn: spec.localASNumber ?? remoteNode.asn,
          remoteNode,
          passive: false,
          useNodeAddress: true,
          allowOwnAsn: 0,
        } as const,
      ];
    }),
  );
}

/** Those addresses of `node` that the BGPPeer makes others dial. */
function reachedAddresses({ spec }: BgpPeer, node: BgpNode): readonly IpAddress[] {
  if (isSet(spec.peerSelector)) {
    return matchesSelector(parseSelector(spec.peerSelector), node.labels) ? node.addresses : [];
  }
  if (!isSet(spec.peerIP) || spec.asNumber !== node.asn) return [];
  const { address, port } = parsePeerIp(spec.peerIP);
  return node.addresses.filter((own) => sameAddress(own, address) && (port ?? node.port) === node.port);
}

/** What a BGPPeer says of the session to the nodes that it is for. */
const settingsOf = (peer: BgpPeer) => ({
  ...sharedSettings(peer),
  ...(peer.spec.localASNumber === undefined ? {} : { localAsn: peer.spec.localASNumber }),
  useNodeAddress: peer.spec.sourceAddress !== 'None',
  allowOwnAsn: peer.spec.numAllowedLocalASNumbers ?? 0,
});

/** What it says to the far side too, where that is a node of ours. */
function sharedSettings({ spec }: BgpPeer) {
  const nextHop: Peering['nextHop'] = spec.keepOriginalNextHop === true ? 'KeepOverEbgp' : spec.nextHopMode;
  return {
    nextHop,
    ...(spec.maxRestartTime === undefined ? {} : { restartTime: spec.maxRestartTime }),
    ...(spec.keepaliveTime === undefined ? {} : { keepaliveTime: spec.keepaliveTime }),
    filters: spec.filters ?? [],
    ...(spec.password === undefined ? {} : { password: spec.password.secretKeyRef }),
    ...(spec.ttlSecurity === undefined || spec.ttlSecurity === 0 ? {} : { ttlSecurityHops: spec.ttlSecurity }),
  };
}
