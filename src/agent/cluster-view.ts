import type { ClusterNode, DataplaneInputs, LocalEndpoint, Pool } from '../../felix/index.ts';
import type { SpeakerSettings } from '../../bird/index.ts';
import type { AgentSettings } from '../config/settings.ts';
import { affinitiesOf, blockKey, parseAffinityKey } from '../datastore/keys.ts';
import type { Entry } from '../datastore/store.ts';
import { blockFromJson, isUnused, lentAddresses as lentOf } from '../ipam/index.ts';
import type { TunnelKind } from '../ipam/index.ts';
import { InvalidValueError } from '../model/invalid.ts';
import { formatIpAddress, parseInterfaceAddress, parseIpAddress, parsePrefix } from '../model/ip.ts';
import type { IpAddress, Prefix } from '../model/ip.ts';
import type { LearnedRoute } from '../model/route.ts';
import type { LogLevel } from '../runtime/logger.ts';
import { DEFAULT_ASN } from '../resources/index.ts';
import type { IpPool, Node, Resources } from '../resources/index.ts';
import { peerGateways } from './peer-gateways.ts';
import { hashedRouterId } from './router-id.ts';

const BGP_PORT = 179;

/** Blocks with a confirmed affinity to `node`. An empty value is old data and means confirmed; pending ones count as absent. */
export function localBlocks(entries: Iterable<Entry>, node: string): readonly Prefix[] {
  const blocks: Prefix[] = [];
  const own = affinitiesOf(node);
  for (const entry of entries) {
    // Of tens of thousands that a cluster has, few are this node's: the others are not worth parsing.
    if (!entry.key.startsWith(own)) continue;
    const affinity = confirmedAffinity(entry);
    if (affinity?.host === node) blocks.push(affinity.prefix);
  }
  return blocks;
}

interface Affinity {
  readonly host: string;
  readonly prefix: Prefix;
}

/** An entry never changes, and of a node's blocks most are the same from one look to the next. */
const confirmedBefore = new WeakMap<Entry, { readonly affinity: Affinity | undefined }>();

/** Whose the block is; undefined where the entry is none, or none that counts. */
export function confirmedAffinity(entry: Entry): Affinity | undefined {
  const known = confirmedBefore.get(entry);
  if (known !== undefined) return known.affinity;
  const affinity = readAffinity(entry);
  confirmedBefore.set(entry, { affinity });
  return affinity;
}

function readAffinity({ key, value }: Entry): Affinity | undefined {
  const affinity = parseAffinityKey(key);
  if (affinity === undefined) return undefined;
  const { state, deleted } = (value ?? {}) as { readonly state?: string; readonly deleted?: boolean };
  return (state === undefined || state === 'confirmed') && deleted !== true ? affinity : undefined;
}

/** What of an own block matters to felix, and to who gives blocks up. */
export interface BlockUse {
  /** Addresses that others borrowed. */
  readonly lent: readonly IpAddress[];
  /** Nobody has an address of it. */
  readonly isUnused: boolean;
}

/** As `confirmedBefore`. */
const readBefore = new WeakMap<Entry, { readonly node: string; readonly use: BlockUse | undefined }>();

/** Undefined for one that cannot be read, which is IPAM's to complain about. */
export function blockUse(entry: Entry, node: string): BlockUse | undefined {
  const known = readBefore.get(entry);
  if (known?.node === node) return known.use;
  const use = readUse(entry, node);
  readBefore.set(entry, { node, use });
  return use;
}

function readUse({ key, value }: Entry, node: string): BlockUse | undefined {
  try {
    const block = blockFromJson(value, key);
    return { lent: lentOf(block, node), isUnused: isUnused(block) };
  } catch (error) {
    if (error instanceof InvalidValueError) return undefined;
    throw error;
  }
}

/** The same of all blocks of this node. */
export function blocksUse(
  entries: ReadonlyMap<string, Entry>,
  { node, blocks }: Pick<Knowledge, 'node' | 'blocks'>,
): Pick<Knowledge, 'lent' | 'unused'> {
  const uses = blocks.map((prefix) => {
    const entry = entries.get(blockKey(prefix));
    return { prefix, use: entry && blockUse(entry, node) };
  });
  return {
    lent: uses.flatMap(({ use }) => use?.lent ?? []),
    unused: uses.flatMap(({ prefix, use }) => (use?.isUnused === true ? [prefix] : [])),
  };
}

