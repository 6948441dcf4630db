import type { StoreSettings } from '../datastore/open.ts';
import { InvalidValueError } from '../model/invalid.ts';
import { ETCD_VARIABLES, etcdSettings } from './etcd.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export const DEFAULT_FILE_DATASTORE = '/var/lib/calico/datastore';

/** Read as they stand and with `CALICO_` before them. */
const SHARED = ['DATASTORE_TYPE', ...ETCD_VARIABLES] as const;

/** Every name that says where the data is. */
export const DATASTORE_VARIABLES: readonly string[] = [
  'CALICO_FILE_DATASTORE',
  ...SHARED.flatMap((name) => [name, `CALICO_${name}`]),
];

/**
 * Which datastore, from Calico's variables; each is also read with the prefix `CALICO_`.
 * Without a type: etcdv3 where ETCD_ENDPOINTS or ETCD_DISCOVERY_SRV is set, else a directory of files. Throws InvalidValueError.
 */
export function datastoreSettings(env: Environment): StoreSettings {
  const read = (name: (typeof SHARED)[number]): string | undefined => env[name] || env[`CALICO_${name}`] || undefined;
  const isEtcd = read('ETCD_ENDPOINTS') !== undefined || read('ETCD_DISCOVERY_SRV') !== undefined;
  const type = read('DATASTORE_TYPE') ?? (isEtcd ? 'etcdv3' : 'file');
  if (type === 'file') return { type, directory: directory(env.CALICO_FILE_DATASTORE || DEFAULT_FILE_DATASTORE) };
  if (type === 'etcdv3') return { type, ...etcdSettings(read) };
  const reason =
    type === 'kubernetes' ? 'is not supported yet; use etcdv3 or file' : 'is not a datastore type; use etcdv3 or file';
  throw new InvalidValueError('DATASTORE_TYPE', type, reason);
}

function directory(path: string): string {
  if (path.startsWith('/')) return path;
  throw new InvalidValueError('CALICO_FILE_DATASTORE', path, 'is not an absolute path');
}
