import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openEtcdStore } from '../../src/datastore/etcd.ts';
import type { Store } from '../../src/datastore/store.ts';
import { UnavailableError } from '../../src/datastore/store.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { EtcdServer, HAS_ETCD } from '../support/etcd-server.ts';
import { FaultProxy } from '../support/fault-proxy.ts';

const PORTS = { clock: systemClock, random: () => 0 };

/** A write whose answer is lost may have been done: nobody but the caller, who reads again, may decide what to do about it. */
describe.skipIf(!HAS_ETCD)('a write to an etcd through a bad network', () => {
  let server: EtcdServer;
  let proxy: FaultProxy;
  let store: Store;
  let witness: Store;

  beforeAll(async () => {
    server = await EtcdServer.start();
    witness = await openEtcdStore({ endpoints: [server.endpoint] }, PORTS);
  });
  afterAll(async () => {
    await witness.close();
    await server.remove();
  });
  beforeEach(async () => {
    proxy = await FaultProxy.start(server.port);
    // The proxy is asked first; the other way leads to the same etcd.
    store = await openEtcdStore({ endpoints: [`http://127.0.0.1:${proxy.port}`, server.endpoint] }, PORTS);
  });
  afterEach(async () => {
    await store.close();
    await proxy.close();
  });

  test('that was done, and whose answer is cut off, is not done again elsewhere', async () => {
    proxy.cutBefore(({ data }) => data === 1);
    await expect(store.create('/w/lost', 1)).rejects.toBeInstanceOf(UnavailableError);
    expect(proxy.cuts).toBe(1);
    const entry = await witness.get('/w/lost');
    expect(entry?.value).toBe(1);
    const { revision } = entry!;
    await expect(store.update('/w/lost', 2, revision)).resolves.toMatchObject({ value: 2 });
  });

  test('that never left is done by another member, once', async () => {
    await proxy.refuse();
    const { revision } = await store.create('/w/sent', 1);
    expect(await witness.get('/w/sent')).toEqual({ key: '/w/sent', value: 1, revision });
  });

  test('that a silent member may have got ends within its time, and is not tried elsewhere', async () => {
    await store.get('/w/any');
    proxy.blackHole();
    await expect(store.create('/w/silent', 1)).rejects.toThrow(
      new RegExp(`^etcd at http://127.0.0.1:${proxy.port} does not answer: no reply within \\d`),
    );
    expect(await witness.get('/w/silent')).toBeUndefined();
    // The next call goes to the other one first: a write to the silent one would fail again.
    await store.create('/w/silent', 2);
  });

  test('slow answers are waited for', async () => {
    proxy.delay(300);
    await store.create('/w/slow', 1);
    expect((await store.get('/w/slow'))?.value).toBe(1);
  });
});