/** The pods of this node, from their WorkloadEndpoints. */
export function localEndpoints(resources: Resources, node: string): readonly LocalEndpoint[] {
  return [...resources.WorkloadEndpoint.values()]
    .filter(({ spec }) => spec.node === node)
    .map(({ metadata, spec }) => ({
      name: `${metadata.namespace ?? 'default'}/${spec.pod ?? spec.workload ?? metadata.name}`,
      interfaceName: spec.interfaceName,
      addresses: spec.ipNetworks.map((network) => parsePrefix(network).address),
    }));
}

/** A Node resource in felix's words; undefined while it has no address. */
export function clusterNode({ metadata, spec }: Node): ClusterNode | undefined {
  if (spec.bgp?.ipv4Address === undefined && spec.bgp?.ipv6Address === undefined) return undefined;
  const address = <K extends string>(key: K, text: string | undefined): { readonly [P in K]?: IpAddress } =>
    (text === undefined ? {} : { [key]: parseIpAddress(text) }) as { readonly [P in K]?: IpAddress };
  return {
    name: metadata.name,
    ...(spec.bgp.ipv4Address !== undefined && { address: parseInterfaceAddress(spec.bgp.ipv4Address) }),
    ...address('ipipTunnelAddress', spec.bgp.ipv4IPIPTunnelAddr),
    ...address('vxlanTunnelAddress', spec.ipv4VXLANTunnelAddr),
    ...(spec.vxlanTunnelMACAddr === undefined ? {} : { vxlanTunnelMac: spec.vxlanTunnelMACAddr }),
    ...(spec.bgp.ipv6Address !== undefined && {
      ipv6: {
        address: parseInterfaceAddress(spec.bgp.ipv6Address),
        ...address('vxlanTunnelAddress', spec.ipv6VXLANTunnelAddr),
        ...(spec.vxlanTunnelMACAddrV6 === undefined ? {} : { vxlanTunnelMac: spec.vxlanTunnelMACAddrV6 }),
      },
    }),
  };
}

/** An IPPool in felix's words. */
export const felixPool = ({ metadata, spec }: IpPool): Pool => ({
  name: metadata.name,
  cidr: parsePrefix(spec.cidr),
  ipipMode: spec.ipipMode,
  vxlanMode: spec.vxlanMode,
  natOutgoing: spec.natOutgoing,
});

/** What the agent knows of the cluster at one moment. */
export interface Knowledge {
  readonly node: string;
  readonly resources: Resources;
  readonly blocks: readonly Prefix[];
  /** Of these blocks: what others borrowed. Absent: nothing. */
  readonly lent?: readonly IpAddress[];
  /** Of these blocks: those without an address in use. Absent: none. */
  readonly unused?: readonly Prefix[];
}

/** Tunnel addresses that IPAM gave this node and that its Node resource does not say yet. */
export type AssignedTunnels = ReadonlyMap<TunnelKind, IpAddress>;

export interface Learned {
  readonly routes: readonly LearnedRoute[];
  readonly complete: boolean;
}

/** felix's inputs; undefined while this node itself has no address. */
export function dataplaneInputs(
  knowledge: Knowledge,
  learned: Learned,
  assigned: AssignedTunnels = new Map(),
): DataplaneInputs | undefined {
  const known = knownInputs(knowledge, assigned);
  return known && withLearned(known, learned);
}

/** What of felix's inputs the datastore says. */
export type KnownInputs = Omit<DataplaneInputs, 'learned' | 'learnedComplete'>;

export const withLearned = (known: KnownInputs, { routes, complete }: Learned): DataplaneInputs => ({
  ...known,
  learned: routes,
  learnedComplete: complete,
});

/** The same whatever bird learns; undefined while this node itself has no address. */
export function knownInputs(
  { node, resources, blocks, lent = [] }: Knowledge,
  assigned: AssignedTunnels,
): KnownInputs | undefined {
  const nodes = [...resources.Node.values()].flatMap((resource) => clusterNode(resource) ?? []);
  const local = nodes.find(({ name }) => name === node);
  if (local === undefined) return undefined;
  return {
    local: withAssigned(local, assigned),
    nodes: nodes.filter(({ name }) => name !== node),
    pools: [...resources.IPPool.values()].map(felixPool),
    localBlocks: blocks,
    lentAddresses: lent,
    endpoints: localEndpoints(resources, node),
    peerGateways: peerGateways(resources, node),
  };
}

