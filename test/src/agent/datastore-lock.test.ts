/** ClusterInformation `datastoreReady: false`: what an agent does, and what it leaves alone, until it is true again. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { DataplaneInputs } from '../../../felix/index.ts';
import { whenUnlocked } from '../../../src/agent/datastore-lock.ts';
import type { Json, Store } from '../../../src/datastore/store.ts';
import { UnavailableError } from '../../../src/datastore/store.ts';
import { MemoryStore } from '../../../src/datastore/memory.ts';
import type { LearnedRoute } from '../../../src/model/route.ts';
import { formatPrefix, parseIpAddress, parsePrefix } from '../../../src/model/ip.ts';
import type { AnyResource } from '../../../src/resources/index.ts';
import { createResourceClient } from '../../../src/resources/index.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { fakeDataplane } from '../../support/fake-dataplane.ts';
import { fakeSpeaker } from '../../support/fake-speaker.ts';
import { memoryLogger } from '../../support/memory-logger.ts';
import { entryOf, resource } from '../../support/resources.ts';
import { makeTestAgent, settle } from '../../support/test-agent.ts';
import type { TestAgent } from '../../support/test-agent.ts';

const information = (datastoreReady: boolean): AnyResource =>
  resource('ClusterInformation', 'default', { datastoreReady });
const pool = (spec: object = {}): AnyResource => resource('IPPool', 'p', { cidr: '10.48.0.0/16', ...spec });

describe('a running agent whose datastore is locked', () => {
  let subject: TestAgent;
  let updates: DataplaneInputs[];
  let learned: readonly LearnedRoute[];
  let onRoutesChange: () => void;
  let store: WatchedStore;
  let isLinkReady: Promise<void>;

  /** Counts what is written into it. */
  class WatchedStore extends MemoryStore {
    writes: string[] = [];
    isIpamAway = false;
    override async create(key: string, value: Json): ReturnType<Store['create']> {
      if (this.isIpamAway && key.startsWith('/calico/ipam')) throw new UnavailableError('away');
      this.writes.push(`create ${key}`);
      return super.create(key, value);
    }
    override async update(key: string, value: Json, revision: number): ReturnType<Store['update']> {
      this.writes.push(`update ${key}`);
      return super.update(key, value, revision);
    }
    override async writeAll(...given: Parameters<Store['writeAll']>): Promise<void> {
      if (this.isIpamAway) throw new UnavailableError('away');
      this.writes.push('several');
      return super.writeAll(...given);
    }
  }

  beforeEach(async () => {
    [updates, learned, store, isLinkReady] = [[], [], new WatchedStore(), Promise.resolve()];
    subject = await makeTestAgent({
      store,
      dataplane: fakeDataplane({
        update: (inputs) => void updates.push(inputs),
        addWorkloadInterface: async () => {
          await isLinkReady;
          return { mac: '0a:00:00:00:00:01', mtu: 1500 };
        },
      }),
      ports: {
        createSpeaker: () =>
          fakeSpeaker({
            learnedRoutes: () => learned,
            onRoutesChange: (listener) => {
              onRoutesChange = listener;
              return () => undefined;
            },
          }),
      },
    });
    await subject.put(pool());
    subject.agent.start();
    await settle();
    await subject.put(information(false));
    await settle();
    updates.length = 0;
    store.writes = [];
  });
  afterEach(() => subject.agent.close({ kind: 'restart' }));

  test('keeps what it knew, whatever is done to the datastore, and takes it all up when it is unlocked', async () => {
    await subject.put(pool({ natOutgoing: true, ipipMode: 'Always' }));
    await subject.put(resource('Node', 'node-b1', { bgp: { ipv4Address: '172.30.1.12/24' } }));
    await settle();
    expect(
      updates.flatMap(({ pools, nodes }) => [...pools.map(({ natOutgoing }) => natOutgoing), nodes.length]),
    ).toEqual(updates.flatMap(() => [false, 0]));
    await subject.put(information(true));
    await settle();
    expect(updates.at(-1)).toMatchObject({ pools: [{ natOutgoing: true }], nodes: [{ name: 'node-b1' }] });
  });

  test('goes on with what BGP says', async () => {
    const prefix = parsePrefix('10.48.1.0/26');
    learned = [{ prefix, nextHops: [parseIpAddress('172.30.1.12')], learnedFrom: 'b' }];
    onRoutesChange();
    await settle();
    expect(updates.at(-1)?.learned.map((route) => formatPrefix(route.prefix))).toEqual(['10.48.1.0/26']);
  });

  test.each(['while its ADD is at work', 'when its ADD has just ended'])(
    'a pod keeps its route where the datastore is locked %s',
    async (when) => {
      await subject.put(information(true));
      await settle();
      const link = Promise.withResolvers<undefined>();
      if (when.startsWith('while')) isLinkReady = link.promise;
      const adding = subject.agent.addPod({
        ...{ containerId: 'c', netns: '/proc/self/ns/net', interfaceName: 'eth0' },
        ...{ podNamespace: 'default', podName: 'p' },
      });
      if (when.startsWith('when')) await adding;
      await subject.put(information(false));
      await settle();
      link.resolve(undefined);
      const { hostInterface } = await adding;
      onRoutesChange();
      await subject.put(resource('IPPool', 'other', { cidr: '10.49.0.0/16' }));
      await settle();
      await subject.clock.advance(100);
      await settle();
      expect(updates.at(-1)!.endpoints.map(({ interfaceName }) => interfaceName)).toEqual([hostInterface]);
    },
  );

  test('writes nothing: no tunnel address, no pod, no answer; afterwards all of it', async () => {
    const pod = {
      ...{ containerId: 'c', netns: '/run/netns/none', interfaceName: 'eth0', podNamespace: 'default', podName: 'p' },
    };
    const question = resource('CalicoNodeStatus', 'q', { node: 'node-a1', classes: ['BGP'], updatePeriodSeconds: 60 });
    await subject.put(pool({ ipipMode: 'Always' }));
    await subject.put(question);
    store.writes = [];
    await settle();
    await subject.clock.advance(60_000);
    await settle();
    await expect(subject.agent.addPod(pod)).rejects.toThrow('the datastore is locked for a migration');
    await expect(subject.agent.removePod('c')).rejects.toThrow('the datastore is locked for a migration');
    expect(store.writes).toEqual([]);
    await subject.put(information(true));
    await settle();
    await subject.clock.advance(6_000);
    await settle();
    expect(store.writes).toContain(`update ${entryOf(question).key}`);
    expect(store.writes).toContain(`update ${entryOf(resource('Node', 'node-a1')).key}`);
  });

  test('does not try again for a tunnel address that it could not get before', async () => {
    await subject.put(information(true));
    await settle();
    store.isIpamAway = true;
    await subject.put(pool({ ipipMode: 'Always' }));
    await settle();
    expect(subject.lines.at(-1)?.message).toBe('no tunnel address yet; will try again');
    await subject.put(information(false));
    await settle();
    store.isIpamAway = false;
    store.writes = [];
    await subject.clock.advance(6_000);
    await settle();
    expect(store.writes).toEqual([]);
    await subject.put(information(true));
    await settle();
    expect(store.writes).toContain(`update ${entryOf(resource('Node', 'node-a1')).key}`);
  });

  test('says so, and stays locked while the datastore is being emptied', async () => {
    const told = () => subject.agent.status();
    const reporter = () => told().health?.reporters.find(({ name }) => name === 'datastore');
    expect([told().datastore.locked, reporter()?.ready, told().health?.ready]).toEqual([true, false, false]);
    await subject.remove(information(false));
    await subject.remove(pool());
    await settle();
    expect(told().datastore.locked).toBe(true);
    expect(updates.every(({ pools }) => pools.length === 1)).toBe(true);
    await subject.put(information(true));
    await settle();
    expect([told().datastore.locked, reporter()?.ready]).toEqual([undefined, true]);
    const said = subject.lines.map(({ message }) => message).filter((message) => message.includes('locked'));
    expect(said).toEqual([
      'the datastore is locked for a migration: what it said before is kept',
      'the datastore is not locked any more',
    ]);
  });
});

