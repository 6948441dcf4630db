import type { PeerSettings } from '../../bird/index.ts';
import { parseDuration } from '../model/duration.ts';
import { formatIpAddress, sameAddress } from '../model/ip.ts';
import type { Resources } from '../resources/index.ts';
import { addressIn, bgpNodes } from './bgp-nodes.ts';
import type { BgpNode } from './bgp-nodes.ts';
import { explicitPeerings, meshPeerings, reverseOrigin } from './peerings.ts';
import type { Omitted, Peering } from './peerings.ts';

export type { Omitted } from './peerings.ts';

/** What no resource says, and the agent's settings may. */
export type PeerDefaults = Pick<
  PeerSettings,
  'holdSeconds' | 'connectRetrySeconds' | 'errorWaitSeconds' | 'gracefulRestartSeconds' | 'notificationRestart'
>;

/** The timers of Calico's BIRD: what a peer of a Calico node sees. */
export const CALICO_PEER_DEFAULTS: PeerDefaults = {
  holdSeconds: 240,
  connectRetrySeconds: 5,
  errorWaitSeconds: [5, 30],
  gracefulRestartSeconds: 120,
  // A node that dies takes its routes along when the hold time is over, as in Calico; RFC 8538 would keep them.
  notificationRestart: false,
};

export interface ComputedPeers {
  readonly peers: readonly PeerSettings[];
  /** What was asked for and is not there, with the reason. */
  readonly omitted: readonly Omitted[];
}

/**
 * The neighbours of one node. Global BGPPeers come first, then those of the node, then the far sides of others', then
 * the mesh; the first to claim an address and port has it. Depends on the resources alone, not on their order.
 */
export function computePeers(resources: Resources, nodeName: string, defaults: PeerDefaults): ComputedPeers {
  const nodes = bgpNodes(resources);
  const self = nodes.get(nodeName);
  if (self === undefined) {
    return {
      peers: [],
      omitted: [{ origin: `Node(${nodeName})`, peer: 'every peer', reason: 'the node is not registered' }],
    };
  }
  const cluster = { self, nodes, resources };
  const wanted = [explicitPeerings(cluster), meshPeerings(cluster)];
  const taken = new Map<string, Peering>();
  const omitted = wanted.flatMap((part) => part.omitted);
  for (const peering of wanted.flatMap((part) => part.peerings)) {
    const key = `${formatIpAddress(peering.address)} port ${peering.port}`;
    const reason = whyNot(peering, self, taken.get(key));
    if (reason === undefined) taken.set(key, peering);
    else if (!isOtherSideOf(peering, taken.get(key)))
      omitted.push({ origin: peering.origin, peer: formatIpAddress(peering.address), reason });
  }
  return { peers: [...taken.values()].map((peering) => peerSettings(peering, self, defaults)), omitted };
}

/** A BGPPeer that makes two nodes dial each other asks for the session twice; that is no conflict. */
const isOtherSideOf = (peering: Peering, earlier: Peering | undefined): boolean =>
  earlier !== undefined && peering.origin === reverseOrigin(earlier.origin);

function whyNot(peering: Peering, self: BgpNode, earlier: Peering | undefined): string | undefined {
  const { address, port } = peering;
  if (self.addresses.some((own) => sameAddress(own, address))) return "is this node's own address";
  if (addressIn(self, address.family) === undefined) return `this node has no IPv${address.family} address`;
  return earlier === undefined ? undefined : `${earlier.origin} already peers with this address on port ${port}`;
}

function peerSettings(peering: Peering, self: BgpNode, defaults: PeerDefaults): PeerSettings {
  const {
    address,
    port,
    kind,
    origin,
    remoteAsn,
    localAsn = self.asn,
    remoteNode,
    restartTime,
    keepaliveTime,
  } = peering;
  const isInternal = remoteAsn === localAsn;
  const localAddress = peering.useNodeAddress ? addressIn(self, address.family) : undefined;
  return {
    ...defaults,
    address,
    port,
    kind,
    origin,
    remoteAsn,
    localAsn,
    ...(localAddress === undefined ? {} : { localAddress }),
    families: [address.family],
    passive: peering.passive,
    ...(keepaliveTime === undefined ? {} : { keepaliveSeconds: wholeSeconds(keepaliveTime) }),
    ...(restartTime === undefined ? {} : { gracefulRestartSeconds: wholeSeconds(restartTime) }),
    nextHop: nextHop(peering.nextHop, isInternal),
    // A reflector of our own cluster is no client. Departs from Calico, which cannot tell where the peer is an address.
    routeReflectorClient: self.clusterId !== undefined && isInternal && remoteNode?.clusterId !== self.clusterId,
    allowOwnAsn: peering.allowOwnAsn,
  };
}

const wholeSeconds = (time: string): number => Math.round(parseDuration(time) / 1000);

/** keepOriginalNextHop is the older field, and says something about eBGP alone. */
function nextHop(mode: Peering['nextHop'], isInternal: boolean): PeerSettings['nextHop'] {
  if (mode === 'Self') return 'self';
  return mode === 'Keep' || (mode === 'KeepOverEbgp' && !isInternal) ? 'keep' : 'auto';
}
