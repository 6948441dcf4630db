import type { IpFamily, Prefix } from '../model/ip.ts';
import { formatPrefix, parsePrefix } from '../model/ip.ts';

/** Calico's layout of the datastore: a cluster written by Calico is read as it is, and the other way round. */

const RESOURCES = '/calico/resources/v3/projectcalico.org/';
const IPAM = '/calico/ipam/v2/';

/** Everything that is ours in a store that we may share with others. */
export const CALICO_PREFIX = '/calico/';
export const RESOURCES_PREFIX = RESOURCES;
export const IPAM_PREFIX = IPAM;
export const IPAM_CONFIG_KEY = `${IPAM}config`;

/** `plural` in lower case (`ippools`); `namespace` for the kinds that live in one. */
export interface ResourceId {
  readonly plural: string;
  readonly name: string;
  readonly namespace?: string;
}

export const resourceKey = ({ plural, name, namespace }: ResourceId): string =>
  namespace === undefined ? `${RESOURCES}${plural}/${name}` : `${RESOURCES}${plural}/${namespace}/${name}`;

/** Lists all resources of a kind, or those of one namespace. */
export const resourcePrefix = (plural: string, namespace?: string): string =>
  namespace === undefined ? `${RESOURCES}${plural}/` : `${RESOURCES}${plural}/${namespace}/`;

/** Undefined for a key that is no resource's. */
export function parseResourceKey(key: string): ResourceId | undefined {
  if (!key.startsWith(RESOURCES)) return undefined;
  const parts = key.slice(RESOURCES.length).split('/');
  if (parts.some((part) => part === '')) return undefined;
  const [plural = '', first = '', second] = parts;
  if (parts.length === 2) return { plural, name: first };
  if (parts.length === 3) return { plural, namespace: first, name: second! };
  return undefined;
}

const dashed = (prefix: Prefix): string => formatPrefix(prefix).replace('/', '-');
const familyWord = (family: IpFamily): string => `ipv${family}`;

/** `10.1.2.0-26` back to a prefix; undefined where it is none. */
function parseDashed(text: string): Prefix | undefined {
  const dash = text.lastIndexOf('-');
  if (dash < 0) return undefined;
  try {
    return parsePrefix(`${text.slice(0, dash)}/${text.slice(dash + 1)}`);
  } catch {
    return undefined;
  }
}

/** Lists all blocks of one family. */
export const blockPrefix = (family: IpFamily): string => `${IPAM}assignment/${familyWord(family)}/block/`;

export const blockKey = (prefix: Prefix): string => `${blockPrefix(prefix.address.family)}${dashed(prefix)}`;

/** Undefined for a key that is no block's. */
export function parseBlockKey(key: string): Prefix | undefined {
  const match = /^\/calico\/ipam\/v2\/assignment\/ipv([46])\/block\/([^/]+)$/.exec(key);
  if (match === null) return undefined;
  return inFamily(parseDashed(match[2]!), match[1]!);
}

export const AFFINITIES_PREFIX = `${IPAM}host/`;

/** Lists the block affinities of one host, of both families. */
export const affinitiesOf = (host: string): string => `${AFFINITIES_PREFIX}${host}/`;

/** Lists the block affinities of one host and family. */
export const affinityPrefix = (host: string, family: IpFamily): string =>
  `${AFFINITIES_PREFIX}${host}/${familyWord(family)}/block/`;

export const affinityKey = (host: string, prefix: Prefix): string =>
  `${affinityPrefix(host, prefix.address.family)}${dashed(prefix)}`;

/** Undefined for a key that is no block affinity's, such as a host's marker `/calico/ipam/v2/host/<node>`. */
export function parseAffinityKey(key: string): { readonly host: string; readonly prefix: Prefix } | undefined {
  const match = /^\/calico\/ipam\/v2\/host\/([^/]+)\/ipv([46])\/block\/([^/]+)$/.exec(key);
  if (match === null) return undefined;
  const prefix = inFamily(parseDashed(match[3]!), match[2]!);
  return prefix === undefined ? undefined : { host: match[1]!, prefix };
}

const inFamily = (prefix: Prefix | undefined, family: string): Prefix | undefined =>
  prefix?.address.family === Number(family) ? prefix : undefined;

export const HANDLES_PREFIX = `${IPAM}handle/`;

export const handleKey = (id: string): string => `${HANDLES_PREFIX}${id}`;

/** Undefined for a key that is no handle's. */
export const parseHandleKey = (key: string): string | undefined =>
  key.startsWith(HANDLES_PREFIX) && key.length > HANDLES_PREFIX.length ? key.slice(HANDLES_PREFIX.length) : undefined;
