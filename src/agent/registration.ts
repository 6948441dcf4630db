import type { HostInterface } from '../../felix/index.ts';
import type { AgentSettings, DefaultPoolSettings } from '../config/settings.ts';
import { AlreadyExistsError, NotFoundError } from '../datastore/store.ts';
import { InvalidValueError } from '../model/invalid.ts';
import {
  formatIpAddress,
  formatPrefix,
  ipv4Address,
  parseInterfaceAddress,
  parsePrefix,
  prefixContainsAddress,
  prefixesOverlap,
  prefixOf,
} from '../model/ip.ts';
import type { InterfaceAddress, Prefix } from '../model/ip.ts';
import type { Logger } from '../runtime/logger.ts';
import { API_VERSION, parseResource } from '../resources/index.ts';
import type { AnyResource, Kind, Node, ResourceByKind, ResourceClient } from '../resources/index.ts';
import { describe, detectAddress, maskOf } from './autodetect.ts';
import { sourceTowards } from './reach.ts';

export interface RegistrationPorts {
  readonly resources: ResourceClient;
  readonly interfaces: () => Promise<readonly HostInterface[]>;
  readonly log: Logger;
}

/**
 * Writes this node into the datastore, and the default pool where there is none: calico-node's start-up.
 * Throws one sentence, and has changed nothing, where the address is another node's or lies in a pool.
 */
export async function registerNode(name: string, settings: AgentSettings, ports: RegistrationPorts): Promise<Node> {
  const { resources, log } = ports;
  const interfaces = await ports.interfaces();
  const existing = await find(resources, 'Node', name);
  const address = await chooseAddress(settings, existing, interfaces);
  const missing = await missingPool(settings.defaultPool, resources, interfaces);
  if (missing !== undefined) refuseOverlap(missing.cidr, address);
  // Checked before anything is written: a node without its pool would be half a start.
  const pool =
    missing && parseResource(resource('IPPool', 'default-ipv4-ippool', poolSpec(missing.cidr, missing.settings)));
  const node = await writeNode({ name, address, settings, existing }, resources);
  log.info({ node: name, address: formatPrefix(address) }, 'node registered');
  await createIfMissing(resources, resource('BGPConfiguration', 'default', {}));
  if (pool !== undefined) await createIfMissing(resources, pool);
  return node;
}

/** Calico's rules of IP: detect at every start, keep what is stored, or take what was given. */
async function chooseAddress(
  { ip, ipDetection }: AgentSettings,
  existing: Node | undefined,
  interfaces: readonly HostInterface[],
): Promise<InterfaceAddress> {
  const stored = existing?.spec.bgp?.ipv4Address;
  if (ip.kind === 'address') {
    // Without a length every other node would seem to be in another subnet, and all traffic would be tunnelled.
    const found = ip.hasLength ? ip.address : maskOf(ip.address.address, interfaces);
    if (found !== undefined) return found;
    const text = formatIpAddress(ip.address.address);
    throw new InvalidValueError(
      'IP',
      text,
      `is on no interface of this host; say its subnet's length too, as in ${text}/24`,
    );
  }
  if (ip.kind === 'keep' && stored !== undefined) return parseInterfaceAddress(stored);
  const source = ipDetection.kind === 'can-reach' ? await sourceTowards(ipDetection.destination) : undefined;
  const found = detectAddress(ipDetection, { interfaces, ...(source === undefined ? {} : { sourceTowards: source }) });
  if (found.kind === 'found') return found.address;
  if (stored !== undefined) return parseInterfaceAddress(stored);
  throw new InvalidValueError('IP_AUTODETECTION_METHOD', describe(ipDetection), found.reason);
}

interface MissingPool {
  readonly cidr: Prefix;
  readonly settings: DefaultPoolSettings;
}

/** A default pool is made only in a cluster that has no IPv4 pool at all; later settings never edit one. */
async function missingPool(
  settings: DefaultPoolSettings | undefined,
  resources: ResourceClient,
  interfaces: readonly HostInterface[],
): Promise<MissingPool | undefined> {
  if (settings === undefined) return undefined;
  const pools = await resources.list('IPPool');
  if (pools.some(({ spec }) => parsePrefix(spec.cidr).address.family === 4)) return undefined;
  return { cidr: settings.cidr ?? freeDefault(interfaces), settings };
}

/** 192.168.0.0/16, or the first of 172.16.0.0/16 … 172.31.0.0/16 that holds none of this host's addresses. */
function freeDefault(interfaces: readonly HostInterface[]): Prefix {
  const first = parsePrefix('192.168.0.0/16');
  const others = Array.from({ length: 16 }, (_, i): Prefix => ({
    address: ipv4Address(0xac10_0000 + i * 65_536),
    length: 16,
  }));
  const inUse = (cidr: Prefix): boolean =>
    interfaces.some(({ addresses }) => addresses.some(({ address }) => prefixContainsAddress(cidr, address)));
  return [first, ...others].find((cidr) => !inUse(cidr)) ?? first;
}

/** Said before anything is written; the resource client would refuse the pool only after the node is registered. */
function refuseOverlap(cidr: Prefix, address: InterfaceAddress): void {
  if (!prefixesOverlap(cidr, prefixOf(address.address, address.length))) return;
  throw new InvalidValueError(
    'CALICO_IPV4POOL_CIDR',
    formatPrefix(cidr),
    `overlaps the subnet of this node's own address ${formatPrefix(address)}`,
  );
}

interface NodeToWrite {
  readonly name: string;
  readonly address: InterfaceAddress;
  readonly settings: AgentSettings;
  readonly existing: Node | undefined;
}

async function writeNode({ name, address, settings, existing }: NodeToWrite, resources: ResourceClient): Promise<Node> {
  const bgp = {
    ...existing?.spec.bgp,
    ipv4Address: formatPrefix(address),
    ...(settings.asn === undefined ? {} : { asNumber: settings.asn }),
  };
  if (existing === undefined) return resources.create(resource('Node', name, { bgp }) as Node);
  const isSame = existing.spec.bgp?.ipv4Address === bgp.ipv4Address && existing.spec.bgp.asNumber === bgp.asNumber;
  return isSame ? existing : resources.update({ ...existing, spec: { ...existing.spec, bgp } });
}

const poolSpec = (cidr: Prefix, settings: DefaultPoolSettings): object => ({
  cidr: formatPrefix(cidr),
  ipipMode: settings.ipipMode,
  vxlanMode: settings.vxlanMode,
  blockSize: settings.blockSize,
  nodeSelector: settings.nodeSelector,
  natOutgoing: settings.natOutgoing,
  disableBGPExport: settings.disableBgpExport,
});

/** The client checks and completes the spec by the kind's schema. */
const resource = (kind: Kind, name: string, spec: object): AnyResource =>
  ({ apiVersion: API_VERSION, kind, metadata: { name }, spec }) as AnyResource;

async function createIfMissing(resources: ResourceClient, wanted: AnyResource): Promise<void> {
  try {
    await resources.create(wanted);
  } catch (error) {
    // All nodes of a new cluster start at once; who comes second is content.
    if (!(error instanceof AlreadyExistsError)) throw error;
  }
}

async function find<K extends Kind>(
  resources: ResourceClient,
  kind: K,
  name: string,
): Promise<ResourceByKind[K] | undefined> {
  try {
    return await resources.get(kind, name);
  } catch (error) {
    if (error instanceof NotFoundError) return undefined;
    throw error;
  }
}
