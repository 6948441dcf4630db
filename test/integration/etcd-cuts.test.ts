import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openEtcdStore } from '../../src/datastore/etcd.ts';
import type { Store } from '../../src/datastore/store.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { EtcdServer, HAS_ETCD } from '../support/etcd-server.ts';
import { eventually } from '../support/eventually.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import type { FrameHead } from '../support/http2-frames.ts';
import { StoreFollower } from '../support/store-follower.ts';

const PORTS = { clock: systemClock, random: Math.random };
const PREFIX = '/cut/';

/** Of a watch: `created`, the first of its stream, has passed, and what was written before it comes now. */
const isBacklog = ({ data }: FrameHead): boolean => data === 2;

describe.skipIf(!HAS_ETCD)('an etcd whose connections are cut', () => {
  let server: EtcdServer;
  let proxy: FaultProxy;
  let writer: Store;
  let store: Store;
  let follower: StoreFollower | undefined;

  beforeAll(async () => {
    server = await EtcdServer.start();
    writer = await openEtcdStore({ endpoints: [server.endpoint] }, PORTS);
  });
  afterAll(async () => {
    await writer.close();
    await server.remove();
  });
  beforeEach(async () => {
    proxy = await FaultProxy.start(server.port);
    store = await openEtcdStore({ endpoints: [`http://127.0.0.1:${proxy.port}`] }, PORTS);
  });
  afterEach(async () => {
    await follower?.syncer.close();
    await store.close();
    await proxy.close();
    for (const { key } of (await writer.list(PREFIX)).entries) await writer.delete(key);
  });

  test('a stream that is cut between "created" and the backlog, three times, loses nothing', async () => {
    await writer.create(`${PREFIX}0`, 0);
    follower = new StoreFollower(store, PREFIX, PORTS);
    await follower.syncer.synced();
    await proxy.refuse();
    const written: string[] = [];
    for (let i = 1; i < 5; i++) {
      written.push(`put ${PREFIX}${i} @${(await writer.create(`${PREFIX}${i}`, i)).revision}`);
    }
    proxy.cutBefore(isBacklog);
    await proxy.accept();
    await eventually(() => proxy.cuts >= 3);
    written.push(`put ${PREFIX}5 @${(await writer.create(`${PREFIX}5`, 5)).revision}`);
    expect(follower.keys()).toEqual([`${PREFIX}0`]);
    proxy.pass();
    await eventually(() => follower?.entries.size === 6 && follower.isFresh);
    expect(follower.told()).toEqual(written);
  });

  test.each([1, 2, 3, 4, 5, 6])(
    'cut at random octets under a steady writer, seed %d: the view ends as etcd, each revision told once and in order',
    { timeout: 90_000 },
    async (seed) => {
      const random = seededRandom(seed);
      follower = new StoreFollower(store, PREFIX, { clock: systemClock, random });
      await follower.syncer.synced();
      const written = await writeAtRandom(writer, random, async (i) => {
        if (i % 15 === 0) proxy.cutAfter(Math.floor(random() * 600));
        if (i % 40 === 39) proxy.cutAll();
        if (i % 60 === 59) await proxy.refuse();
        if (i % 60 === 9) await proxy.accept();
        proxy.delay(random() < 0.1 ? 5 : 0);
      });
      await proxy.accept();
      proxy.pass();
      // A stream that died without a word is noticed after 15 s, and the wait before the next try has grown to 10.
      await eventually(() => expect(follower?.told()).toEqual(written), 50_000);
      await eventually(() => follower?.isFresh === true);
      const { entries } = await writer.list(PREFIX);
      expect(follower.values()).toEqual(Object.fromEntries(entries.map(({ key, value }) => [key, value])));
      expect(proxy.cuts).toBeGreaterThan(0);
    },
  );

  test('a cut is told with the endpoint and the cause, nothing is lost from the view, and it passes', async () => {
    await writer.create(`${PREFIX}0`, 0);
    follower = new StoreFollower(store, PREFIX, PORTS);
    await follower.syncer.synced();
    await proxy.refuse();
    await eventually(() => follower?.syncer.view().stale?.includes('ECONNREFUSED') === true);
    expect(follower.syncer.view().stale).toBe(
      `etcd at http://127.0.0.1:${proxy.port} does not answer: connect ECONNREFUSED 127.0.0.1:${proxy.port}`,
    );
    expect(follower.keys()).toEqual([`${PREFIX}0`]);
    await proxy.accept();
    await eventually(() => follower?.isFresh === true);
    expect(follower.changes).toEqual([]);
  });
});

/** 240 creations, updates and deletions, some 5 ms apart; gives what a follower must tell. */
async function writeAtRandom(
  store: Store,
  random: () => number,
  between: (i: number) => Promise<void>,
): Promise<readonly string[]> {
  const revisions = new Map<string, number>();
  const written: string[] = [];
  for (let i = 0; i < 240; i++) {
    await between(i);
    const key = `${PREFIX}${Math.floor(random() * 12)}`;
    const revision = revisions.get(key);
    if (revision === undefined || random() < 0.7) {
      const entry = revision === undefined ? await store.create(key, i) : await store.update(key, i, revision);
      revisions.set(key, entry.revision);
      written.push(`put ${key} @${entry.revision}`);
    } else {
      await store.delete(key, revision);
      revisions.delete(key);
      written.push(`delete ${key} @${(await store.list(PREFIX)).revision}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return written;
}
