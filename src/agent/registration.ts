import { randomUUID } from 'node:crypto';
import type { HostInterface } from '../../felix/index.ts';
import type { AgentSettings, DefaultPoolSettings } from '../config/settings.ts';
import { AlreadyExistsError, NotFoundError } from '../datastore/store.ts';
import { InvalidValueError } from '../model/invalid.ts';
import {
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
import { chooseAddress } from './address-choice.ts';
import type { ChosenAddress } from './address-choice.ts';
import { candidateLines } from './autodetect.ts';
import { sourceTowards } from './reach.ts';

export interface RegistrationPorts {
  readonly resources: ResourceClient;
  readonly interfaces: () => Promise<readonly HostInterface[]>;
  readonly log: Logger;
}

/**
 * Writes this node into the datastore, and the default pool where there is none: calico-node's start-up. Gives the
 * addresses that the node has, IPv4 first, and how it came to them.
 * Throws one sentence, and has changed nothing, where an address is another node's or lies in a pool.
 */
export async function registerNode(
  name: string,
  settings: AgentSettings,
  ports: RegistrationPorts,
): Promise<readonly ChosenAddress[]> {
  const { resources, log } = ports;
  const interfaces = await ports.interfaces();
  const existing = await find(resources, 'Node', name);
  const { ipv4, ipv6 } = await chooseAddresses(settings, existing, { interfaces, log });
  // A pool of a family that the node has no address of would be of no use to it.
  const missing = ipv4 && (await missingPool(settings.defaultPool, resources, interfaces));
  if (missing !== undefined && ipv4 !== undefined) refuseOverlap(missing.cidr, ipv4.address);
  // Checked before anything is written: a node without its pool would be half a start.
  const pool =
    missing && parseResource(resource('IPPool', 'default-ipv4-ippool', poolSpec(missing.cidr, missing.settings)));
  await writeNode({ name, ipv4, ipv6, settings, existing }, resources);
  const chosen = [ipv4, ipv6].filter((each) => each !== undefined);
  const reasons = { ...(ipv4 && { ipv4: ipv4.reason }), ...(ipv6 && { ipv6: ipv6.reason }) };
  log.info({ node: name, address: formatPrefix(chosen[0]!.address), ...reasons }, 'node registered');
  await createIfMissing(resources, resource('ClusterInformation', 'default', newCluster()));
  await createIfMissing(resources, resource('BGPConfiguration', 'default', {}));
  if (pool !== undefined) await createIfMissing(resources, pool);
  return chosen;
}

/**
 * Its GUID tells this cluster's data from another's: a wiped or exchanged datastore is not believed. No version: agents of two
 * versions run side by side in an upgrade.
 */
const newCluster = (): object => ({
  clusterGUID: randomUUID().replaceAll('-', ''),
  clusterType: 'calico-ts',
  datastoreReady: true,
});

/**
 * The addresses of a node that runs, looked for anew where IP or IP6 is `autodetect`; the Node resource is written where they are
 * others. Undefined where there is no such Node: whoever deleted it meant it. Says nothing of what it said before.
 */
export async function refreshAddresses(
  name: string,
  settings: AgentSettings,
  ports: RegistrationPorts,
): Promise<{ readonly addresses: readonly ChosenAddress[]; readonly isWritten: boolean } | undefined> {
  const { resources } = ports;
  const existing = await find(resources, 'Node', name);
  if (existing === undefined) return undefined;
  const interfaces = await ports.interfaces();
  const { ipv4, ipv6 } = await choose(settings, existing, interfaces);
  const isWritten = await writeNode({ name, ipv4, ipv6, settings, existing }, resources);
  return { addresses: [ipv4, ipv6].filter((each) => each !== undefined), isWritten };
}

/** What a node has of each family; one it must have. */
interface Addresses {
  readonly ipv4?: ChosenAddress;
  readonly ipv6?: ChosenAddress;
}

async function chooseAddresses(
  settings: AgentSettings,
  existing: Node | undefined,
  { interfaces, log }: { readonly interfaces: readonly HostInterface[]; readonly log: Logger },
): Promise<Addresses> {
  const addresses = await choose(settings, existing, interfaces);
  tellAddresses(
    [addresses.ipv4, addresses.ipv6].filter((each) => each !== undefined),
    log,
  );
  return addresses;
}

/** What the operator should know of them, with the ranking where there is one. */
export function tellAddresses(addresses: readonly ChosenAddress[], log: Logger): void {
  for (const { warnings, candidates } of addresses) {
    const shown = candidates.length === 0 ? {} : { candidates: candidateLines(candidates) };
    for (const warning of warnings) log.warn(shown, warning);
  }
}

async function choose(
  settings: AgentSettings,
  existing: Node | undefined,
  interfaces: readonly HostInterface[],
): Promise<Addresses> {
  const { ipv4Address, ipv6Address } = existing?.spec.bgp ?? {};
  const internalIps = (existing?.spec.addresses ?? [])
    .filter(({ type }) => type === 'InternalIP')
    .map(({ address }) => parseInterfaceAddress(address).address);
  const asked = { interfaces, internalIps, sourceTowards };
  const [ipv4, ipv6] = [
    await chooseAddress({
      ...asked,
      family: 4,
      setting: settings.ip,
      method: settings.ipDetection,
      stored: ipv4Address,
    }),
    await chooseAddress({
      ...asked,
      family: 6,
      setting: settings.ip6,
      method: settings.ip6Detection,
      stored: ipv6Address,
    }),
  ];
  if (ipv4 === undefined && ipv6 === undefined) {
    const reason = 'and the datastore has no address of this node, either: set IP, or IP6 for a node of IPv6 alone';
    throw new InvalidValueError('IP', 'none', reason);
  }
  return { ...(ipv4 && { ipv4 }), ...(ipv6 && { ipv6 }) };
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
  readonly ipv4: ChosenAddress | undefined;
  readonly ipv6: ChosenAddress | undefined;
  readonly settings: AgentSettings;
  readonly existing: Node | undefined;
}

/** Whether there was anything to write. */
async function writeNode(
  { name, ipv4, ipv6, settings, existing }: NodeToWrite,
  resources: ResourceClient,
): Promise<boolean> {
  const before = existing?.spec.bgp;
  const bgp = {
    ...before,
    ...(ipv4 && { ipv4Address: formatPrefix(ipv4.address) }),
    ...(ipv6 && { ipv6Address: formatPrefix(ipv6.address) }),
    ...(settings.asn === undefined ? {} : { asNumber: settings.asn }),
  };
  if (existing === undefined) {
    await resources.create(resource('Node', name, { bgp }));
    return true;
  }
  const isSame = (['ipv4Address', 'ipv6Address', 'asNumber'] as const).every((field) => before?.[field] === bgp[field]);
  if (!isSame) await resources.update({ ...existing, spec: { ...existing.spec, bgp } });
  return !isSame;
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
