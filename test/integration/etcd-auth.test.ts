import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Etcd3, Range } from 'etcd3';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openEtcdStore } from '../../src/datastore/etcd.ts';
import type { Store } from '../../src/datastore/store.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { EtcdServer, HAS_ETCD } from '../support/etcd-server.ts';
import { eventually } from '../support/eventually.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { StoreFollower } from '../support/store-follower.ts';

const PORTS = { clock: systemClock, random: Math.random };
const PREFIX = '/calico/';
const TOKENS = ['simple', 'jwt'] as const;

/** An etcd with users; `calico` may read and write below /calico/. The follower comes through a proxy that can cut it off. */
describe.skipIf(!HAS_ETCD).each(TOKENS)('an etcd with users and %s tokens', (tokens) => {
  let directory: string;
  let server: EtcdServer;
  let proxy: FaultProxy;
  let store: Store;
  let follower: StoreFollower;
  let password = 'first';

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'calico-ts-jwt-'));
    server = await EtcdServer.start({ flags: tokens === 'simple' ? { 'auth-token-ttl': '2' } : jwtFlags(directory) });
    const nobody = new Etcd3({ hosts: server.endpoint });
    await nobody.role('root').create();
    await nobody.user('root').create('secret');
    await nobody.user('root').addRole('root');
    await nobody.role('calico').create();
    await grant(nobody);
    await nobody.user('calico').create(password);
    await nobody.user('calico').addRole('calico');
    await nobody.auth.authEnable();
    nobody.close();
  });
  beforeEach(async () => {
    proxy = await FaultProxy.start(server.port);
    const endpoints = [`http://127.0.0.1:${proxy.port}`];
    store = await openEtcdStore({ endpoints, username: 'calico', password }, PORTS);
    follower = new StoreFollower(store, PREFIX, PORTS);
    await follower.syncer.synced();
    await asRoot((root) => root.put(`${PREFIX}a`).value('1').exec());
    await eventually(() => follower.entries.has(`${PREFIX}a`));
  });
  afterEach(async () => {
    await follower.syncer.close();
    await store.close();
    await proxy.close();
  });
  afterAll(async () => {
    await server.remove();
    rmSync(directory, { recursive: true, force: true });
  });

  /** By a client of its own each time: etcd3 goes on with a token of before the change, as our store must not. */
  const asRoot = async (work: (root: Etcd3) => Promise<unknown>): Promise<void> => {
    const root = new Etcd3({ hosts: server.endpoint, auth: { username: 'root', password: 'secret' } });
    try {
      await work(root);
    } finally {
      root.close();
    }
  };
  const hears = async (what: string): Promise<void> => {
    await asRoot((root) => root.put(`${PREFIX}a`).value(`"${what}"`).exec());
    await eventually(() => follower.values()[`${PREFIX}a`] === what && follower.isFresh);
  };
  const refused = (why: string): string => `etcd at http://127.0.0.1:${proxy.port} refuses us: etcdserver: ${why}`;

  test('its token expires: calls and watches go on, and a stream that is lost afterwards comes back', async () => {
    await sleep(4_000);
    await hears('after the token ran out');
    proxy.cutAll();
    await hears('after the cut');
    await sleep(4_000);
    expect((await store.get(`${PREFIX}a`))?.value).toBe('after the cut');
    expect(follower.lost).toEqual([]);
  });

  test('a user and a role are changed under it: calls and the watch go on', async () => {
    await asRoot((root) => root.role('bystander').create());
    await asRoot((root) => root.user('bystander').create('x'));
    await asRoot((root) => root.user('bystander').addRole('bystander'));
    await asRoot((root) => root.user('bystander').removeRole('bystander'));
    expect((await store.get(`${PREFIX}a`))?.key).toBe(`${PREFIX}a`);
    proxy.cutAll();
    await hears('after the change');
    await asRoot((root) => root.user('bystander').delete());
    await asRoot((root) => root.role('bystander').delete());
    expect((await store.get(`${PREFIX}a`))?.value).toBe('after the change');
    expect(follower.lost).toEqual([]);
  });

  test('its permission is revoked and given back: one clear sentence, nothing is lost', async () => {
    await asRoot(({ auth }) =>
      auth.roleRevokePermission({ role: 'calico', key: Buffer.from(PREFIX), range_end: Buffer.from('/calico0') }),
    );
    proxy.cutAll();
    await eventually(() => expect(follower.syncer.view().stale).toBe(refused('permission denied')));
    await expect(store.get(`${PREFIX}a`)).rejects.toThrow(refused('permission denied'));
    await sleep(1_500);
    expect(follower.syncer.view().stale).toBe(refused('permission denied'));
    expect(follower.keys()).toEqual([`${PREFIX}a`]);
    await asRoot(grant);
    await hears('permitted again');
    expect(follower.lost).toEqual([]);
  });

  test('its password is changed: one clear sentence for whoever still has the old one', async () => {
    await asRoot((root) => root.user('calico').setPassword('second'));
    proxy.cutAll();
    const sentence = refused('authentication failed, invalid user ID or password');
    if (tokens === 'simple') await eventually(() => expect(follower.syncer.view().stale).toBe(sentence));
    const late = await openEtcdStore({ endpoints: [server.endpoint], username: 'calico', password }, PORTS);
    await expect(late.get(`${PREFIX}a`)).rejects.toThrow(/refuses us: etcdserver: authentication failed, invalid user/);
    await late.close();
    expect(follower.keys()).toEqual([`${PREFIX}a`]);
    password = 'second';
    const { syncer } = follower;
    await syncer.close();
    const endpoints = [`http://127.0.0.1:${proxy.port}`];
    const renewed = await openEtcdStore({ endpoints, username: 'calico', password }, PORTS);
    follower = new StoreFollower(renewed, PREFIX, PORTS);
    await hears('with the new password');
    await follower.syncer.close();
    await renewed.close();
  });
});

const grant = (by: Etcd3): Promise<unknown> =>
  by.role('calico').grant({ permission: 'Readwrite', range: Range.prefix(PREFIX) });

function jwtFlags(directory: string): Readonly<Record<string, string>> {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const [pub, priv] = [join(directory, 'jwt.pub'), join(directory, 'jwt.key')];
  writeFileSync(pub, publicKey.export({ type: 'spki', format: 'pem' }));
  writeFileSync(priv, privateKey.export({ type: 'pkcs1', format: 'pem' }));
  return { 'auth-token': `jwt,pub-key=${pub},priv-key=${priv},sign-method=RS256,ttl=2s` };
}
