import type { StoreSettings } from '../datastore/open.ts';
import { InvalidValueError } from '../model/invalid.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export const DEFAULT_FILE_DATASTORE = '/var/lib/calico/datastore';

const NOT_YET = ['ETCD_DISCOVERY_SRV', 'ETCD_KEY', 'ETCD_CERT', 'ETCD_CA_CERT'] as const;

/** Read as they stand and with `CALICO_` before them. */
const SHARED = [
  'DATASTORE_TYPE',
  'ETCD_ENDPOINTS',
  'ETCD_USERNAME',
  'ETCD_PASSWORD',
  'ETCD_CA_CERT_FILE',
  'ETCD_CERT_FILE',
  'ETCD_KEY_FILE',
  ...NOT_YET,
] as const;

/** Every name that says where the data is. */
export const DATASTORE_VARIABLES: readonly string[] = [
  'CALICO_FILE_DATASTORE',
  ...SHARED.flatMap((name) => [name, `CALICO_${name}`]),
];

/**
 * Which datastore, from Calico's variables; each is also read with the prefix `CALICO_`.
 * Without a type: etcdv3 where ETCD_ENDPOINTS is set, else a directory of files. Throws InvalidValueError.
 */
export function datastoreSettings(env: Environment): StoreSettings {
  const read: Read = (name) => env[name] || env[`CALICO_${name}`] || undefined;
  const type = read('DATASTORE_TYPE') ?? (read('ETCD_ENDPOINTS') === undefined ? 'file' : 'etcdv3');
  if (type === 'file') return { type, directory: directory(env.CALICO_FILE_DATASTORE || DEFAULT_FILE_DATASTORE) };
  if (type === 'etcdv3') return { type, ...etcd(read) };
  const reason =
    type === 'kubernetes' ? 'is not supported yet; use etcdv3 or file' : 'is not a datastore type; use etcdv3 or file';
  throw new InvalidValueError('DATASTORE_TYPE', type, reason);
}

function directory(path: string): string {
  if (path.startsWith('/')) return path;
  throw new InvalidValueError('CALICO_FILE_DATASTORE', path, 'is not an absolute path');
}

type Read = (name: (typeof SHARED)[number]) => string | undefined;
type EtcdStoreSettings = Omit<Extract<StoreSettings, { readonly type: 'etcdv3' }>, 'type'>;

function etcd(read: Read): EtcdStoreSettings {
  for (const name of NOT_YET) {
    const value = read(name);
    // What an inline key holds is a secret: it stays out of the message.
    if (value !== undefined)
      throw new InvalidValueError(name, name === 'ETCD_DISCOVERY_SRV' ? value : '…', 'is not supported yet');
  }
  const username = read('ETCD_USERNAME');
  const password = read('ETCD_PASSWORD');
  return {
    endpoints: endpoints(read('ETCD_ENDPOINTS')),
    // As Calico: either of them alone says nothing.
    ...(username === undefined || password === undefined ? {} : { username, password }),
    ...tlsFiles(read),
  };
}

function endpoints(text: string | undefined): readonly string[] {
  const list = (text ?? '').split(',').map((endpoint) => endpoint.trim());
  const given = list.filter((endpoint) => endpoint !== '');
  if (given.length === 0) throw new InvalidValueError('ETCD_ENDPOINTS', text ?? '', 'no etcd endpoints specified');
  for (const endpoint of given) {
    const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
    const isServer = url !== undefined && ['http:', 'https:'].includes(url.protocol) && url.hostname !== '';
    if (isServer && url.pathname === '/' && url.search === '') continue;
    throw new InvalidValueError('ETCD_ENDPOINTS', endpoint, 'is not a URL such as http://127.0.0.1:2379');
  }
  return given.map((endpoint) => endpoint.replace(/\/$/, ''));
}

function tlsFiles(read: Read): Pick<EtcdStoreSettings, 'caFile' | 'certFile' | 'keyFile'> {
  const caFile = read('ETCD_CA_CERT_FILE');
  const certFile = read('ETCD_CERT_FILE');
  const keyFile = read('ETCD_KEY_FILE');
  if (certFile !== undefined && keyFile === undefined) {
    throw new InvalidValueError('ETCD_CERT_FILE', certFile, 'is useless without ETCD_KEY_FILE');
  }
  if (keyFile !== undefined && certFile === undefined) {
    throw new InvalidValueError('ETCD_KEY_FILE', keyFile, 'is useless without ETCD_CERT_FILE');
  }
  return {
    ...(caFile === undefined ? {} : { caFile }),
    ...(certFile === undefined || keyFile === undefined ? {} : { certFile, keyFile }),
  };
}
