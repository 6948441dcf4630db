import type { EtcdTls, Pem } from '../datastore/etcd-tls.ts';
import type { StoreSettings } from '../datastore/open.ts';
import { InvalidValueError } from '../model/invalid.ts';

type EtcdStoreSettings = Omit<Extract<StoreSettings, { readonly type: 'etcdv3' }>, 'type'>;

/** Each name is also read with `CALICO_` before it. */
export const ETCD_VARIABLES = [
  'ETCD_ENDPOINTS',
  'ETCD_DISCOVERY_SRV',
  'ETCD_USERNAME',
  'ETCD_PASSWORD',
  'ETCD_CA_CERT_FILE',
  'ETCD_CERT_FILE',
  'ETCD_KEY_FILE',
  'ETCD_CA_CERT',
  'ETCD_CERT',
  'ETCD_KEY',
] as const;

export type ReadEtcd = (name: (typeof ETCD_VARIABLES)[number]) => string | undefined;

/** Calico's variables for etcd. Throws InvalidValueError; what an inline key holds is a secret and stays out of the message. */
export function etcdSettings(read: ReadEtcd): EtcdStoreSettings {
  const username = read('ETCD_USERNAME');
  const password = read('ETCD_PASSWORD');
  const tls = tlsSettings(read);
  return {
    ...whereItIs(read),
    // As Calico: either of them alone says nothing.
    ...(username === undefined || password === undefined ? {} : { username, password }),
    ...(Object.keys(tls).length === 0 ? {} : { tls }),
  };
}

function whereItIs(read: ReadEtcd): Pick<EtcdStoreSettings, 'endpoints' | 'discoverySrv'> {
  const domain = read('ETCD_DISCOVERY_SRV');
  const text = read('ETCD_ENDPOINTS');
  if (domain === undefined) return { endpoints: endpoints(text) };
  if (text !== undefined) {
    throw new InvalidValueError('ETCD_DISCOVERY_SRV', domain, 'cannot be used together with ETCD_ENDPOINTS');
  }
  if (/^[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?$/i.test(domain)) return { endpoints: [], discoverySrv: domain };
  throw new InvalidValueError('ETCD_DISCOVERY_SRV', domain, 'is not a DNS domain such as example.com');
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

const PARTS = [
  { part: 'ca', inline: 'ETCD_CA_CERT', file: 'ETCD_CA_CERT_FILE' },
  { part: 'cert', inline: 'ETCD_CERT', file: 'ETCD_CERT_FILE' },
  { part: 'key', inline: 'ETCD_KEY', file: 'ETCD_KEY_FILE' },
] as const;

/** All inline or all from files, as Calico has it; a client's certificate and its key go together. */
function tlsSettings(read: ReadEtcd): EtcdTls {
  const inline = PARTS.filter(({ inline: name }) => read(name) !== undefined);
  const files = PARTS.filter(({ file: name }) => read(name) !== undefined);
  if (inline[0] !== undefined && files[0] !== undefined) {
    const reason = `cannot be used together with ${files[0].file}: either all inline or all from files`;
    throw new InvalidValueError(inline[0].inline, '…', reason);
  }
  const isInline = inline.length > 0;
  const given = isInline ? inline : files;
  const has = (part: string): boolean => given.some((each) => each.part === part);
  for (const [one, other] of [
    [PARTS[1], PARTS[2]],
    [PARTS[2], PARTS[1]],
  ] as const) {
    if (!has(one.part) || has(other.part)) continue;
    const [name, missing] = isInline ? [one.inline, other.inline] : [one.file, other.file];
    throw new InvalidValueError(name, isInline ? '…' : (read(name) ?? ''), `is useless without ${missing}`);
  }
  return Object.fromEntries(
    given.map(({ part, inline: name, file }) => [part, isInline ? inlinePem(read, name) : { file: read(file) ?? '' }]),
  );
}

function inlinePem(read: ReadEtcd, name: (typeof PARTS)[number]['inline']): Pem {
  const text = read(name) ?? '';
  if (text.includes('-----BEGIN ')) return { text };
  throw new InvalidValueError(name, '…', `is not PEM; for the name of a file there is ${name}_FILE`);
}