describe('an agent that starts', () => {
  const start = async (locked: boolean | undefined) => {
    const [store, clock, waiting] = [new MemoryStore(), new FakeClock(), [] as boolean[]];
    const { key, value } = entryOf(information(locked === false));
    if (locked !== undefined) await store.create(key, value);
    let isDone = false;
    const done = whenUnlocked({
      ...{ resources: createResourceClient(store), clock, log: memoryLogger().log },
      onWaiting: (isWaiting) => void waiting.push(isWaiting),
    }).then(() => (isDone = true));
    const pass = async (): Promise<boolean> => {
      await settle();
      await clock.advance(1000);
      await settle();
      return isDone;
    };
    return { store, waiting, done, pass, key };
  };

  test.each([[undefined], [false]])('in a datastore that is not locked (%s) does not wait', async (locked) => {
    const { done, waiting } = await start(locked);
    await done;
    expect(waiting).toEqual([]);
  });

  test('in a locked one waits until somebody says that it is ready, and does not take an emptied one for that', async () => {
    const { store, waiting, pass, key } = await start(true);
    expect(await pass()).toBe(false);
    await store.delete(key);
    expect([await pass(), await pass(), waiting]).toEqual([false, false, [true]]);
    await store.create(key, entryOf(information(true)).value);
    expect([await pass(), waiting]).toEqual([true, [true, false]]);
  });
});
