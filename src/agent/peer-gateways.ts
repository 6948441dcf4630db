import type { PeerGateway } from '../../felix/index.ts';
import { formatIpAddress, parseIpAddress } from '../model/ip.ts';
import { parsePeerIp } from '../resources/index.ts';
import type { Resources } from '../resources/index.ts';
import { addressIn, bgpNodes } from './bgp-nodes.ts';
import { appliesTo, inOrder } from './peerings.ts';

/**
 * Peers of this node that a BGPPeer's `reachableBy` leads to; of two that name one peer the one that the peering itself goes by.
 * Calico: a static route of BIRD.
 */
export function peerGateways(resources: Resources, nodeName: string): readonly PeerGateway[] {
  const named = inOrder(resources.BGPPeer.values()).filter(({ spec }) => spec.reachableBy && spec.peerIP);
  // Asked for at each change of a learned route, and most clusters have none.
  const self = named.length === 0 ? undefined : bgpNodes(resources).get(nodeName);
  if (self === undefined) return [];
  const byAddress = new Map<string, PeerGateway>();
  for (const { metadata, spec } of named.filter((peer) => appliesTo(peer, self))) {
    if (!spec.reachableBy || !spec.peerIP) continue;
    const peer = parsePeerIp(spec.peerIP).address;
    const key = formatIpAddress(peer);
    if (byAddress.has(key) || addressIn(self, peer.family) === undefined) continue;
    byAddress.set(key, { peer, gateway: parseIpAddress(spec.reachableBy), origin: `BGPPeer(${metadata.name})` });
  }
  return [...byAddress.values()];
}
