import type { OriginatedAttributes, OriginatedRoute } from '../../bird/index.ts';
import { parseCommunity } from '../model/community.ts';
import {
  formatIpAddress,
  formatPrefix,
  hostPrefix,
  parseIpAddress,
  parsePrefix,
  prefixContains,
  prefixContainsAddress,
} from '../model/ip.ts';
import type { IpAddress, IpFamily, Prefix } from '../model/ip.ts';
import type { Resources } from '../resources/index.ts';
import { localEndpoints } from './cluster-view.ts';
import type { Knowledge } from './cluster-view.ts';
import { localPrefOf, normalPriority } from './route-priority.ts';

/** A prefix that this node uses and does not tell its peers, and why. */
export interface WithheldRoute {
  readonly prefix: Prefix;
  readonly reason: string;
}

export interface OwnRoutes {
  readonly originated: readonly OriginatedRoute[];
  readonly withheld: readonly WithheldRoute[];
}

/**
 * What this node tells its peers: its confirmed blocks, whole; and as single addresses what it uses of other nodes' blocks
 * (borrowed), for longest prefix wins over the block. The addresses in its own blocks stay inside, so do addresses of no
 * pool and pools with disableBGPExport. Blocks of other nodes and routes through tunnels are never among them: what felix
 * programs is not read back. Calico: calico_export_to_bgp_peers.
 */
export function ownRoutes(knowledge: Knowledge): OwnRoutes {
  const pools = [...knowledge.resources.IPPool.values()].map(({ metadata: { name }, spec }) => ({
    ...{ name, cidr: parsePrefix(spec.cidr), isClosed: spec.disableBGPExport },
  }));
  const attributesOf = sharedAttributes(knowledge);
  const used = [
    ...knowledge.blocks.map((prefix) => blockRoute(prefix, pools)),
    ...unique(addressesInUse(knowledge)).map((use) => addressRoute(use, knowledge, pools)),
  ];
  return {
    originated: used.flatMap(({ prefix, reason, isTold }) =>
      isTold ? [{ prefix, reason, attributes: attributesOf(prefix) }] : [],
    ),
    withheld: used.flatMap(({ prefix, reason, isTold }) => (isTold ? [] : [{ prefix, reason }])),
  };
}

interface Judged extends WithheldRoute {
  readonly isTold: boolean;
}

interface ExportPool {
  readonly name: string;
  readonly cidr: Prefix;
  /** disableBGPExport. */
  readonly isClosed: boolean;
}

const poolOf = (prefix: Prefix, pools: readonly ExportPool[]): ExportPool | undefined =>
  pools.find(({ cidr }) => prefixContains(cidr, prefix));

const closedText = ({ name }: ExportPool): string => `ippool ${name} has disableBGPExport`;

/** A block outlives its pool: what is assigned in it must still be reached. */
function blockRoute(prefix: Prefix, pools: readonly ExportPool[]): Judged {
  const pool = poolOf(prefix, pools);
  if (pool?.isClosed === true) return { prefix, reason: closedText(pool), isTold: false };
  return { prefix, reason: `block of ippool ${pool?.name ?? 'that is gone'}`, isTold: true };
}

/** Who uses an address on this node. */
interface Use {
  readonly name: string;
  readonly address: IpAddress;
}

function addressRoute({ name, address }: Use, { blocks }: Knowledge, pools: readonly ExportPool[]): Judged {
  const prefix = hostPrefix(address);
  const block = blocks.find((each) => prefixContainsAddress(each, address));
  if (block !== undefined) {
    return { prefix, reason: `${name}, told as part of the block ${formatPrefix(block)}`, isTold: false };
  }
  const pool = poolOf(prefix, pools);
  if (pool === undefined) return { prefix, reason: `${name}, in no ippool`, isTold: false };
  if (pool.isClosed) return { prefix, reason: `${name}, ${closedText(pool)}`, isTold: false };
  return { prefix, reason: `${name}, borrowed from another node's block`, isTold: true };
}

function addressesInUse({ node, resources }: Knowledge): readonly Use[] {
  const self = resources.Node.get(node);
  const tunnels = [self?.spec.bgp?.ipv4IPIPTunnelAddr, self?.spec.ipv4VXLANTunnelAddr, self?.spec.ipv6VXLANTunnelAddr];
  return [
    ...localEndpoints(resources, node).flatMap(({ name, addresses }) =>
      addresses.map((address) => ({ name, address })),
    ),
    ...tunnels.flatMap((text) =>
      text === undefined ? [] : [{ name: "this node's tunnel address", address: parseIpAddress(text) }],
    ),
  ];
}

/** Of several who use an address one names it, and the same whoever came first. */
function unique(uses: readonly Use[]): readonly Use[] {
  const first = new Map<string, Use>();
  for (const use of uses) {
    const text = formatIpAddress(use.address);
    const holder = first.get(text);
    if (holder === undefined || use.name < holder.name) first.set(text, use);
  }
  return [...first.values()];
}

/** Routes of equal attributes share theirs: bird makes one set of them. */
function sharedAttributes(knowledge: Knowledge): (prefix: Prefix) => OriginatedAttributes {
  const known = new Map<string, OriginatedAttributes>();
  return (prefix) => {
    const texts = communityTexts(prefix, knowledge);
    const key = [prefix.address.family, ...texts].join();
    const attributes = known.get(key) ?? attributesOf(prefix.address.family, texts, knowledge.resources);
    known.set(key, attributes);
    return attributes;
  };
}

/** LOCAL_PREF as a Calico node sends it, and the communities of every prefixAdvertisement around the prefix. */
function attributesOf(family: IpFamily, texts: readonly string[], resources: Resources): OriginatedAttributes {
  const communities = texts.map((text) => parseCommunity(text));
  const standard = communities.filter((each) => typeof each === 'number');
  const large = communities.filter((each) => typeof each !== 'number');
  return {
    localPref: localPrefOf(normalPriority(resources, family)),
    ...(standard.length === 0 ? {} : { communities: standard }),
    ...(large.length === 0 ? {} : { largeCommunities: large }),
  };
}

/**
 * Sorted as texts, each once. A list of the node's own takes the place of the cluster's, in both families; names mean what
 * the same resource says.
 */
function communityTexts(prefix: Prefix, { node, resources }: Pick<Knowledge, 'node' | 'resources'>): readonly string[] {
  const [own, shared] = [`node.${node}`, 'default'].map((name) => resources.BGPConfiguration.get(name)?.spec);
  const { communities = [], prefixAdvertisements = [] } =
    (own?.prefixAdvertisements === undefined ? shared : own) ?? {};
  const valueOf = (community: string): string => communities.find(({ name }) => name === community)?.value ?? community;
  const texts = prefixAdvertisements
    .filter(({ cidr }) => prefixContains(parsePrefix(cidr), prefix))
    .flatMap((advertisement) => advertisement.communities.map(valueOf));
  return [...new Set(texts)].sort();
}