/** What the resource says counts, where it says something. */
function withAssigned(local: ClusterNode, assigned: AssignedTunnels): ClusterNode {
  const [ipip, vxlan, vxlan6] = (['ipip', 'vxlan', 'vxlan-v6'] as const).map((kind) => assigned.get(kind));
  const { ipv6 } = local;
  return {
    ...(ipip && { ipipTunnelAddress: ipip }),
    ...(vxlan && { vxlanTunnelAddress: vxlan }),
    ...local,
    ...(ipv6 && { ipv6: { ...(vxlan6 && { vxlanTunnelAddress: vxlan6 }), ...ipv6 } }),
  };
}

/** What the speaker is told beside what the datastore says. */
export interface SpeakerWishes extends Pick<AgentSettings, 'routerId' | 'bgp'> {
  /** The host's kernel speaks IPv6. */
  readonly hasIpv6: boolean;
  readonly restarting: boolean;
}

/** The speaker as a whole; undefined while this node has no address. */
export function speakerSettings(
  { node, resources }: Knowledge,
  { routerId, bgp, hasIpv6, restarting }: SpeakerWishes,
): SpeakerSettings | undefined {
  const self = resources.Node.get(node);
  const own = self === undefined ? undefined : clusterNode(self);
  if (self === undefined || own === undefined) return undefined;
  const shared = resources.BGPConfiguration.get('default')?.spec;
  const clusterId = self.spec.bgp?.routeReflectorClusterID;
  return {
    asn: self.spec.bgp?.asNumber ?? shared?.asNumber ?? DEFAULT_ASN,
    // A node of IPv6 alone has no address of four octets: RFC 6286 asks for any number that no other speaker of the AS has.
    bgpIdentifier:
      routerId === 'hash'
        ? hashedRouterId(node)
        : ((routerId ?? own.address?.address)?.words[0] ?? hashedRouterId(node)),
    listen: listenPlaces(self, resources.BGPConfiguration, hasIpv6),
    ...(clusterId === undefined ? {} : { clusterId: parseIpAddress(clusterId).words[0]! }),
    transit: false,
    gracefulRestart: { restarting, deferralSeconds: bgp.deferralSeconds },
  };
}

/**
 * Where a node's speaker listens. Whether a node has an IPv6 address may change any day, and another listener is another
 * speaker: hence on all addresses of the host, unless told otherwise.
 */
export function listenPlaces(
  { metadata: { name }, spec: { bgp } }: Pick<Node, 'metadata' | 'spec'>,
  configurations: Resources['BGPConfiguration'],
  hasIpv6: boolean,
): SpeakerSettings['listen'] {
  const port = listenPort(name, configurations);
  if (configurations.get('default')?.spec.bindMode !== 'NodeIP') {
    return ['0.0.0.0', ...(hasIpv6 ? ['::'] : [])].map((address) => ({ address, port }));
  }
  return [bgp?.ipv4Address, bgp?.ipv6Address].flatMap((text) =>
    text === undefined ? [] : [{ address: formatIpAddress(parseInterfaceAddress(text).address), port }],
  );
}

const LOG_LEVEL_OF = {
  Trace: 'trace',
  Debug: 'debug',
  Info: 'info',
  Warning: 'warn',
  Error: 'error',
  Fatal: 'fatal',
} as const;

/** bird's log level: the node's own BGPConfiguration wins over the default one. */
export function bgpLogLevel({ node, resources }: Knowledge): LogLevel {
  const own = resources.BGPConfiguration.get(`node.${node}`) ?? resources.BGPConfiguration.get('default');
  return LOG_LEVEL_OF[own?.spec.logSeverityScreen ?? 'Info'];
}

/** The node's own BGPConfiguration wins over the default one. */
export const listenPort = (node: string, configurations: Resources['BGPConfiguration']): number =>
  [`node.${node}`, 'default'].map((name) => configurations.get(name)?.spec.listenPort).find(Boolean) ?? BGP_PORT;
