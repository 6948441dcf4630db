import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { exportDatastore } from '../../src/cli/migrate/export.ts';
import { planImport } from '../../src/cli/migrate/import-plan.ts';
import { importInto } from '../../src/cli/migrate/import.ts';
import { setLocked } from '../../src/cli/migrate/lock.ts';
import { CALICO_PREFIX } from '../../src/datastore/keys.ts';
import { openStore } from '../../src/datastore/open.ts';
import type { Store } from '../../src/datastore/store.ts';
import { createIpam } from '../../src/ipam/index.ts';
import { createResourceClient } from '../../src/resources/index.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { EtcdServer } from '../support/etcd-server.ts';
import { assign, pool } from '../support/ipam.ts';
import { resource } from '../support/resources.ts';

let servers: readonly EtcdServer[];
let directory: string;
const stores: Store[] = [];

beforeAll(async () => {
  servers = [await EtcdServer.start(), await EtcdServer.start()];
  directory = await mkdtemp(join(tmpdir(), 'calico-ts-migrate-'));
});

afterAll(async () => {
  for (const store of stores) await store.close();
  for (const server of servers) await server.remove();
  await rm(directory, { recursive: true, force: true });
});

async function open(settings: Parameters<typeof openStore>[0]): Promise<Store> {
  const store = await openStore(settings);
  stores.push(store);
  return store;
}

const contents = async (store: Store) =>
  (await store.list(CALICO_PREFIX)).entries.map(({ key, value }) => [key, value]);

test('from etcd into files and from there into another etcd, all is as it was', async () => {
  const first = await open({ type: 'etcdv3', endpoints: [servers[0]!.endpoint] });
  const files = await open({ type: 'file', directory });
  const second = await open({ type: 'etcdv3', endpoints: [servers[1]!.endpoint] });

  const client = createResourceClient(first);
  await client.create(resource('IPPool', 'pods', { cidr: '10.0.0.0/16', vxlanMode: 'CrossSubnet' }));
  for (let i = 1; i <= 150; i++) {
    await client.create(resource('Node', `node-${i}`, { bgp: { ipv4Address: `172.30.${i}.1/24` } }));
  }
  const ipam = createIpam(first, { clock: systemClock, random: () => 0.5 });
  // Blocks of 256 addresses, so that a hundred of them are more than etcd takes at once.
  for (let i = 1; i <= 120; i++) await assign(ipam, `node-${i}`, `pod-${i}`, [pool('10.0.0.0/16', 24)], 40);
  await setLocked(client, true);

  let from = first;
  for (const to of [files, second]) {
    const { text, leftOut } = await exportDatastore(from);
    expect(leftOut).toEqual([]);
    await importInto(planImport({ path: 'export', text }), to, () => undefined);
    from = to;
  }
  expect((await contents(first)).length).toBeGreaterThan(400);
  expect(await contents(files)).toEqual(await contents(first));
  expect(await contents(second)).toEqual(await contents(first));
});
