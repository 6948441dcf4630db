/** CalicoNodeStatus resources and the agent that answers them. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { calicoStatus } from '../../../src/agent/calico-node-status.ts';
import { StatusAnswers } from '../../../src/agent/status-answers.ts';
import { decodeStatus, FULL_STATUS } from '../../../src/api/status-question.ts';
import type { Entry, Json } from '../../../src/datastore/store.ts';
import { MemoryStore } from '../../../src/datastore/memory.ts';
import type { CalicoNodeStatus } from '../../../src/resources/index.ts';
import { createResourceClient } from '../../../src/resources/index.ts';
import { silentLogger } from '../../../src/runtime/logger.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { nodeStatus, peer } from '../../support/node-status.ts';
import { entryOf, resource } from '../../support/resources.ts';
import { makeTestAgent, settle } from '../../support/test-agent.ts';
import type { TestAgent } from '../../support/test-agent.ts';

const question = (name: string, spec: object = {}): CalicoNodeStatus =>
  resource('CalicoNodeStatus', name, { node: 'node-a1', classes: ['Agent', 'BGP'], updatePeriodSeconds: 10, ...spec });

let subject: TestAgent;
let store: SnatchingStore;

beforeEach(async () => {
  store = new SnatchingStore();
  subject = await makeTestAgent({ store });
  subject.agent.start();
  await pass(1);
});
afterEach(() => subject.agent.close({ kind: 'restart' }));

async function pass(ms: number): Promise<void> {
  await settle();
  await subject.clock.advance(ms);
  await settle();
}

const stored = (name: string): Promise<CalicoNodeStatus> =>
  createResourceClient(subject.store).get('CalicoNodeStatus', name);

/** Somebody takes the resource away in the moment before it is written. */
class SnatchingStore extends MemoryStore {
  isSnatching = false;

  override async update(key: string, value: Json, revision: number): Promise<Entry> {
    if (this.isSnatching) await this.delete(key);
    return super.update(key, value, revision);
  }
}

