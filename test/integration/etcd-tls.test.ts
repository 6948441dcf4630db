import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openEtcdStore } from '../../src/datastore/etcd.ts';
import type { EtcdTls } from '../../src/datastore/etcd-tls.ts';
import { UnavailableError } from '../../src/datastore/store.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { CertificateAuthority, HAS_OPENSSL } from '../support/certificates.ts';
import type { CertificateFiles } from '../support/certificates.ts';
import { EtcdServer, HAS_ETCD } from '../support/etcd-server.ts';
import { eventually } from '../support/eventually.ts';
import { StoreFollower } from '../support/store-follower.ts';

const PORTS = { clock: systemClock, random: Math.random };
const file = (path: string): { readonly file: string } => ({ file: path });
const client = (ca: string, { certFile, keyFile }: CertificateFiles): EtcdTls => ({
  ...{ ca: file(ca), cert: file(certFile), key: file(keyFile) },
});

/** Lists once; gives the sentence that it failed with. */
async function failure(endpoint: string, tls: EtcdTls): Promise<string> {
  try {
    const store = await openEtcdStore({ endpoints: [endpoint], tls }, PORTS);
    await store.list('/').finally(() => store.close());
    return 'none';
  } catch (error) {
    expect(error).toBeInstanceOf(UnavailableError);
    return (error as Error).message;
  }
}

