/** An agent that followed the datastore has told bird and felix what one would that starts now. */
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { OriginatedRoute, PeerSettings, Speaker } from '../../../bird/index.ts';
import type { DataplaneInputs } from '../../../felix/index.ts';
import { Agent } from '../../../src/agent/agent.ts';
import { loadSettings } from '../../../src/config/settings.ts';
import { affinityKey, blockKey, handleKey } from '../../../src/datastore/keys.ts';
import { MemoryStore } from '../../../src/datastore/memory.ts';
import type { Change, Entry, Json } from '../../../src/datastore/store.ts';
import { CompactedError, UnavailableError } from '../../../src/datastore/store.ts';
import { hostAffinity } from '../../../src/ipam/affinity.ts';
import { blockToJson } from '../../../src/ipam/block-json.ts';
import { allocate, newBlock } from '../../../src/ipam/block.ts';
import { formatIpAddress, formatPrefix, parseIpAddress, parsePrefix } from '../../../src/model/ip.ts';
import type { Prefix } from '../../../src/model/ip.ts';
import type { LearnedRoute } from '../../../src/model/route.ts';
import { workloadEndpointName } from '../../../src/resources/index.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { fakeDataplane } from '../../support/fake-dataplane.ts';
import { fakeSpeaker } from '../../support/fake-speaker.ts';
import { entryOf, resource } from '../../support/resources.ts';
import { quietPorts, settle } from '../../support/test-agent.ts';

const BLOCKS = ['10.48.0.0/26', '10.48.0.64/26'].map((text) => parsePrefix(text));
const NODES = ['a', 'b'] as const;
const ADDRESS = '172.30.1.11/24';

interface Write {
  readonly key: string;
  /** Undefined: delete. */
  readonly value: Json | undefined;
}

const isThere = fc.boolean();
const block = fc.constantFrom(...BLOCKS);
const node = fc.constantFrom(...NODES, 'a');

const affinity = fc
  .record({ node, block, state: fc.constantFrom('pending', 'confirmed', 'pendingDeletion', undefined) })
  .map(({ node: host, block: prefix, state }): Write => {
    const value = state === undefined ? undefined : { state, deleted: false };
    return { key: affinityKey(host, prefix), value };
  });

/** A block with an address in use. */
const usedBlock = (prefix: Prefix, owner: string, user: string): Write => {
  const empty = newBlock({ prefix, affinity: hostAffinity(owner), claimedAtMs: 0 });
  const used = allocate(empty, 1, { handleId: 'h', secondary: { node: user } })[0];
  return { key: blockKey(prefix), value: blockToJson(used) };
};

/** What the node has when it all begins. */
const CLAIMED: readonly Write[] = [
  usedBlock(BLOCKS[0]!, 'a', 'a'),
  { key: affinityKey('a', BLOCKS[0]!), value: { state: 'confirmed', deleted: false } },
];

const assignment = fc.record({ owner: node, user: node, block, isThere }).map((given): Write => {
  const { key, value } = usedBlock(given.block, given.owner, given.user);
  return { key, value: given.isThere ? value : undefined };
});

const stored = (value: ReturnType<typeof resource>, isKept: boolean): Write => {
  const { key, value: json } = entryOf(value);
  return { key, value: isKept ? json : undefined };
};

/** Of a pod of a node, with an address that may be borrowed; it comes, changes, goes, and comes again under the same name. */
const endpoint = fc
  .record({
    node,
    pod: fc.constantFrom('p', 'q'),
    isThere,
    address: fc.constantFrom('10.48.0.1', '10.48.0.65', '10.50.0.1'),
  })
  .map((given): Write => {
    const named = { orchestrator: 'k8s', node: given.node, pod: given.pod, endpoint: 'eth0' };
    const spec = { ...named, interfaceName: `cali${given.pod}`, ipNetworks: [`${given.address}/32`] };
    return stored(resource('WorkloadEndpoint', workloadEndpointName(spec), spec), given.isThere);
  });

const information = (datastoreReady: boolean): Write =>
  stored(resource('ClusterInformation', 'default', { datastoreReady }), true);
const isLocked = (entries: readonly Entry[]): boolean =>
  isDeepStrictEqual(entries.find(({ key }) => key === LOCKED.key)?.value, LOCKED.value);
const LOCKED = information(false);
const OWN_NODE = stored(resource('Node', 'a', { bgp: { ipv4Address: ADDRESS } }), true);

