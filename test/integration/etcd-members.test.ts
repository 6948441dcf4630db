import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openEtcdStore } from '../../src/datastore/etcd.ts';
import type { Store } from '../../src/datastore/store.ts';
import { UnavailableError } from '../../src/datastore/store.ts';
import { EtcdServer, HAS_ETCD } from '../support/etcd-server.ts';
import { eventually } from '../support/eventually.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { LeapingClock } from '../support/leaping-clock.ts';
import { StoreFollower } from '../support/store-follower.ts';

const PREFIX = '/calico/';

/** Three members, each behind a proxy of its own; the first is asked first. */
describe.skipIf(!HAS_ETCD)('an etcd of three members', () => {
  let members: readonly EtcdServer[];
  let proxies: readonly FaultProxy[];
  let clock: LeapingClock;
  let store: Store;
  let follower: StoreFollower;

  beforeEach(async () => {
    members = await EtcdServer.startThree();
    proxies = await Promise.all(members.map(({ port }) => FaultProxy.start(port)));
    clock = new LeapingClock();
    store = await openEtcdStore({ endpoints: endpoints() }, { clock, random: () => 0 });
    await store.create(`${PREFIX}a`, 1);
    follower = new StoreFollower(store, PREFIX, { clock });
    await follower.syncer.synced();
  });
  afterEach(async () => {
    await follower.syncer.close();
    await store.close();
    await Promise.all(proxies.map((proxy) => proxy.close()));
    await Promise.all(members.map((member) => member.remove()));
  });

  const endpoints = (): readonly string[] => proxies.map(({ port }) => `http://127.0.0.1:${port}`);
  const hears = async (key: string): Promise<void> => {
    await eventually(() => store.create(`${PREFIX}${key}`, 1).then(() => true));
    await eventually(() => follower.entries.has(`${PREFIX}${key}`) && follower.isFresh);
  };

  test.each(['refuse', 'blackHole', 'stall'] as const)(
    'one that cannot be reached (%s): reads go on at another, each in its time, and the watch moves there',
    async (how) => {
      await proxies[0]![how]();
      expect((await store.get(`${PREFIX}a`))?.value).toBe(1);
      const asked = proxies[0]!.accepted;
      for (let i = 0; i < 5; i++) await store.list(PREFIX);
      expect(proxies[0]!.accepted).toBe(asked);
      await store.create(`${PREFIX}b`, 1);
      // The watch that leads nowhere is noticed by its silence.
      await clock.leap(20_000);
      await hears('c');
      expect(follower.keys()).toEqual(['a', 'b', 'c'].map((key) => `${PREFIX}${key}`));
      expect(follower.lost).toEqual([]);
    },
  );

  test('two killed: stale with the cause, nothing lost, no write is taken; back, it goes on where it was', async () => {
    await Promise.all([members[1]!.kill(), members[2]!.kill()]);
    await eventually(() => expect(follower.syncer.view().stale).toMatch(/does not answer: .*no leader/));
    await expect(store.create(`${PREFIX}b`, 1)).rejects.toBeInstanceOf(UnavailableError);
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    expect(follower.syncer.view().stale).toMatch(/^etcd at http:.* does not answer: /);
    expect(follower.keys()).toEqual([`${PREFIX}a`]);
    await Promise.all([members[1]!.restart(), members[2]!.restart()]);
    await hears('c');
    expect(follower.lost).toEqual([]);
    expect(new Set(follower.told()).size).toBe(follower.told().length);
  });

  test('a member that lost its data is not believed by itself: the others know better', async () => {
    await members[0]!.kill();
    await members[0]!.wipe();
    await hears('b');
    // As a cluster of its own, behind the endpoint that clients still have.
    await members[0]!.restartAlone();
    await Promise.all([proxies[1]!.refuse(), proxies[2]!.refuse()]);
    await eventually(() => expect(follower.syncer.view().stale).toMatch(/cannot be believed: it is empty now/));
    expect(follower.keys()).toEqual([`${PREFIX}a`, `${PREFIX}b`]);
    await Promise.all([proxies[1]!.accept(), proxies[2]!.accept(), proxies[0]!.refuse()]);
    await hears('c');
    expect(follower.lost).toEqual([]);
  });
});
