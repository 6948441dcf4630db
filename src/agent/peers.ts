import type { PeerSettings } from '../../bird/index.ts';
import { parseDuration } from '../model/duration.ts';
import { formatIpAddress, sameAddress } from '../model/ip.ts';
import type { Resources } from '../resources/index.ts';
import { addressIn, bgpNodes, byName } from './bgp-nodes.ts';
import type { BgpNode } from './bgp-nodes.ts';
import { MESH_ORIGIN, meshPeerings } from './mesh-peerings.ts';
import { poolFilters, routeFilters } from './peer-filters.ts';
import { explicitPeerings, reverseOrigin } from './peerings.ts';
import type { Cluster, Omitted, PasswordLookup, Peering } from './peerings.ts';

export type { Omitted } from './peerings.ts';

/** What no resource says, and the agent's settings may. */
export type PeerDefaults = Pick<
  PeerSettings,
  | 'holdSeconds'
  | 'connectDelaySeconds'
  | 'dialAtStart'
  | 'connectRetrySeconds'
  | 'errorWaitSeconds'
  | 'gracefulRestartSeconds'
  | 'addPath'
  | 'notificationRestart'
>;

/** The timers and capabilities of Calico's BIRD: what a peer of a Calico node sees. */
export const CALICO_PEER_DEFAULTS: PeerDefaults = {
  holdSeconds: 240,
  connectDelaySeconds: 2,
  // Departs from Calico, where the nodes that wait for this one's peers are up to 7 s without it after a restart.
  dialAtStart: true,
  connectRetrySeconds: 5,
  errorWaitSeconds: [5, 30],
  gracefulRestartSeconds: 120,
  addPath: { send: false, receive: true },
  // A node that dies takes its routes along when the hold time is over, as in Calico; RFC 8538 would keep them.
  notificationRestart: false,
};

export interface PeerInputs extends PeerDefaults {
  /** Absent: no password is to be had. */
  readonly passwords?: PasswordLookup;
  /** Of the same resources, for those who compute the peers of many nodes. */
  readonly nodes?: ReadonlyMap<string, BgpNode>;
}

export interface ComputedPeers {
  readonly peers: readonly PeerSettings[];
  /** What was asked for and is not there, with the reason. */
  readonly omitted: readonly Omitted[];
  /** What is there, but not quite as it was asked for. */
  readonly incomplete: readonly Omitted[];
}

/**
 * The neighbours of one node. Global BGPPeers come first, then those of the node, then the far sides of others', then
 * the mesh; the first to claim an address and port has it. A peer whose password is not to be had is left out, for it would
 * come up unprotected; its claim stands. Depends on the resources alone, not on their order.
 */
export function computePeers(resources: Resources, nodeName: string, inputs: PeerInputs): ComputedPeers {
  const { nodes = bgpNodes(resources) } = inputs;
  const self = nodes.get(nodeName);
  if (self === undefined) {
    const reason = 'the node is not registered';
    return { peers: [], omitted: [{ origin: `Node(${nodeName})`, peer: 'every peer', reason }], incomplete: [] };
  }
  const cluster = { self, nodes, resources };
  const { taken, omitted } = claimedPeerings(cluster);
  const asked = { defaults: defaultsOf(inputs), passwords: inputs.passwords };
  const computed = taken.map((peering) => computePeer(peering, cluster, asked));
  return {
    peers: computed.flatMap(({ peer }) => peer ?? []),
    omitted: [...omitted, ...computed.flatMap((each) => each.omitted ?? [])],
    incomplete: computed.flatMap((each) => each.incomplete),
  };
}

/** One peering for each address and port, and what came too late for it. */
function claimedPeerings(cluster: Cluster): {
  readonly taken: readonly Peering[];
  readonly omitted: readonly Omitted[];
} {
  const wanted = [explicitPeerings(cluster), meshPeerings(cluster)];
  const taken = new Map<string, Peering>();
  const omitted = wanted.flatMap((part) => part.omitted);
  for (const peering of wanted.flatMap((part) => part.peerings)) {
    const key = `${formatIpAddress(peering.address)} port ${peering.port}`;
    const reason = whyNot(peering, cluster.self, taken.get(key));
    if (reason === undefined) taken.set(key, peering);
    else if (!isOtherSideOf(peering, taken.get(key))) omitted.push(reason);
  }
  return { taken: [...taken.values()], omitted };
}

const because = ({ origin, address }: Peering, reason: string): Omitted => ({
  origin,
  peer: formatIpAddress(address),
  reason,
});