describe.skipIf(!HAS_ETCD || !HAS_OPENSSL)('an etcd behind TLS', () => {
  let directory: string;
  let ours: CertificateAuthority;
  let other: CertificateAuthority;
  let good: CertificateFiles;
  const servers: EtcdServer[] = [];
  const warnings: string[] = [];
  const onWarning = ({ message }: Error): void => void warnings.push(message);
  const serve = async (certificate: CertificateFiles, wantsClientCert: boolean): Promise<EtcdServer> => {
    const server = await EtcdServer.start({ tls: { caFile: ours.caFile, ...certificate, wantsClientCert } });
    servers.push(server);
    return server;
  };

  beforeAll(() => {
    process.on('warning', onWarning);
    directory = mkdtempSync(join(tmpdir(), 'calico-ts-tls-'));
    ours = new CertificateAuthority('ours');
    other = new CertificateAuthority('other');
    good = ours.issue('client');
  });
  afterAll(async () => {
    process.off('warning', onWarning);
    await Promise.all(servers.map((server) => server.remove()));
    for (const each of [ours, other]) each.remove();
    rmSync(directory, { recursive: true, force: true });
  });

  test('with a client certificate it lets us in, whether the PEM is in files or inline', async () => {
    const { endpoint } = await serve(ours.issue('server'), true);
    expect(await failure(endpoint, client(ours.caFile, good))).toBe('none');
    const [ca, cert, key] = [ours.caFile, good.certFile, good.keyFile].map((path) => ({
      text: readFileSync(path, 'utf8'),
    }));
    expect(await failure(endpoint, { ca: ca!, cert: cert!, key: key! })).toBe('none');
    // Node's, of an IP address as TLS server name: it would stand on the terminal before every answer of the CLI.
    expect(warnings).toEqual([]);
  });

  test('what is wrong with our side is named: authority, certificate, key, or that there is none', async () => {
    const { endpoint } = await serve(ours.issue('server'), true);
    const says = `etcd at ${endpoint} does not answer: `;
    expect(await failure(endpoint, client(other.caFile, good))).toBe(
      `${says}its certificate is of no authority in ETCD_CA_CERT_FILE = '${other.caFile}'`,
    );
    expect(await failure(endpoint, { cert: file(good.certFile), key: file(good.keyFile) })).toBe(
      `${says}its certificate is of no authority that Node trusts, and ETCD_CA_CERT_FILE is not set`,
    );
    expect(await failure(endpoint, { ca: file(ours.caFile) })).toBe(
      `${says}it wants a client certificate, and ETCD_CERT_FILE and ETCD_KEY_FILE are not set`,
    );
    const foreign = other.issue('client');
    expect(await failure(endpoint, client(ours.caFile, foreign))).toBe(
      `${says}it refuses our certificate, ETCD_CERT_FILE = '${foreign.certFile}'`,
    );
    const old = ours.issue('client', { days: -1 });
    expect(await failure(endpoint, client(ours.caFile, old))).toMatch(
      `${says}it refuses our certificate, ETCD_CERT_FILE = '${old.certFile}', which expired on `,
    );
    expect(await failure(endpoint.replace('https:', 'http:'), {})).toMatch(
      /it closed the connection at once; where it speaks TLS, its endpoint must begin with https:\/\/$/,
    );
  });

  test('what is wrong with its certificate is named, and that it has none', async () => {
    const says = (server: EtcdServer, why: string): string => `etcd at ${server.endpoint} does not answer: ${why}`;
    const tls = { ca: file(ours.caFile) };
    const misnamed = await serve(ours.issue('server', { names: 'DNS:etcd.example' }), false);
    expect(await failure(misnamed.endpoint, tls)).toBe(says(misnamed, 'its certificate is not for 127.0.0.1'));
    const expired = await serve(ours.issue('server', { days: -1 }), false);
    expect(await failure(expired.endpoint, tls)).toBe(says(expired, 'its certificate has expired'));
    const plain = await EtcdServer.start();
    servers.push(plain);
    expect(await failure(plain.endpoint.replace('http:', 'https:'), tls)).toMatch(
      /it (closed the connection before TLS was agreed on; where it speaks none|reset the connection; where it speaks no TLS), its endpoint must begin with http:\/\/$/,
    );
  });

  test('files that are no certificate or key, and a key of another certificate, are named before anybody is asked', async () => {
    const garbage = join(directory, 'garbage.pem');
    writeFileSync(garbage, 'garbage');
    const endpoint = 'https://127.0.0.1:1';
    const named = (variable: string): string => `${variable} = '${garbage}': is no `;
    expect(await failure(endpoint, { ca: file(garbage) })).toMatch(named('ETCD_CA_CERT_FILE'));
    expect(await failure(endpoint, client(ours.caFile, { ...good, certFile: garbage }))).toMatch(
      named('ETCD_CERT_FILE'),
    );
    expect(await failure(endpoint, client(ours.caFile, { ...good, keyFile: garbage }))).toMatch(named('ETCD_KEY_FILE'));
    const { keyFile } = other.issue('client');
    expect(await failure(endpoint, client(ours.caFile, { ...good, keyFile }))).toBe(
      `ETCD_KEY_FILE = '${keyFile}': is not the key of ETCD_CERT_FILE = '${good.certFile}'`,
    );
  });

  test('all certificates are exchanged in their files under a running follower: it comes back without a restart', async () => {
    const live = (name: string): string => join(directory, name);
    const issueAll = (by: CertificateAuthority, names: readonly string[]): void => {
      for (const name of names) {
        const { certFile, keyFile } = by.issue(name);
        copyFileSync(certFile, live(`${name}.pem`));
        copyFileSync(keyFile, live(`${name}.key`));
      }
      copyFileSync(by.caFile, live(names.includes('client') ? 'client-ca.pem' : 'server-ca.pem'));
    };
    issueAll(ours, ['client']);
    issueAll(ours, ['server']);
    const serverFiles = { certFile: live('server.pem'), keyFile: live('server.key'), caFile: live('server-ca.pem') };
    const server = await EtcdServer.start({ tls: { ...serverFiles, wantsClientCert: true } });
    servers.push(server);
    const tls = client(live('client-ca.pem'), { certFile: live('client.pem'), keyFile: live('client.key') });
    const store = await openEtcdStore({ endpoints: [server.endpoint], tls }, PORTS);
    await store.create('/calico/a', 1);
    const follower = new StoreFollower(store, '/calico/', PORTS);
    await follower.syncer.synced();
    await server.kill();
    issueAll(other, ['server']);
    await server.restart();
    await eventually(() =>
      expect(follower.syncer.view().stale).toMatch(/its certificate is of no authority in ETCD_CA/),
    );
    issueAll(other, ['client']);
    await eventually(() => store.create('/calico/b', 1).then(() => true));
    await eventually(() => follower.keys().length === 2 && follower.isFresh);
    expect(follower.lost).toEqual([]);
    await follower.syncer.close();
    await store.close();
  });
});
