/** Blocks of pools that a node may not use any more: empty ones go, and never one that somebody is about to use. */
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { affinityKey, blockKey, IPAM_CONFIG_KEY } from '../../../src/datastore/keys.ts';
import { MemoryStore } from '../../../src/datastore/memory.ts';
import { UnavailableError } from '../../../src/datastore/store.ts';
import type { Ipam } from '../../../src/ipam/index.ts';
import { createIpam, PoolsExhaustedError } from '../../../src/ipam/index.ts';
import type { Prefix } from '../../../src/model/ip.ts';
import { formatIpAddress, formatPrefix, prefixContains } from '../../../src/model/ip.ts';
import { failingStore } from '../../support/failing-store.ts';
import { hurriedClock } from '../../support/hurried-clock.ts';
import { interleavedStore } from '../../support/interleaved-store.ts';
import { assign, checkClaims, checkInvariants, pool } from '../../support/ipam.ts';

let now = Date.UTC(2026, 0, 1);
const ports = { clock: hurriedClock(() => now), random: () => 0.5 };
const old = pool('10.65.0.0/29', 31, 'old');
const current = pool('10.66.0.0/29', 31, 'current');
const isWanted = (block: Prefix): boolean => prefixContains(current.cidr, block);
const nothing = (): boolean => false;

describe('blocks that are not wanted any more', () => {
  let store: MemoryStore;
  let ipam: Ipam;

  beforeEach(() => {
    now = Date.UTC(2026, 0, 1);
    store = new MemoryStore();
    ipam = createIpam(store, ports);
  });

  const giveUp = async (wanted = isWanted): Promise<readonly string[]> =>
    (await ipam.giveUpBlocks({ node: 'n1', isWanted: wanted })).map(formatPrefix);

  test('go with their claim when they are empty, and only then', async () => {
    const first = await assign(ipam, 'n1', 'h1', [old], 2);
    const second = await assign(ipam, 'n1', 'h2', [old]);
    await assign(ipam, 'n1', 'h3', [current]);
    await ipam.releaseByHandle('h3');
    expect(await giveUp()).toEqual([]);
    await ipam.releaseByHandle('h1');
    const { prefix } = first.claimed[0]!;
    expect(await giveUp()).toEqual([formatPrefix(prefix)]);
    expect(await store.get(blockKey(prefix))).toBeUndefined();
    expect(await store.get(affinityKey('n1', prefix))).toBeUndefined();
    expect((await ipam.assignmentsOf('h2')).map(({ address }) => formatIpAddress(address))).toEqual(second.texts);
    expect(await checkInvariants(store)).toBe(1);
    await checkClaims(store);
    expect(await giveUp(nothing)).toHaveLength(1);
  });

  test("of another node, or lent to one, are not this node's to give up", async () => {
    await assign(ipam, 'n2', 'h2', [old]);
    await ipam.releaseByHandle('h2');
    const full = pool('10.67.0.0/31', 31, 'full');
    await assign(ipam, 'n1', 'h1', [full]);
    await assign(ipam, 'n3', 'h3', [full]);
    await ipam.releaseByHandle('h1');
    expect(await giveUp(nothing)).toEqual([]);
    expect((await ipam.assignmentsOf('h3')).length).toBe(1);
    await checkClaims(store);
  });

  test('in use, whose end another client had begun, have their claim confirmed again', async () => {
    const { prefix } = (await assign(ipam, 'n1', 'h1', [old])).claimed[0]!;
    const key = affinityKey('n1', prefix);
    await store.update(key, { state: 'pendingDeletion', deleted: false }, (await store.get(key))!.revision);
    expect(await giveUp()).toEqual([]);
    await checkClaims(store);
  });

  test('stay as long as an address of theirs rests', async () => {
    await store.create(IPAM_CONFIG_KEY, { ipCooldownSeconds: 30 });
    await assign(ipam, 'n1', 'h1', [old]);
    await ipam.releaseByHandle('h1');
    expect(await giveUp()).toEqual([]);
    now += 30_000;
    expect(await giveUp()).toHaveLength(1);
  });

  test('wherever it is killed, the next one ends it', async () => {
    for (let writes = 0; writes < 4; writes++) {
      const data = new MemoryStore();
      const whole = createIpam(data, ports);
      await assign(whole, 'n1', 'h1', [old]);
      await whole.releaseByHandle('h1');
      let left = writes;
      const mortal = failingStore(data, (label) => (/^(get|list)/.test(label) || left-- > 0 ? 'done' : 'lost'));
      await createIpam(mortal, ports)
        .giveUpBlocks({ node: 'n1', isWanted })
        .catch((error: unknown) => expect(error).toBeInstanceOf(UnavailableError));
      await whole.giveUpBlocks({ node: 'n1', isWanted });
      expect((await data.list('/calico/ipam/v2/assignment/')).entries).toEqual([]);
      expect((await data.list('/calico/ipam/v2/host/')).entries).toEqual([]);
      expect((await assign(whole, 'n1', 'h2', [old])).texts).toHaveLength(1);
      await checkClaims(data);
    }
  });
});

/** Two clients of one node, as Calico's plugin beside our agent, and one of another that takes empty blocks over. */
const NODES = ['n1', 'n1', 'n2'] as const;
const job = fc.record({
  client: fc.nat(NODES.length - 1),
  does: fc.constantFrom('assign', 'assign', 'give up'),
  count: fc.integer({ min: 1, max: 3 }),
  keeps: fc.boolean(),
});

test('however giving up, taking over and assigning interleave, no address is lost, and every claim is confirmed in the end', async () => {
  now = Date.UTC(2026, 0, 1);
  const small = pool('10.65.0.0/30', 31, 'old');
  const script = fc.array(job, { minLength: 2, maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), script, async (scheduler, jobs) => {
      const data = new MemoryStore();
      const first = createIpam(data, ports);
      // Empty, and of n1 for longer than the minute that others leave alone.
      await assign(first, 'n1', 'first', [small], 4);
      await first.releaseByHandle('first');
      now += 60_000;
      const clients = NODES.map((node, i) =>
        createIpam(
          interleavedStore(data, (label) => scheduler.schedule(Promise.resolve(), `${node} ${i} ${label}`)),
          ports,
        ),
      );
      const held = new Map<string, string>();
      const work = jobs.map(async ({ client, does, count, keeps }, i) => {
        const [ipam, node, handleId] = [clients[client]!, NODES[client]!, `h${i}`];
        if (does === 'give up') {
          await ipam.giveUpBlocks({ node, isWanted: nothing });
          return;
        }
        const { texts } = await assign(ipam, node, handleId, [small], count).catch((error: unknown) => {
          if (!(error instanceof PoolsExhaustedError)) throw error;
          return { texts: [] };
        });
        for (const text of texts) {
          expect(held.get(text), `${text} handed out twice`).toBeUndefined();
          held.set(text, handleId);
        }
        if (keeps) return;
        for (const text of texts) held.delete(text);
        await ipam.releaseByHandle(handleId);
      });
      await scheduler.waitFor(Promise.all(work));
      expect(await checkInvariants(data)).toBe(held.size);
      for (const [text, handleId] of held) {
        expect((await first.assignmentsOf(handleId)).map(({ address }) => formatIpAddress(address))).toContain(text);
      }
      await checkClaims(data);
    }),
    { numRuns: 300 },
  );
});