/** A BGPPeer that makes two nodes dial each other asks for the session twice; that is no conflict. */
const isOtherSideOf = (peering: Peering, earlier: Peering | undefined): boolean =>
  earlier !== undefined && peering.origin === reverseOrigin(earlier.origin);

function whyNot(peering: Peering, self: BgpNode, earlier: Peering | undefined): Omitted | undefined {
  const { address, port, origin } = peering;
  if (self.addresses.some((own) => sameAddress(own, address))) {
    return { ...because(peering, "is this node's own address"), isMeant: true };
  }
  if (addressIn(self, address.family) === undefined) {
    return because(peering, `this node has no IPv${address.family} address`);
  }
  if (earlier === undefined) return undefined;
  const taken = because(peering, `${earlier.origin} already peers with this address on port ${port}`);
  // Every BGPPeer between nodes takes the place of the mesh.
  return origin === MESH_ORIGIN ? { ...taken, isMeant: true } : taken;
}

interface ComputedPeer {
  readonly peer?: PeerSettings;
  readonly omitted?: Omitted;
  readonly incomplete: readonly Omitted[];
}

interface Asked {
  readonly defaults: PeerDefaults;
  readonly passwords: PasswordLookup | undefined;
}

function computePeer(peering: Peering, cluster: Cluster, { defaults, passwords }: Asked): ComputedPeer {
  const { password: secret } = peering;
  const found = secret === undefined ? undefined : (passwords?.(secret) ?? { missing: 'no Secret can be read here' });
  if (found !== undefined && 'missing' in found) {
    const reason = `${found.missing}; without its password the session would not be protected`;
    return { omitted: because(peering, reason), incomplete: [] };
  }
  const { BGPFilter } = cluster.resources;
  const missing = peering.filters.filter((name) => !BGPFilter.has(name));
  return {
    peer: {
      ...defaults,
      ...peerSettings(peering, cluster.self),
      ...filterSettings(peering, cluster),
      ...found,
    },
    incomplete: missing.map((name) =>
      because(peering, `BGPFilter(${name}) does not exist or cannot be read: the peer goes without it`),
    ),
  };
}

function defaultsOf(inputs: PeerInputs): PeerDefaults {
  const defaults: { -readonly [K in keyof PeerInputs]?: PeerInputs[K] } = { ...inputs };
  delete defaults.passwords;
  delete defaults.nodes;
  return defaults as PeerDefaults;
}

type FromPeering = Omit<PeerSettings, keyof PeerDefaults> &
  Partial<Pick<PeerSettings, 'gracefulRestartSeconds' | 'keepaliveSeconds'>>;

function peerSettings(peering: Peering, self: BgpNode): FromPeering {
  const { address, port, kind, origin, remoteAsn, restartTime, keepaliveTime, ttlSecurityHops } = peering;
  const localAsn = peering.localAsn ?? self.asn;
  const isInternal = remoteAsn === localAsn;
  const localAddress = peering.useNodeAddress ? addressIn(self, address.family) : undefined;
  return {
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
    ...(ttlSecurityHops === undefined ? {} : { ttlSecurityHops }),
    nextHop: nextHop(peering.nextHop, isInternal),
    // A reflector of our own cluster is no client. Departs from Calico, which cannot tell where the peer is an address.
    routeReflectorClient:
      self.clusterId !== undefined && isInternal && peering.remoteNode?.clusterId !== self.clusterId,
    allowOwnAsn: peering.allowOwnAsn,
  };
}

/** A field stands only where there are filters: a peer without any costs nothing. */
function filterSettings(
  { filters, address, remoteAsn, localAsn }: Peering,
  { self, resources }: Cluster,
): Pick<PeerSettings, 'importFilters' | 'exportFilters'> {
  const families = [address.family];
  const named = filters.flatMap((name) => resources.BGPFilter.get(name) ?? []);
  const passesOn = self.clusterId !== undefined && remoteAsn !== (localAsn ?? self.asn);
  const importFilters = routeFilters(named, 'import', families);
  const exportFilters = [
    ...routeFilters(named, 'export', families),
    ...(passesOn ? poolFilters(byName(resources.IPPool.values()), families) : []),
  ];
  return {
    ...(importFilters.length === 0 ? {} : { importFilters }),
    ...(exportFilters.length === 0 ? {} : { exportFilters }),
  };
}

const wholeSeconds = (time: string): number => Math.round(parseDuration(time) / 1000);

/** keepOriginalNextHop is the older field, and says something about eBGP alone. */
function nextHop(mode: Peering['nextHop'], isInternal: boolean): PeerSettings['nextHop'] {
  if (mode === 'Self') return 'self';
  return mode === 'Keep' || (mode === 'KeepOverEbgp' && !isInternal) ? 'keep' : 'auto';
}
