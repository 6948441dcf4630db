import { expect, test } from 'vitest';
import { discoverEndpoints } from '../../../src/datastore/etcd-discovery.ts';
import { UnavailableError } from '../../../src/datastore/store.ts';

const RECORDS = new Map([
  ['_etcd-client-ssl._tcp.example.com', [{ name: 'a.example.com.', port: 2379 }]],
  [
    '_etcd-client._tcp.example.com',
    [
      { name: 'b.example.com', port: 2379 },
      { name: 'c.example.com', port: 4001 },
    ],
  ],
  ['_etcd-client._tcp.plain.org', [{ name: 'd', port: 1 }]],
]);
const resolve = (name: string): Promise<readonly { name: string; port: number }[]> => {
  const records = RECORDS.get(name);
  return records === undefined ? Promise.reject(new Error(`querySrv ENOTFOUND ${name}`)) : Promise.resolve(records);
};

test.each([
  ['example.com', ['https://a.example.com:2379', 'http://b.example.com:2379', 'http://c.example.com:4001']],
  ['plain.org', ['http://d:1']],
])('%s names its members, those with TLS first', async (domain, endpoints) => {
  expect(await discoverEndpoints(domain, resolve)).toEqual(endpoints);
});

test('a domain without records is one sentence with both names', async () => {
  const asked = discoverEndpoints('nobody.invalid', resolve);
  await expect(asked).rejects.toBeInstanceOf(UnavailableError);
  await expect(asked).rejects.toThrow(
    "ETCD_DISCOVERY_SRV = 'nobody.invalid': names no etcd (querySrv ENOTFOUND _etcd-client-ssl._tcp.nobody.invalid; " +
      'querySrv ENOTFOUND _etcd-client._tcp.nobody.invalid)',
  );
});

test('and so is one whose records are empty', async () => {
  await expect(discoverEndpoints('bare.org', () => Promise.resolve([]))).rejects.toThrow(
    "ETCD_DISCOVERY_SRV = 'bare.org': names no etcd (no records)",
  );
});
