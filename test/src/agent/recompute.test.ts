/** What an agent computes anew for, and what it leaves alone: every pod of the cluster writes three entries. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { OriginatedRoute, Speaker } from '../../../bird/index.ts';
import type { DataplaneInputs } from '../../../felix/index.ts';
import { Agent } from '../../../src/agent/agent.ts';
import { loadSettings } from '../../../src/config/settings.ts';
import { affinityKey, blockKey, handleKey } from '../../../src/datastore/keys.ts';
import { MemoryStore } from '../../../src/datastore/memory.ts';
import type { Entry, Json } from '../../../src/datastore/store.ts';
import { hostAffinity } from '../../../src/ipam/affinity.ts';
import { allocate, newBlock } from '../../../src/ipam/block.ts';
import { blockToJson } from '../../../src/ipam/block-json.ts';
import { formatIpAddress, parseIpAddress, parsePrefix } from '../../../src/model/ip.ts';
import type { LearnedRoute } from '../../../src/model/route.ts';
import { endpointsPrefix } from '../../../src/resources/index.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { fakeDataplane } from '../../support/fake-dataplane.ts';
import { fakeSpeaker } from '../../support/fake-speaker.ts';
import { entryOf, resource } from '../../support/resources.ts';
import { quietPorts, settle } from '../../support/test-agent.ts';

const OWN = parsePrefix('10.48.0.0/26');
const FOREIGN = parsePrefix('10.48.0.64/26');

let store: MemoryStore;
let agent: Agent;
let updates: DataplaneInputs[];
let speaker: {
  learned: LearnedRoute[];
  changed: () => void;
  peersTold: number;
  originated: readonly OriginatedRoute[];
};

beforeEach(async () => {
  store = new MemoryStore();
  updates = [];
  const dataplane = fakeDataplane({ update: (inputs) => void updates.push(inputs) });
  speaker = { learned: [], changed: () => undefined, peersTold: 0, originated: [] };
  const createSpeaker = (): Speaker =>
    fakeSpeaker({
      learnedRoutes: () => speaker.learned,
      setPeers: () => {
        speaker.peersTold++;
      },
      setOriginated: (routes) => (speaker.originated = routes),
      onRoutesChange: (listener) => {
        speaker.changed = listener;
        return () => undefined;
      },
    });
  agent = new Agent(loadSettings({ NODENAME: 'a' }), quietPorts({ store, dataplane, createSpeaker }));
  const node = entryOf(resource('Node', 'a', { bgp: { ipv4Address: '172.30.1.11/24' } }));
  await store.create(node.key, node.value);
  await store.create(blockKey(OWN), blockOf(OWN, 'a', 'a'));
  await store.create(affinityKey('a', OWN), { state: 'confirmed', deleted: false });
  agent.start();
  await settle();
});
afterEach(() => agent.close({ kind: 'restart' }));

/** A block of `owner`, with one address that `user` has. */
function blockOf(prefix: typeof OWN, owner: string, user: string): Json {
  const block = newBlock({ prefix, affinity: hostAffinity(owner), claimedAtMs: 0 });
  return blockToJson(allocate(block, 1, { handleId: 'h', secondary: { node: user } })[0]);
}

function endpointOf(node: string): Pick<Entry, 'key' | 'value'> {
  const spec = { orchestrator: 'k8s', node, pod: 'p', endpoint: 'eth0', interfaceName: 'cali1' };
  return entryOf(resource('WorkloadEndpoint', `${endpointsPrefix({ orchestrator: 'k8s', node, pod: 'p' })}eth0`, spec));
}

const computedBy = async (change: () => Promise<unknown>): Promise<number> => {
  updates.length = 0;
  await change();
  await settle();
  return updates.length;
};

test('handles, and blocks of other nodes, are nothing to compute anew for', async () => {
  expect(await computedBy(() => store.create(handleKey('k8s-pod-network.c1'), { block: {}, deleted: false }))).toBe(0);
  expect(await computedBy(() => store.create(blockKey(FOREIGN), blockOf(FOREIGN, 'b', 'b')))).toBe(0);
});

test('what other nodes claim and connect is nothing to compute anew for, but whoever asks is told of it', async () => {
  const claim = () => store.create(affinityKey('b', FOREIGN), { state: 'confirmed', deleted: false });
  expect(await computedBy(claim)).toBe(0);
  const pod = endpointOf('b');
  expect(await computedBy(() => store.create(pod.key, pod.value))).toBe(0);
  expect(agent.knowledge().knowledge.resources.WorkloadEndpoint.size).toBe(1);
});

test('a CalicoNodeStatus is answered, and nothing to compute anew for', async () => {
  const spec = { node: 'a', classes: ['BGP'], updatePeriodSeconds: 9 };
  const { key, value } = entryOf(resource('CalicoNodeStatus', 'q', spec));
  expect(await computedBy(() => store.create(key, value))).toBe(0);
});

