import { Etcd3 } from 'etcd3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openEtcdStore } from '../../src/datastore/etcd.ts';
import type { Store } from '../../src/datastore/store.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { EtcdServer, HAS_ETCD } from '../support/etcd-server.ts';
import { eventually } from '../support/eventually.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { LeapingClock } from '../support/leaping-clock.ts';
import { StoreFollower } from '../support/store-follower.ts';

const PORTS = { clock: systemClock, random: Math.random };
const PREFIX = '/calico/';
const IDENTITY = `${PREFIX}resources/v3/projectcalico.org/clusterinformations/default`;
const SILENT =
  /^etcd at http:\/\/127\.0\.0\.1:\d+ does not answer: (its watch has been silent for 15 seconds|no reply within )/;

/** One etcd, one follower through a proxy, whose time leaps; a writer beside the proxy. */
describe.skipIf(!HAS_ETCD)('an etcd that goes away and comes back', () => {
  let server: EtcdServer;
  let proxy: FaultProxy;
  let clock: LeapingClock;
  let store: Store;
  let writer: Store;
  let follower: StoreFollower;
  let raw: Etcd3;

  beforeEach(async () => {
    server = await EtcdServer.start();
    proxy = await FaultProxy.start(server.port);
    clock = new LeapingClock();
    raw = new Etcd3({ hosts: server.endpoint });
    writer = await openEtcdStore({ endpoints: [server.endpoint] }, PORTS);
    store = await openEtcdStore({ endpoints: [`http://127.0.0.1:${proxy.port}`] }, { clock, random: Math.random });
    await writer.create(IDENTITY, { spec: { clusterGUID: 'ours' } });
    for (const key of ['a', 'b', 'c']) await writer.create(`${PREFIX}${key}`, key);
    follower = new StoreFollower(store, PREFIX, { clock });
    await follower.syncer.synced();
    await writer.update(`${PREFIX}a`, 'seen', (await writer.get(`${PREFIX}a`))!.revision);
    await eventually(() => follower.changes.length === 1);
    follower.changes.length = 0;
  });
  afterEach(async () => {
    await follower.syncer.close();
    await Promise.all([store.close(), writer.close()]);
    raw.close();
    await proxy.close();
    await server.remove();
  });

  /** The view holds what it held, whatever the time says. */
  const keepsAll = (): void => {
    expect(follower.values()).toMatchObject({ [`${PREFIX}a`]: 'seen', [`${PREFIX}b`]: 'b', [`${PREFIX}c`]: 'c' });
    expect(follower.lost).toEqual([]);
  };
  const untilStale = (sentence: RegExp): Promise<void> =>
    eventually(() => expect(follower.syncer.view().stale).toMatch(sentence));
  /** Time passes until it is fresh: a wait of the backoff may be long. */
  const untilFresh = (): Promise<void> =>
    eventually(async () => {
      await clock.leap(1_000);
      return follower.isFresh;
    });
  /** Three changes while nobody hears them; gives what must be told of them. */
  const changeThree = async (): Promise<readonly string[]> => {
    const created = await writer.create(`${PREFIX}d`, 'd');
    const updated = await writer.update(`${PREFIX}b`, 'new', (await writer.get(`${PREFIX}b`))!.revision);
    await writer.delete(`${PREFIX}c`);
    const { revision } = await writer.list(PREFIX);
    return [
      `put ${PREFIX}d @${created.revision}`,
      `put ${PREFIX}b @${updated.revision}`,
      `delete ${PREFIX}c @${revision}`,
    ];
  };
  const isAsEtcd = async (): Promise<void> => {
    const { entries } = await writer.list(PREFIX);
    expect(follower.values()).toEqual(Object.fromEntries(entries.map(({ key, value }) => [key, value])));
  };
  const untilItAnswers = (): Promise<void> => eventually(() => writer.get(IDENTITY).then(() => true));

  test('killed and started again on its data: stale with the cause, then told exactly what happened', async () => {
    await server.kill();
    await untilStale(/^etcd at http:\/\/127\.0\.0\.1:\d+ does not answer: /);
    await clock.leap(60_000);
    keepsAll();
    await server.restart();
    await untilItAnswers();
    const expected = await changeThree();
    await untilFresh();
    await eventually(() => expect(follower.told()).toEqual(expected));
    await isAsEtcd();
  });

  test('stopped for a minute (SIGSTOP): the silence is noticed, nothing is lost, and it goes on where it was', async () => {
    await server.pause();
    try {
      await clock.leap(60_000);
      expect(follower.syncer.view().stale).toMatch(SILENT);
      expect(clock.now() - follower.syncer.view().staleSince!).toBeGreaterThan(40_000);
      keepsAll();
    } finally {
      server.resume();
    }
    await untilItAnswers();
    const expected = await changeThree();
    await untilFresh();
    await eventually(() => expect(follower.told()).toEqual(expected));
    await isAsEtcd();
  });

  test.each(['stall', 'blackHole', 'refuse'] as const)(
    'partitioned for ten minutes (%s): no entry is lost, and what was written meanwhile is told once, in order',
    async (how) => {
      await proxy[how]();
      const expected = await changeThree();
      await clock.leap(600_000);
      expect(follower.syncer.view().stale).toMatch(how === 'refuse' ? /ECONNREFUSED/ : SILENT);
      expect(clock.now() - follower.syncer.view().staleSince!).toBeGreaterThan(580_000);
      keepsAll();
      expect(follower.changes).toEqual([]);
      proxy.cutAll();
      proxy.pass();
      await proxy.accept();
      await untilFresh();
      await eventually(() => expect(follower.told()).toEqual(expected));
      await isAsEtcd();
    },
  );

  test('compacted while it was away: listed again, and only the differences are told', async () => {
    await proxy.refuse();
    await untilStale(/ECONNREFUSED/);
    const [created, updated] = await changeThree();
    const { revision } = await writer.list(PREFIX);
    await raw.kv.compact({ revision: String(revision), physical: true });
    keepsAll();
    await proxy.accept();
    await untilFresh();
    await eventually(() => expect(follower.told()).toEqual([created, updated, `delete ${PREFIX}c @${revision}`]));
    await isAsEtcd();
  });

  test('wiped: it is not believed, the view stays and says why, and a backup put back is followed', async () => {
    await server.kill();
    await server.backUp();
    await server.wipe();
    await server.restart();
    await untilItAnswersAtAll();
    await clock.leap(120_000);
    await untilStale(
      /^etcd at http:\/\/127\.0\.0\.1:\d+ cannot be believed: its data are another cluster's: no clusterGUID, where ours has ours$/,
    );
    keepsAll();
    await server.kill();
    await server.putBack();
    await server.restart();
    await untilItAnswers();
    await untilFresh();
    keepsAll();
    await isAsEtcd();
  });
  const untilItAnswersAtAll = (): Promise<void> => eventually(() => writer.list(PREFIX).then(() => true));

  test('restored from an older copy: what came after the copy is gone, and what is written next is not missed', async () => {
    await server.kill();
    await server.backUp();
    await server.restart();
    await untilItAnswers();
    await writer.create(`${PREFIX}lost`, 1);
    await writer.delete(`${PREFIX}b`);
    await eventually(async () => {
      await clock.leap(500);
      return follower.entries.has(`${PREFIX}lost`) && !follower.entries.has(`${PREFIX}b`);
    });
    await server.kill();
    await server.putBack();
    await server.restart();
    await untilItAnswers();
    await untilFresh();
    await writer.create(`${PREFIX}next`, 1);
    await eventually(() => follower.entries.has(`${PREFIX}next`));
    await isAsEtcd();
    expect(follower.keys()).not.toContain(`${PREFIX}lost`);
    expect(follower.keys()).toContain(`${PREFIX}b`);
  });
});