describe('a CalicoNodeStatus of this node', () => {
  test('gets what Calico’s node writes, of the classes that are asked for', async () => {
    await subject.put(question('operators'));
    await pass(1);
    const { status, metadata } = await stored('operators');
    expect(Object.keys(status ?? {}).sort()).toEqual(['agent', 'bgp', 'lastUpdated']);
    expect(status).toMatchObject({
      lastUpdated: '1970-01-01T00:00:00Z',
      agent: { birdV4: { state: 'Ready', version: '1.2.3', routerID: '172.30.1.11' }, birdV6: { state: 'NotReady' } },
      bgp: { numberEstablishedV4: 0, numberNotEstablishedV4: 0, peersV4: [] },
    });
    expect(metadata.annotations).toBeUndefined();
  });

  test('of calicoctl-ts gets the whole status of the API beside it', async () => {
    await subject.put(question('calicoctl-ts-0-node-a1'));
    await pass(1);
    const { metadata } = await stored('calicoctl-ts-0-node-a1');
    const { health, datastore, ...answer } = decodeStatus(metadata.annotations?.[FULL_STATUS] ?? '');
    expect(subject.agent.status()).toMatchObject(answer);
    expect([health?.live, datastore.inSync, answer.node]).toEqual([true, true, 'node-a1']);
  });

  test('is written once a period, and at once when it asks for something else; 0 asks for nothing', async () => {
    await subject.put(question('q'));
    await pass(1);
    const first = (await stored('q')).metadata.resourceVersion;
    await pass(9_000);
    expect((await stored('q')).metadata.resourceVersion).toBe(first);
    await pass(1_100);
    const second = await stored('q');
    expect([second.metadata.resourceVersion === first, second.status?.lastUpdated]).toEqual([
      false,
      '1970-01-01T00:00:10Z',
    ]);
    await subject.put(question('q', { classes: ['Routes'], updatePeriodSeconds: 600 }));
    await pass(1);
    expect((await stored('q')).status).toMatchObject({ routes: { routesV4: [], routesV6: [] } });
    await subject.put(question('q', { updatePeriodSeconds: 0 }));
    await pass(1_000_000);
    expect((await stored('q')).status).toBeUndefined();
  });

  test('of another node is left alone, and nothing is computed anew for any of them', async () => {
    await subject.put(question('other', { node: 'node-b1' }));
    await pass(100_000);
    expect((await stored('other')).status).toBeUndefined();
  });

  test('that calicoctl-ts left behind is removed after five minutes; an operator’s stays', async () => {
    await subject.put(question('calicoctl-ts-0-node-a1', { updatePeriodSeconds: 3600 }));
    await subject.put(question('operators', { updatePeriodSeconds: 3600 }));
    await pass(290_000);
    expect((await stored('calicoctl-ts-0-node-a1')).status).toBeDefined();
    await pass(11_000);
    await expect(stored('calicoctl-ts-0-node-a1')).rejects.toThrow('does not exist');
    expect((await stored('operators')).status).toBeDefined();
  });

  test('that cannot be read is told of by its own node, once, and is no matter of the others', async () => {
    const broken = (name: string, node: string) =>
      ({ ...question(name), spec: { node, classes: [], updatePeriodSeconds: 9 } }) as CalicoNodeStatus;
    await subject.put(broken('mine', 'node-a1'));
    await subject.put(broken('others', 'node-b1'));
    await pass(10_000);
    await subject.put(resource('Node', 'node-c1', { bgp: { ipv4Address: '172.30.1.13/24' } }));
    await pass(10_000);
    expect(subject.lines.filter(({ level }) => level === 'warn')).toMatchObject([
      {
        fields: {
          key: expect.stringMatching(/\/mine$/) as string,
          reason: expect.stringContaining('classes') as string,
        },
      },
    ]);
  });

  test('that is taken away while it is answered does not come back', async () => {
    await subject.put(question('q'));
    store.isSnatching = true;
    await pass(1);
    store.isSnatching = false;
    await pass(100_000);
    await expect(stored('q')).rejects.toThrow('does not exist');
    expect(subject.lines.filter(({ level }) => level === 'warn')).toEqual([]);
  });

  test('that was there before the agent is answered, too', async () => {
    const later = await makeTestAgent({ clock: subject.clock });
    await later.put(question('q'));
    later.agent.start();
    await pass(1);
    expect((await createResourceClient(later.store).get('CalicoNodeStatus', 'q')).status).toBeDefined();
    await later.agent.close({ kind: 'restart' });
  });
});

test('an answer to calicoctl-ts has its peers in the annotation alone, an operator’s in the status', async () => {
  const [clock, written] = [new FakeClock(), [] as CalicoNodeStatus[]];
  const full = nodeStatus({ peers: [peer('172.30.1.12')] });
  const answers = new StatusAnswers({
    ...{ node: 'node-a1', clock, log: silentLogger, mayWrite: () => true },
    resources: {
      update: (one) => Promise.resolve(void written.push(one as CalicoNodeStatus)).then(() => one),
      delete: () => Promise.resolve(),
    },
    answer: (classes) => ({ full, status: calicoStatus(classes, { status: full, paths: () => [], now: '' }) }),
  });
  answers.snapshot([entryOf(question('calicoctl-ts-0-node-a1')), entryOf(question('operators'))]);
  await clock.advance(1);
  answers.close();
  expect(written.map(({ status }) => status?.bgp)).toMatchObject([
    { numberEstablishedV4: 1, peersV4: [] },
    { numberEstablishedV4: 1, peersV4: [{ peerIP: '172.30.1.12' }] },
  ]);
  expect(decodeStatus(written[0]?.metadata.annotations?.[FULL_STATUS] ?? '')).toEqual(full);
});
