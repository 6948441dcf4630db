import { expect, test } from 'vitest';
import { MemoryStore } from '../../../src/datastore/memory.ts';
import { UnavailableError } from '../../../src/datastore/store.ts';
import type { Json, Store } from '../../../src/datastore/store.ts';
import { resource } from '../../support/resources.ts';
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