test('a block of its own is, since others may have borrowed from it, and so are affinities and resources', async () => {
  const { revision } = (await store.get(blockKey(OWN)))!;
  expect(await computedBy(() => store.update(blockKey(OWN), blockOf(OWN, 'a', 'b'), revision))).toBe(1);
  expect(updates[0]!.lentAddresses?.map(formatIpAddress)).toEqual(['10.48.0.0']);
  await store.create(blockKey(FOREIGN), blockOf(FOREIGN, 'a', 'b'));
  const claim = () => store.create(affinityKey('a', FOREIGN), { state: 'confirmed', deleted: false });
  expect(await computedBy(claim)).toBe(1);
  expect(updates[0]!.lentAddresses).toHaveLength(2);
  const pod = endpointOf('a');
  expect(await computedBy(() => store.create(pod.key, pod.value))).toBe(1);
  expect(updates[0]!.endpoints).toHaveLength(1);
});

test('a claim of its own is one computation, and peers are not worked out anew for it', async () => {
  const key = affinityKey('a', FOREIGN);
  const claim = async (): Promise<void> => {
    const { revision } = await store.create(key, { state: 'pending', deleted: false });
    await settle();
    await store.create(blockKey(FOREIGN), blockOf(FOREIGN, 'a', 'a'));
    await settle();
    await store.update(key, { state: 'confirmed', deleted: false }, revision);
  };
  const release = async (): Promise<void> => {
    await store.delete(blockKey(FOREIGN));
    await store.delete(key);
  };
  const told = speaker.peersTold;
  expect(await computedBy(claim)).toBe(1);
  expect(updates[0]!.localBlocks).toEqual([OWN, FOREIGN]);
  expect(speaker.originated.map(({ prefix }) => prefix)).toEqual([OWN, FOREIGN]);
  expect(await computedBy(release)).toBe(1);
  expect(updates[0]!.localBlocks).toEqual([OWN]);
  expect(speaker.peersTold).toBe(told);
});

test('changes of one turn are one computation', async () => {
  const nodes = ['b', 'c', 'd'].map((name) =>
    entryOf(resource('Node', name, { bgp: { ipv4Address: '172.30.1.12/24' } })),
  );
  const oneByOne = async (): Promise<void> => {
    for (const { key, value } of nodes) await store.create(key, value);
  };
  expect(await computedBy(oneByOne)).toBe(1);
  expect(updates[0]!.nodes).toHaveLength(3);
});

test("bird's routes are felix's to know, and nobody's peers are worked out anew for them", async () => {
  const told = speaker.peersTold;
  const learned = { prefix: FOREIGN, nextHops: [parseIpAddress('172.30.1.12')], learnedFrom: '172.30.1.12' };
  const learn = async (): Promise<void> => {
    speaker.learned = [learned];
    speaker.changed();
    await Promise.resolve();
  };
  expect(await computedBy(learn)).toBe(1);
  expect(updates[0]).toMatchObject({ learned: [learned], localBlocks: [OWN] });
  // What became another is a route of this node's.
  speaker.learned = [{ ...learned }];
  const again = async (): Promise<void> => {
    speaker.changed();
    await Promise.resolve();
  };
  expect(await computedBy(again)).toBe(0);
  expect(speaker.peersTold).toBe(told);
});

test('a speaker that takes the place of another is told all of it before felix hears of its routes', async () => {
  const told = speaker.peersTold;
  const { key, value } = entryOf(resource('BGPConfiguration', 'default', { asNumber: 64513 }));
  expect(await computedBy(() => store.create(key, value))).toBeGreaterThan(0);
  expect(speaker.peersTold).toBeGreaterThan(told);
});

test('a node that has lost its address tells felix nothing, whatever bird learns: what felix knows may be older than the view', async () => {
  await store.delete(entryOf(resource('Node', 'a', {})).key);
  await settle();
  const learn = async (): Promise<void> => {
    speaker.changed();
    await Promise.resolve();
  };
  expect(await computedBy(learn)).toBe(0);
});

test('an error that somebody met who only wanted to know ends the agent at its next computation', async () => {
  const other = new MemoryStore();
  const clock = new FakeClock();
  for (const { key, value } of [
    entryOf(resource('Node', 'a', { bgp: { ipv4Address: '172.30.1.11/24' } })),
    endpointOf('a'),
  ]) {
    await other.create(key, value);
  }
  let isBroken = false;
  const fatal: Error[] = [];
  const onRuntimeSettings = (): void => {
    if (isBroken) throw new Error('a bug');
  };
  const onFatal = (error: Error): void => void fatal.push(error);
  const ports = quietPorts({ store: other, clock, onRuntimeSettings, onFatal });
  const subject = new Agent(loadSettings({ NODENAME: 'a' }), ports);
  subject.start();
  await settle();
  isBroken = true;
  await other.delete(endpointOf('a').key);
  await settle();
  expect(() => subject.knowledge()).toThrow('a bug');
  expect(fatal).toEqual([]);
  await clock.advance(50);
  await settle();
  expect(fatal.map(({ message }) => message)).toEqual(['a bug']);
  await subject.close({ kind: 'restart' });
});
