import { expect, test } from 'vitest';
import { MemoryStore } from '../../../src/datastore/memory.ts';
import type { DataplaneInputs } from '../../../felix/index.ts';
import { changeKey } from '../../../src/datastore/ledger.ts';
import { UnavailableError } from '../../../src/datastore/store.ts';
import type { Change, Json, Store } from '../../../src/datastore/store.ts';
import { fakeDataplane } from '../../support/fake-dataplane.ts';
import { entryOf, resource } from '../../support/resources.ts';
import { makeTestAgent, settle } from '../../support/test-agent.ts';

/** A store in which IPAM's records cannot be written, and that says so when it answers. */
class NoIpam extends MemoryStore {
  answers: Promise<void> = Promise.resolve();

  override async create(key: string, value: Json): ReturnType<Store['create']> {
    return key.startsWith('/calico/ipam') ? this.#refuse() : super.create(key, value);
  }

  override writeAll(): Promise<void> {
    return this.#refuse();
  }

  async #refuse(): Promise<never> {
    await this.answers;
    throw new UnavailableError('away');
  }
}

async function withoutTunnelAddress(answers: Promise<void> = Promise.resolve()) {
  const store = new NoIpam();
  const subject = await makeTestAgent({ store });
  await subject.put(resource('IPPool', 'p', { cidr: '10.48.0.0/16', ipipMode: 'Always' }));
  store.answers = answers;
  subject.agent.start();
  await settle();
  const tries = (): number => subject.lines.filter(({ message }) => message.startsWith('no tunnel address')).length;
  return { subject, tries };
}

test('a tunnel address that cannot be had is tried for every five seconds, however much else is computed meanwhile', async () => {
  const { subject, tries } = await withoutTunnelAddress();
  expect(tries()).toBe(1);
  for (let i = 0; i < 4; i++) {
    await subject.clock.advance(1_000);
    await subject.put(resource('Node', `node-b${i}`, { bgp: { ipv4Address: `172.30.1.${20 + i}/24` } }));
    await settle();
  }
  const before = tries();
  await subject.clock.advance(20_000);
  await settle();
  expect(tries() - before).toBe(4);
  await subject.agent.close({ kind: 'restart' });
});

test('an agent that is closed while it asks for one does not try again', async () => {
  const answers = Promise.withResolvers<undefined>();
  const { subject, tries } = await withoutTunnelAddress(answers.promise);
  await subject.agent.close({ kind: 'restart' });
  answers.resolve(undefined);
  await settle();
  expect([tries(), subject.clock.pending]).toEqual([1, 0]);
});

/** A store whose watch tells of a change when it is time. */
class LateWatch extends MemoryStore {
  #time = Promise.withResolvers<undefined>();
  #lastKey = 'none yet';

  /** Everything up to the first change of a key that ends so. */
  tellUpTo(keyEnd: string): void {
    this.#lastKey = keyEnd;
    this.#time.resolve(undefined);
    this.#time = Promise.withResolvers<undefined>();
  }

  override async *watch(...args: Parameters<Store['watch']>): AsyncGenerator<readonly Change[], void> {
    await this.#time.promise;
    for await (const batch of super.watch(...args)) {
      for (const change of batch) {
        yield [change];
        if (changeKey(change).endsWith(this.#lastKey)) await this.#time.promise;
      }
    }
  }

  override async update(...[key, value, revision]: Parameters<Store['update']>): ReturnType<Store['update']> {
    // Another node comes at the same moment.
    if (key.endsWith('/nodes/node-a1')) await super.create(...otherNode).catch(() => undefined);
    return super.update(key, value, revision);
  }
}

const { key: otherKey, value: otherValue } = entryOf(
  resource('Node', 'node-z', { bgp: { ipv4Address: '172.30.1.99/24' } }),
);
const otherNode = [otherKey, otherValue] as const;

test('a tunnel address that was given stays on the device until the watch tells of it, whatever it tells before', async () => {
  const told: DataplaneInputs[] = [];
  const store = new LateWatch();
  const subject = await makeTestAgent({
    store,
    dataplane: fakeDataplane({ update: (inputs) => void told.push(inputs) }),
  });
  await subject.put(resource('IPPool', 'p', { cidr: '10.48.0.0/16', ipipMode: 'Always' }));
  subject.agent.start();
  await settle();
  const carried = (): readonly unknown[] =>
    told.splice(0).map(({ nodes, local }) => [nodes.length, local.ipipTunnelAddress]);
  const given = told.at(-1)!.local.ipipTunnelAddress;
  expect(given).toBeDefined();
  told.length = 0;
  store.tellUpTo('/nodes/node-z');
  await settle();
  for (const each of carried()) expect(each).toEqual([1, given]);
  store.tellUpTo('no such key');
  await settle();
  for (const each of carried()) expect(each).toEqual([1, given]);
  // No longer: a pool that goes takes it along.
  await subject.put(resource('IPPool', 'p', { cidr: '10.48.0.0/16', ipipMode: 'Never' }));
  await settle();
  expect(carried().at(-1)).toEqual([1, undefined]);
  await subject.agent.close({ kind: 'restart' });
});
