import { IPAM_CONFIG_KEY, parseAffinityKey, parseBlockKey, parseHandleKey } from '../../datastore/keys.ts';
import type { Json } from '../../datastore/store.ts';

/** Between the resources, the cluster's information and IPAM's records in the file of `datastore migrate`. */
export const SEPARATOR = '===';

/** One of IPAM's records, with the key that it has in etcd: calicoctl's form, in Go's spelling. */
export interface IpamRecord {
  readonly Key: string;
  readonly Value: Json;
  readonly TTL: 0;
}

export const IPAM_LISTS = ['block_affinities', 'blocks', 'handles'] as const;
export type IpamList = (typeof IPAM_LISTS)[number];

/** The third part of the file. What calicoctl does not move, such as the markers of hosts, is `others`; it passes that over. */
export interface IpamSection extends Partial<Readonly<Record<IpamList | 'others', readonly IpamRecord[]>>> {
  readonly config?: IpamRecord;
}

/** Where in the section a key belongs. */
export function sectionOf(key: string): keyof IpamSection {
  if (key === IPAM_CONFIG_KEY) return 'config';
  if (parseBlockKey(key) !== undefined) return 'blocks';
  if (parseAffinityKey(key) !== undefined) return 'block_affinities';
  return parseHandleKey(key) === undefined ? 'others' : 'handles';
}
