import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hasRoom } from '../../../src/agent/cni.ts';
import { blocksUse, localBlocks } from '../../../src/agent/cluster-view.ts';
import { keptBy } from '../../../src/agent/kept-entries.ts';
import { leaksOf } from '../../../src/agent/leaks.ts';
import { affinityKey, blockKey, handleKey } from '../../../src/datastore/keys.ts';
import { MemoryStore } from '../../../src/datastore/memory.ts';
import type { Entry, Json, Store } from '../../../src/datastore/store.ts';
import { createIpam } from '../../../src/ipam/index.ts';
import { poolUsage } from '../../../src/metrics/pool-usage.ts';
import { parseIpAddress, parsePrefix } from '../../../src/model/ip.ts';
import { emptyResources } from '../../../src/resources/index.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { pool } from '../../support/ipam.ts';
import { entryOf, resource } from '../../support/resources.ts';

const NODES = ['a', 'b', 'c'];
const PREFIX = parsePrefix('10.9.0.0/30');
const POOL = pool('10.9.0.0/29', 30);

const entry = (key: string, value: Json): Entry => ({ key, value, revision: 7 });
const block = (affinity: string | null, node: string): Entry =>
  entry(blockKey(PREFIX), {
    ...{ cidr: '10.9.0.0/30', affinity, allocations: [0, null, null, null], unallocated: [1, 2, 3] },
    attributes: [{ handle_id: 'h', secondary: { node } }],
  });

test('of a block that is another node’s stays how many addresses it has free', () => {
  expect(keptBy('a')(block('host:b', 'b'))).toEqual({ key: blockKey(PREFIX), value: 3, revision: 7 });
});

test.each([
  ['this node’s own block', block('host:a', 'b')],
  ['another’s, with an address of this node', block('host:b', 'a')],
  ['nobody’s', block(null, 'b')],
  ['one of no host', block('virtual:load-balancer', 'b')],
  ['this node’s affinity', entry(affinityKey('a', PREFIX), { state: 'confirmed' })],
  ['a resource', entryOf(resource('Node', 'b', { bgp: { ipv4Address: '10.0.0.2/24' } }))],
])('%s is kept as it is', (_, given) => {
  expect(keptBy('a')(given)).toBe(given);
});

test.each([
  ['another node’s affinity', entry(affinityKey('b', PREFIX), { state: 'confirmed' })],
  ['a handle', entry(handleKey('h'), { block: { '10.9.0.0/30': 1 } })],
])('%s is not kept', (_, given) => {
  expect(keptBy('a')(given)).toBeUndefined();
});

/** What an agent's node and a hand do to the addresses of a small pool, until it is full and beyond. */
const step = fc.record({
  // Mostly addresses are taken, for only a pool that is full tells how many are free.
  does: fc.constantFrom('assign', 'assign', 'assign', 'assign', 'assignAt', 'release', 'giveUp', 'spoil'),
  node: fc.constantFrom(...NODES),
  at: fc.nat(7),
});

async function play(store: Store, steps: Iterable<typeof step extends fc.Arbitrary<infer T> ? T : never>) {
  const ipam = createIpam(store, { clock: new FakeClock(), random: () => 0 });
  for (const { does, node, at } of steps) {
    const common = { node, handleId: `k8s-pod-network.${at}`, attributes: { namespace: 'n', pod: `p${at}` } };
    const address = parseIpAddress(`10.9.0.${at}`);
    const prefix = parsePrefix(`10.9.0.${at & ~3}/30`);
    const spoilt = await store.get(blockKey(prefix));
    const work = {
      assign: () => ipam.autoAssign({ ...common, count: 1, pools: [POOL] }),
      assignAt: () => ipam.assignAddress({ ...common, address, pools: [POOL] }),
      release: () => ipam.releaseByHandle(common.handleId),
      giveUp: () => ipam.releaseAffinity(node, prefix, { mustBeEmpty: false }),
      spoil: () =>
        at === 0 && spoilt !== undefined ? store.update(spoilt.key, { affinity: null }, spoilt.revision) : undefined,
    };
    // What IPAM refuses is no matter of this test.
    await Promise.resolve(work[does]()).catch(() => undefined);
  }
}

async function computed(entries: ReadonlyMap<string, Entry>, node: string) {
  const blocks = localBlocks(entries.values(), node);
  const resources = emptyResources();
  return {
    blocks,
    ...blocksUse(entries, { node, blocks }),
    leaks: await leaksOf(entries, { node, resources, blocks }),
    hasRoom: hasRoom(POOL, entries, blocks),
    usage: poolUsage({ entries, blocks, pools: resources.IPPool }),
  };
}

test('an agent computes the same of what it keeps as of the whole, and keeping it again changes nothing', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), async (steps) => {
      const store = new MemoryStore();
      await play(store, steps);
      const { entries } = await store.list('/calico/');
      for (const node of [...NODES, 'd']) {
        const keep = keptBy(node);
        const kept = entries.flatMap((one) => keep(one) ?? []);
        expect(kept.map(keep)).toEqual(kept);
        const [whole, less] = [entries, kept].map((each) => new Map(each.map((one) => [one.key, one])));
        expect(await computed(less!, node)).toEqual(await computed(whole!, node));
      }
    }),
    { numRuns: 60 },
  );
});
