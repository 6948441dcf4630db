/** An agent that followed the datastore has told bird and felix what one would that starts now. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { OriginatedRoute, PeerSettings, Speaker } from '../../../bird/index.ts';
import type { DataplaneInputs } from '../../../felix/index.ts';
import { Agent } from '../../../src/agent/agent.ts';
import { loadSettings } from '../../../src/config/settings.ts';
import { affinityKey, blockKey, handleKey } from '../../../src/datastore/keys.ts';
import { MemoryStore } from '../../../src/datastore/memory.ts';
import type { Json } from '../../../src/datastore/store.ts';
import { hostAffinity } from '../../../src/ipam/affinity.ts';
import { blockToJson } from '../../../src/ipam/block-json.ts';
import { allocate, newBlock } from '../../../src/ipam/block.ts';
import { formatIpAddress, formatPrefix, parsePrefix } from '../../../src/model/ip.ts';
import { fakeDataplane } from '../../support/fake-dataplane.ts';
import { fakeSpeaker } from '../../support/fake-speaker.ts';
import { entryOf, resource } from '../../support/resources.ts';
import { quietPorts, settle } from '../../support/test-agent.ts';

const BLOCKS = ['10.48.0.0/26', '10.48.0.64/26', '10.48.1.0/26'].map((text) => parsePrefix(text));
const NODES = ['a', 'b'] as const;
const ADDRESS = '172.30.1.11/24';

interface Write {
  readonly key: string;
  /** Undefined: delete. */
  readonly value: Json | undefined;
}

const isThere = fc.boolean();
const block = fc.constantFrom(...BLOCKS);
const node = fc.constantFrom(...NODES);

const affinity = fc
  .record({ node, block, state: fc.constantFrom('pending', 'confirmed', 'pendingDeletion', undefined) })
  .map(({ node: host, block: prefix, state }): Write => {
    const value = state === undefined ? undefined : { state, deleted: false };
    return { key: affinityKey(host, prefix), value };
  });

const assignment = fc.record({ owner: node, user: node, block, isThere }).map((given): Write => {
  const empty = newBlock({ prefix: given.block, affinity: hostAffinity(given.owner), claimedAtMs: 0 });
  const used = allocate(empty, 1, { handleId: 'h', secondary: { node: given.user } })[0];
  return { key: blockKey(given.block), value: given.isThere ? blockToJson(used) : undefined };
});

const stored = (value: ReturnType<typeof resource>, isKept: boolean): Write => {
  const { key, value: json } = entryOf(value);
  return { key, value: isKept ? json : undefined };
};

const resources = fc.oneof(
  fc
    .boolean()
    .map((isNew) => stored(resource('Node', 'a', { bgp: { ipv4Address: isNew ? '172.30.1.13/24' : ADDRESS } }), true)),
  fc.boolean().map((isKept) => stored(resource('Node', 'b', { bgp: { ipv4Address: '172.30.1.12/24' } }), isKept)),
  fc
    .record({ disableBGPExport: fc.boolean(), isThere })
    .map((given) =>
      stored(
        resource('IPPool', 'pods', { cidr: '10.48.0.0/16', disableBGPExport: given.disableBGPExport }),
        given.isThere,
      ),
    ),
  fc
    .constantFrom(true, false)
    .map((isKept): Write => ({ key: handleKey('h'), value: isKept ? { block: {} } : undefined })),
);

/** Writes of one moment; then the agent comes to rest. */
const bursts = fc.array(fc.array(fc.oneof(affinity, affinity, assignment, resources), { minLength: 1, maxLength: 4 }), {
  maxLength: 8,
});

interface Followed {
  readonly agent: Agent;
  readonly told: { inputs?: DataplaneInputs; originated?: readonly OriginatedRoute[]; peers?: readonly PeerSettings[] };
}

function follow(store: MemoryStore): Followed {
  const told: Followed['told'] = {};
  const createSpeaker = (): Speaker =>
    fakeSpeaker({
      setPeers: (peers) => (told.peers = peers),
      setOriginated: (originated) => (told.originated = originated),
    });
  const dataplane = fakeDataplane({ update: (inputs) => (told.inputs = inputs) });
  const agent = new Agent(loadSettings({ NODENAME: 'a' }), quietPorts({ store, dataplane, createSpeaker }));
  agent.start();
  return { agent, told };
}

async function write(store: MemoryStore, { key, value }: Write): Promise<void> {
  const before = await store.get(key);
  if (value === undefined) {
    if (before !== undefined) await store.delete(key);
  } else if (before === undefined) await store.create(key, value);
  else await store.update(key, value, before.revision);
}

/** In no order, for a listing has another one than changes. */
const words = ({ inputs, originated = [], peers = [] }: Followed['told']) => ({
  originated: originated.map(({ prefix, reason }) => `${formatPrefix(prefix)} ${reason}`).sort(),
  peers: peers.map(({ address }) => formatIpAddress(address)).sort(),
  blocks: inputs?.localBlocks.map(formatPrefix).sort(),
  lent: inputs?.lentAddresses?.map(formatIpAddress).sort(),
  nodes: inputs?.nodes.map(({ name }) => name).sort(),
  pools: inputs?.pools,
});

test('whatever changes in whatever order', async () => {
  await fc.assert(
    fc.asyncProperty(bursts, async (changes) => {
      const store = new MemoryStore();
      const { key, value } = entryOf(resource('Node', 'a', { bgp: { ipv4Address: ADDRESS } }));
      await store.create(key, value);
      const followed = follow(store);
      await settle();
      for (const burst of changes) {
        for (const each of burst) await write(store, each);
        await settle();
      }
      const fresh = follow(store);
      await settle();
      try {
        expect(words(followed.told)).toEqual(words(fresh.told));
      } finally {
        await followed.agent.close({ kind: 'restart' });
        await fresh.agent.close({ kind: 'restart' });
      }
    }),
    { numRuns: 150 },
  );
});
