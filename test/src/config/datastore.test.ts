import { describe, expect, test } from 'vitest';
import { datastoreSettings } from '../../../src/config/datastore.ts';

const PEM = '-----BEGIN SOMETHING-----\n';
const ETCD = { ETCD_ENDPOINTS: 'http://127.0.0.1:2379' };

describe('the datastore', () => {
  test('is a directory of files where nothing is said', () => {
    expect(datastoreSettings({})).toEqual({ type: 'file', directory: '/var/lib/calico/datastore' });
    expect(datastoreSettings({ CALICO_FILE_DATASTORE: '/srv/store' })).toEqual({
      type: 'file',
      directory: '/srv/store',
    });
    expect(datastoreSettings({ DATASTORE_TYPE: '', ETCD_ENDPOINTS: '' }).type).toBe('file');
  });

  test('is etcd where endpoints are given', () => {
    const env = { ETCD_ENDPOINTS: 'http://10.0.0.1:2379/, https://etcd-0:2379' };
    expect(datastoreSettings(env)).toEqual({
      type: 'etcdv3',
      endpoints: ['http://10.0.0.1:2379', 'https://etcd-0:2379'],
    });
    expect(datastoreSettings({ CALICO_DATASTORE_TYPE: 'etcdv3', CALICO_ETCD_ENDPOINTS: 'http://[::1]:2379' })).toEqual({
      type: 'etcdv3',
      endpoints: ['http://[::1]:2379'],
    });
    expect(datastoreSettings({ ...ETCD, DATASTORE_TYPE: 'file' }).type).toBe('file');
  });

  test('takes a username only together with its password', () => {
    expect(datastoreSettings({ ...ETCD, ETCD_USERNAME: 'u' })).not.toHaveProperty('username');
    expect(datastoreSettings({ ...ETCD, ETCD_USERNAME: 'u', ETCD_PASSWORD: 'p' })).toMatchObject({
      username: 'u',
      password: 'p',
    });
  });

  test('takes certificates from files', () => {
    const files = { ETCD_CA_CERT_FILE: '/ca', ETCD_CERT_FILE: '/cert', ETCD_KEY_FILE: '/key' };
    expect(datastoreSettings({ ...ETCD, ...files })).toMatchObject({
      tls: { ca: { file: '/ca' }, cert: { file: '/cert' }, key: { file: '/key' } },
    });
    expect(datastoreSettings({ ...ETCD, CALICO_ETCD_CA_CERT_FILE: '/ca' })).toMatchObject({
      tls: { ca: { file: '/ca' } },
    });
    expect(datastoreSettings(ETCD)).not.toHaveProperty('tls');
  });

  test('takes certificates as they are, all of them', () => {
    const inline = { ETCD_CA_CERT: `${PEM}1`, ETCD_CERT: `${PEM}2`, ETCD_KEY: `${PEM}3` };
    expect(datastoreSettings({ ...ETCD, ...inline })).toMatchObject({
      tls: { ca: { text: `${PEM}1` }, cert: { text: `${PEM}2` }, key: { text: `${PEM}3` } },
    });
  });

  test('is etcd where a domain says where it is', () => {
    expect(datastoreSettings({ ETCD_DISCOVERY_SRV: 'cluster.example' })).toEqual({
      type: 'etcdv3',
      endpoints: [],
      discoverySrv: 'cluster.example',
    });
  });

  test.each<[Record<string, string>, string]>([
    [{ DATASTORE_TYPE: 'consul' }, "DATASTORE_TYPE = 'consul': is not a datastore type; use etcdv3 or file"],
    [{ DATASTORE_TYPE: 'kubernetes' }, "DATASTORE_TYPE = 'kubernetes': is not supported yet; use etcdv3 or file"],
    [{ DATASTORE_TYPE: 'etcdv3' }, "ETCD_ENDPOINTS = '': no etcd endpoints specified"],
    [
      { ETCD_ENDPOINTS: '10.0.0.1:2379' },
      "ETCD_ENDPOINTS = '10.0.0.1:2379': is not a URL such as http://127.0.0.1:2379",
    ],
    [{ ETCD_ENDPOINTS: 'ftp://x' }, "ETCD_ENDPOINTS = 'ftp://x': is not a URL such as http://127.0.0.1:2379"],
    [
      { ...ETCD, ETCD_DISCOVERY_SRV: 'x.org' },
      "ETCD_DISCOVERY_SRV = 'x.org': cannot be used together with ETCD_ENDPOINTS",
    ],
    [
      { ETCD_DISCOVERY_SRV: 'http://x.org' },
      "ETCD_DISCOVERY_SRV = 'http://x.org': is not a DNS domain such as example.com",
    ],
    [{ ...ETCD, ETCD_KEY: `${PEM}secret` }, "ETCD_KEY = '…': is useless without ETCD_CERT"],
    [{ ...ETCD, ETCD_CERT: PEM }, "ETCD_CERT = '…': is useless without ETCD_KEY"],
    [
      { ...ETCD, ETCD_CA_CERT: '/ca.pem' },
      "ETCD_CA_CERT = '…': is not PEM; for the name of a file there is ETCD_CA_CERT_FILE",
    ],
    [
      { ...ETCD, ETCD_KEY: PEM, ETCD_CERT: PEM, ETCD_CA_CERT_FILE: '/ca' },
      "ETCD_CERT = '…': cannot be used together with ETCD_CA_CERT_FILE: either all inline or all from files",
    ],
    [{ ...ETCD, ETCD_CERT_FILE: '/c' }, "ETCD_CERT_FILE = '/c': is useless without ETCD_KEY_FILE"],
    [{ ...ETCD, ETCD_KEY_FILE: '/k' }, "ETCD_KEY_FILE = '/k': is useless without ETCD_CERT_FILE"],
    [{ CALICO_FILE_DATASTORE: 'store' }, "CALICO_FILE_DATASTORE = 'store': is not an absolute path"],
  ])('%j is refused in one sentence', (env, message) => {
    expect(() => datastoreSettings(env)).toThrow(message);
  });
});