const resources = fc.oneof(
  fc.boolean().map((isKept): Write => ({ ...OWN_NODE, value: isKept ? OWN_NODE.value : undefined })),
  fc.boolean().map(information),
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

/** Of resources few, for with each of them all is computed anew. */
const written = fc.oneof(
  { arbitrary: affinity, weight: 6 },
  { arbitrary: assignment, weight: 6 },
  { arbitrary: endpoint, weight: 6 },
  { arbitrary: resources, weight: 1 },
);

/** What happens after the writes of a moment: somebody looks, bird learns, time passes, the datastore's watch ends. */
const follows = fc.constantFrom('rest', 'nothing', 'look', 'learn', 'wait', 'lose', 'compact');
const bursts = fc.array(fc.record({ writes: fc.array(written, { minLength: 1, maxLength: 4 }), then: follows }), {
  maxLength: 6,
  size: 'max',
});

const ROUTE: LearnedRoute = {
  ...{ prefix: parsePrefix('10.48.7.0/26'), nextHops: [parseIpAddress('172.30.1.12')], learnedFrom: 'b' },
};
/** A computation that waits for others like it has been. */
const SOON_MS = 50;
/** The datastore was asked again. */
const RETRIED_MS = 30_000;

/** What is written after its watch has ended is seen later: change by change, or as what a listing has more and less. */
class BreakableStore extends MemoryStore {
  #end = new AbortController();

  override async *watch(prefix: string, revision: number, signal: AbortSignal): AsyncIterable<readonly Change[]> {
    const end = this.#end.signal;
    yield* super.watch(prefix, revision, AbortSignal.any([signal, end]));
    if (!signal.aborted) throw end.reason as Error;
  }

  breakWatch(error: Error): void {
    this.#end.abort(error);
    this.#end = new AbortController();
  }
}

interface Followed {
  readonly agent: Agent;
  readonly clock: FakeClock;
  readonly told: { inputs?: DataplaneInputs; originated?: readonly OriginatedRoute[]; peers?: readonly PeerSettings[] };
  learn(routes: readonly LearnedRoute[]): void;
}

function follow(store: MemoryStore, routes: readonly LearnedRoute[] = []): Followed {
  const told: Followed['told'] = {};
  const bird = { routes, changed: (): void => undefined };
  const createSpeaker = (): Speaker =>
    fakeSpeaker({
      setPeers: (peers) => (told.peers = peers),
      setOriginated: (originated) => (told.originated = originated),
      learnedRoutes: () => bird.routes,
      onRoutesChange: (listener) => {
        bird.changed = listener;
        return () => undefined;
      },
    });
  const dataplane = fakeDataplane({ update: (inputs) => (told.inputs = inputs) });
  const clock = new FakeClock();
  const agent = new Agent(loadSettings({ NODENAME: 'a' }), quietPorts({ store, dataplane, clock, createSpeaker }));
  agent.start();
  const learn = (learned: readonly LearnedRoute[]): void => {
    bird.routes = learned;
    bird.changed();
  };
  return { agent, clock, told, learn };
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
  endpoints: inputs?.endpoints
    .map(({ interfaceName, addresses }) => `${interfaceName} ${addresses.map(formatIpAddress).join()}`)
    .sort(),
  learned: inputs?.learned.map(({ prefix }) => formatPrefix(prefix)),
});

/** Of the agent that follows `store`; gives what bird has learned by then. */
async function play(
  changes: typeof bursts extends fc.Arbitrary<infer T> ? T : never,
  store: BreakableStore,
  followed: Followed,
) {
  let routes: readonly LearnedRoute[] = [];
  const does = {
    rest: settle,
    nothing: () => undefined,
    look: async () => {
      await settle();
      followed.agent.knowledge();
    },
    learn: async () => {
      routes = routes.length === 0 ? [ROUTE] : [];
      followed.learn(routes);
      await settle();
    },
    wait: () => followed.clock.advance(SOON_MS),
    lose: () => store.breakWatch(new UnavailableError('lost')),
    compact: () => store.breakWatch(new CompactedError('compacted')),
  };
  for (const { writes, then } of changes) {
    for (const each of writes) await write(store, each);
    await does[then]();
  }
  return routes;
}

test('whatever changes in whatever order, and whoever looks in between', async () => {
  await fc.assert(
    fc.asyncProperty(bursts, async (changes) => {
      const store = new BreakableStore();
      for (const each of [OWN_NODE, ...CLAIMED]) await write(store, each);
      const followed = follow(store);
      await settle();
      const routes = await play(changes, store, followed);
      // Without its node, or locked, it keeps what it has, and one that starts has nothing. Else nothing more is written: it would compute anew.
      if ((await store.get(OWN_NODE.key)) === undefined) await write(store, OWN_NODE);
      if (isLocked((await store.list('/calico/')).entries)) await write(store, information(true));
      await settle();
      await followed.clock.advance(RETRIED_MS);
      await settle();
      const fresh = follow(store, routes);
      await settle();
      try {
        expect(words(followed.told)).toEqual(words(fresh.told));
      } finally {
        await followed.agent.close({ kind: 'restart' });
        await fresh.agent.close({ kind: 'restart' });
      }
    }),
    { numRuns: 800 },
  );
});
