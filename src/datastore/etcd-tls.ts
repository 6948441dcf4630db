import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { UnavailableError } from './store.ts';

/** PEM, as text or by the file that holds it. */
export type Pem = { readonly file: string } | { readonly text: string };

/** The authorities that etcd's certificate may be of, and the certificate and key that we show it. */
export interface EtcdTls {
  readonly ca?: Pem;
  readonly cert?: Pem;
  readonly key?: Pem;
}

/** What was read of an EtcdTls; equal contents are equal texts. */
export interface TlsMaterial {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

const VARIABLES = { ca: 'ETCD_CA_CERT', cert: 'ETCD_CERT', key: 'ETCD_KEY' } as const;
type Part = keyof typeof VARIABLES;
const PARTS: readonly Part[] = ['ca', 'cert', 'key'];

/**
 * Reads the files anew each time: they are rotated under a running agent. Throws UnavailableError for what cannot be read or is not
 * what it should be, the variable and the path in it.
 */
export async function readTls(tls: EtcdTls): Promise<TlsMaterial> {
  const material: { -readonly [part in Part]?: string } = {};
  for (const part of PARTS) {
    const pem = tls[part];
    if (pem === undefined) continue;
    const text = 'text' in pem ? pem.text : await orSay(tls, part, 'cannot be read', () => readFile(pem.file, 'utf8'));
    material[part] = text;
    const isGood = (): unknown => (part === 'key' ? createPrivateKey(text) : new X509Certificate(text));
    await orSay(tls, part, `is no ${part === 'key' ? 'private key' : 'certificate'} in PEM`, isGood);
  }
  const { cert, key } = material;
  if (cert !== undefined && key !== undefined && !new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))) {
    throw new UnavailableError(`${named(tls, 'key')}: is not the key of ${named(tls, 'cert')}`);
  }
  return material;
}

// eslint-disable-next-line max-params -- whose part, what would be wrong with it, and the try
async function orSay<T>(tls: EtcdTls, part: Part, wrong: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw new UnavailableError(`${named(tls, part)}: ${wrong} (${(cause as Error).message})`, { cause });
  }
}

/** `ETCD_CA_CERT_FILE = '/etc/ca.pem'`, `ETCD_CA_CERT` */
function named(tls: EtcdTls, part: Part): string {
  const pem = tls[part];
  return pem === undefined || 'text' in pem ? VARIABLES[part] : `${VARIABLES[part]}_FILE = '${pem.file}'`;
}

export interface TlsAttempt {
  readonly endpoint: string;
  readonly tls: EtcdTls;
  readonly material: TlsMaterial;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** What OpenSSL, Node or gRPC said when a connection was made, as what the operator has to look at; other words as they are. */
export function tlsReason(text: string, attempt: TlsAttempt): string {
  const { endpoint, tls } = attempt;
  if (/unable to verify|self.signed certificate|unable to get (local )?issuer/.test(text)) {
    return tls.ca === undefined
      ? 'its certificate is of no authority that Node trusts, and ETCD_CA_CERT_FILE is not set'
      : `its certificate is of no authority in ${named(tls, 'ca')}`;
  }
  if (text.includes('certificate has expired')) return 'its certificate has expired';
  if (text.includes('certificate is not yet valid')) return 'its certificate is not valid yet';
  if (text.includes('ERR_TLS_CERT_ALTNAME_INVALID')) return `its certificate is not for ${new URL(endpoint).hostname}`;
  if (/alert (bad certificate|certificate|unknown ca|handshake failure)|SSL alert number/.test(text))
    return refused(attempt);
  if (text.includes('before secure TLS connection'))
    return 'it closed the connection before TLS was agreed on; where it speaks none, its endpoint must begin with http://';
  if (text.includes('ECONNRESET') && endpoint.startsWith('https:')) {
    return 'it reset the connection; where it speaks no TLS, its endpoint must begin with http://';
  }
  if (text === 'Failed to connect' && endpoint.startsWith('http:')) {
    return 'it closed the connection at once; where it speaks TLS, its endpoint must begin with https://';
  }
  return text;
}

/** By an alert of TLS, which says little: a server does not tell a stranger what it would have liked to see. */
function refused({ tls, material, now }: TlsAttempt): string {
  if (material.cert === undefined)
    return 'it wants a client certificate, and ETCD_CERT_FILE and ETCD_KEY_FILE are not set';
  const { validTo } = new X509Certificate(material.cert);
  const expired = Date.parse(validTo) < now ? `, which expired on ${validTo}` : '';
  return `it refuses our certificate, ${named(tls, 'cert')}${expired}`;
}
