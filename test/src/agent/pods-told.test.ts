/** What felix and bird are told of pods that come and go, and how soon. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { OriginatedRoute } from '../../../bird/index.ts';
import type { DataplaneInputs } from '../../../felix/index.ts';
import { affinityKey, blockKey } from '../../../src/datastore/keys.ts';
import { hostAffinity } from '../../../src/ipam/affinity.ts';
import { newBlock } from '../../../src/ipam/block.ts';
import { blockToJson } from '../../../src/ipam/block-json.ts';
import { formatIpAddress, formatPrefix, parseIpAddress, parsePrefix } from '../../../src/model/ip.ts';
import type { LearnedRoute } from '../../../src/model/route.ts';
import { workloadEndpointName } from '../../../src/resources/index.ts';
import type { AnyResource } from '../../../src/resources/index.ts';
import { fakeDataplane } from '../../support/fake-dataplane.ts';
import { fakeSpeaker } from '../../support/fake-speaker.ts';
import { resource } from '../../support/resources.ts';
import { makeTestAgent, settle } from '../../support/test-agent.ts';
import type { TestAgent } from '../../support/test-agent.ts';

const OWN = parsePrefix('10.48.0.0/26');
const POD = {
  ...{ containerId: 'c', netns: '/proc/self/ns/net', interfaceName: 'eth0', podNamespace: 'default', podName: 'web' },
};

let subject: TestAgent;
let told: DataplaneInputs[];
let originated: readonly OriginatedRoute[];
let learned: readonly LearnedRoute[];
let onRoutesChange: () => void;
let link: { readonly isReady: Promise<void>; asked: boolean };
/** What felix knew of when it was asked for the interface. */
let known: readonly string[];

beforeEach(async () => {
  [told, originated, learned, link] = [[], [], [], { isReady: Promise.resolve(), asked: false }];
  const dataplane = fakeDataplane({
    update: (inputs) => void told.push(inputs),
    addWorkloadInterface: async () => {
      link.asked = true;
      known = told.length === 0 ? [] : endpointsTold();
      await link.isReady;
      return { mac: '0a:00:00:00:00:01', mtu: 1500 };
    },
  });
  const createSpeaker = () =>
    fakeSpeaker({
      learnedRoutes: () => learned,
      setOriginated: (routes) => (originated = routes),
      onRoutesChange: (listener) => {
        onRoutesChange = listener;
        return () => undefined;
      },
    });
  subject = await makeTestAgent({ dataplane, ports: { createSpeaker } });
  await subject.put(resource('IPPool', 'p', { cidr: '10.48.0.0/16' }));
  const block = newBlock({ prefix: OWN, affinity: hostAffinity('node-a1'), claimedAtMs: 0 });
  await subject.store.create(blockKey(OWN), blockToJson(block));
  await subject.store.create(affinityKey('node-a1', OWN), { state: 'confirmed', deleted: false });
  subject.agent.start();
  await settle();
});
afterEach(() => subject.agent.close({ kind: 'restart' }));

const endpointsTold = (): readonly string[] =>
  told.at(-1)!.endpoints.flatMap(({ addresses }) => addresses.map(formatIpAddress));

async function afterMs(ms: number): Promise<void> {
  await settle();
  await subject.clock.advance(ms);
  await settle();
}

test('a pod whose ADD fails is taken back from felix, which has heard of it for a route that came meanwhile', async () => {
  // The block is in use, so that its first address is no news.
  await subject.agent.addPod({ ...POD, containerId: 'other', podName: 'other' });
  await afterMs(50);
  const ready = Promise.withResolvers<undefined>();
  link = { isReady: ready.promise, asked: false };
  const adding = subject.agent.addPod(POD).catch((error: unknown) => (error as Error).message);
  while (!link.asked) await settle();
  learned = [
    { prefix: parsePrefix('10.48.9.0/26'), nextHops: [parseIpAddress('172.30.1.12')], learnedFrom: '172.30.1.12' },
  ];
  onRoutesChange();
  await settle();
  expect(endpointsTold()).toEqual(['10.48.0.0', '10.48.0.1']);
  ready.reject(new Error('no such namespace'));
  expect(await adding).toBe('no such namespace');
  await afterMs(50);
  expect(endpointsTold()).toEqual(['10.48.0.0']);
});

test('of a pod that is added again felix hears before it has a link: the old address would lead there', async () => {
  await subject.agent.addPod(POD);
  await afterMs(50);
  expect(endpointsTold()).toEqual(['10.48.0.0']);
  await subject.agent.removePod('c');
  await subject.agent.addPod({ ...POD, containerId: 'd' });
  expect(known).toEqual(['10.48.0.1']);
  // And once more, before anything was computed.
  await subject.agent.removePod('d');
  await subject.agent.addPod({ ...POD, containerId: 'e' });
  expect(known).toEqual(['10.48.0.2']);
});

test('of another pod felix hears when there is something to tell', async () => {
  await subject.agent.addPod(POD);
  await afterMs(50);
  const before = told.length;
  await subject.agent.addPod({ ...POD, containerId: 'other', podName: 'other' });
  expect(told).toHaveLength(before);
});

/** The record of a pod of the node, written by its agent. */
const endpoint = (address: string): AnyResource => {
  const spec = {
    ...{ orchestrator: 'k8s', node: 'node-a1', pod: 'web', endpoint: 'eth0', interfaceName: 'cali1' },
    ipNetworks: [`${address}/32`],
  };
  return resource('WorkloadEndpoint', workloadEndpointName(spec), spec);
};

test('a borrowed address is told to peers at once, and taken back at once: its owner gives it to the next', async () => {
  const prefixes = (): readonly string[] => originated.map(({ prefix }) => formatPrefix(prefix));
  await subject.put(endpoint('10.48.3.1'));
  await settle();
  expect(prefixes()).toEqual(['10.48.0.0/26', '10.48.3.1/32']);
  await subject.remove(endpoint('10.48.3.1'));
  await settle();
  expect(prefixes()).toEqual(['10.48.0.0/26']);
});
