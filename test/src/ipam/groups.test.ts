/** Requests that wait at the same time: one write of a block for all of them, and an outcome of its own for each. */
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { blockKey, handleKey, IPAM_PREFIX, parseBlockKey } from '../../../src/datastore/keys.ts';
import { MemoryStore } from '../../../src/datastore/memory.ts';
import type { Store } from '../../../src/datastore/store.ts';
import { UnavailableError } from '../../../src/datastore/store.ts';
import type { Ipam } from '../../../src/ipam/index.ts';
import { createIpam, PoolsExhaustedError } from '../../../src/ipam/index.ts';
import { InvalidValueError } from '../../../src/model/invalid.ts';
import { formatPrefix, parsePrefix, prefixContainsAddress } from '../../../src/model/ip.ts';
import { failingStore } from '../../support/failing-store.ts';
import type { Fate } from '../../support/failing-store.ts';
import { hurriedClock } from '../../support/hurried-clock.ts';
import { interleavedStore } from '../../support/interleaved-store.ts';
import { assign, checkInvariants, pool } from '../../support/ipam.ts';
import { assignByTwoWrites } from '../../support/two-write-ipam.ts';

const ports = { clock: hurriedClock(() => Date.UTC(2026, 0, 1)), random: () => 0.5 };
const wide = pool('10.65.0.0/24', 26);
const narrow = pool('10.66.0.0/30', 31);
const names = (count: number): readonly string[] => Array.from({ length: count }, (_, i) => `h${i}`);

describe('requests that wait at the same time', () => {
  let data: MemoryStore;
  let labels: string[];
  let fateOf: (label: string) => Fate;
  let ipam: Ipam;

  const writes = (key: string): number => labels.filter((label) => label.includes(`update ${key}`)).length;
  const reasonOf = (outcome: PromiseSettledResult<unknown> | undefined): unknown =>
    outcome?.status === 'rejected' ? outcome.reason : undefined;

  beforeEach(() => {
    data = new MemoryStore();
    labels = [];
    fateOf = () => 'done';
    const store = failingStore(data, (label) => {
      labels.push(label);
      return fateOf(label);
    });
    ipam = createIpam(store, ports);
  });

  test('share one write of the block, have an address each, and the right counts', async () => {
    const first = await assign(ipam, 'n1', 'first', [wide]);
    const block = blockKey(first.claimed[0]!.prefix);
    labels.length = 0;
    const all = await Promise.all(names(30).map((handle) => assign(ipam, 'n1', handle, [wide])));
    expect(new Set([...first.texts, ...all.flatMap(({ texts }) => texts)]).size).toBe(31);
    expect(writes(block)).toBe(1);
    expect(await checkInvariants(data)).toBe(31);
    labels.length = 0;
    await Promise.all(names(30).map((handle) => ipam.releaseByHandle(handle)));
    expect(writes(block)).toBe(1);
    expect(await checkInvariants(data)).toBe(1);
  });

  test('take as many blocks as they need, and each is told of those that it has addresses of', async () => {
    const all = await Promise.all(names(100).map((handle) => assign(ipam, 'n1', handle, [wide])));
    expect(new Set(all.flatMap(({ texts }) => texts)).size).toBe(100);
    const blocks = new Set(all.flatMap(({ claimed }) => claimed.map(({ prefix }) => formatPrefix(prefix))));
    expect(blocks.size).toBe(2);
    for (const { claimed, addresses } of all) {
      expect(claimed).toHaveLength(1);
      expect(prefixContainsAddress(claimed[0]!.prefix, addresses[0]!)).toBe(true);
    }
    expect(await checkInvariants(data)).toBe(100);
  });

  test('are served in order where there is not enough for all, and the last ones hear why', async () => {
    const outcomes = await Promise.allSettled(names(6).map((handle) => assign(ipam, 'n1', handle, [narrow])));
    expect(outcomes.map(({ status }) => status === 'fulfilled')).toEqual([true, true, true, true, false, false]);
    expect(reasonOf(outcomes[5])).toBeInstanceOf(PoolsExhaustedError);
    expect((reasonOf(outcomes[5]) as Error).message).toMatch(/^no free address for 'h5' on n1: /);
    expect(await checkInvariants(data)).toBe(4);
  });

  test('of one handle have the same address, of two nodes and of two pools what each asks for', async () => {
    const [one, again, other, elsewhere] = await Promise.all([
      assign(ipam, 'n1', 'h', [wide]),
      assign(ipam, 'n1', 'h', [wide]),
      assign(ipam, 'n2', 'other', [wide]),
      assign(ipam, 'n1', 'elsewhere', [narrow]),
    ]);
    expect(again.texts).toEqual(one.texts);
    expect(other.claimed[0]!.prefix).not.toEqual(one.claimed[0]!.prefix);
    expect(prefixContainsAddress(narrow.cidr, elsewhere.addresses[0]!)).toBe(true);
    expect(await checkInvariants(data)).toBe(3);
  });

  test('do not suffer from one whose own record cannot be read', async () => {
    await assign(ipam, 'n1', 'first', [wide]);
    // Looked at twice: for what it holds, and when its count is to be raised.
    for (const [look, handles] of [names(6), names(12).slice(6)].entries()) {
      let looks = 0;
      fateOf = (label) => (label === `get ${handleKey(handles[3]!)}` && looks++ === look ? 'lost' : 'done');
      const outcomes = await Promise.allSettled(handles.map((handle) => assign(ipam, 'n1', handle, [wide])));
      expect(outcomes.map(({ status }) => status === 'fulfilled')).toEqual([true, true, true, false, true, true]);
      expect(reasonOf(outcomes[3])).toBeInstanceOf(UnavailableError);
    }
    expect(await checkInvariants(data)).toBe(11);
    expect((await assign(ipam, 'n1', 'h3', [wide])).texts).toHaveLength(1);
    expect(await checkInvariants(data)).toBe(12);
  });

  test('of one block are more than go into one write', async () => {
    const huge = pool('10.70.0.0/21', 22);
    // One of them has a record that cannot be read, and leaves its place in the first write empty.
    let looks = 0;
    fateOf = (label) => (label === `get ${handleKey('h7')}` && ++looks === 2 ? 'lost' : 'done');
    const all = await Promise.allSettled(names(240).map((handle) => assign(ipam, 'n1', handle, [huge])));
    const got = all.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    expect(new Set(got.flatMap(({ texts }) => texts)).size).toBe(239);
    expect(await checkInvariants(data)).toBe(239);
    expect((await data.list(`${IPAM_PREFIX}assignment/`)).entries).toHaveLength(1);
    await Promise.all(names(240).map((handle) => ipam.releaseByHandle(handle)));
    expect(await checkInvariants(data)).toBe(0);
    expect((await data.list(`${IPAM_PREFIX}handle/`)).entries).toEqual([]);
  });

  test('of handles with addresses in several blocks are released whole', async () => {
    const got = await assign(ipam, 'n1', 'h', [narrow], 3);
    expect(got.claimed).toHaveLength(2);
    await assign(ipam, 'n1', 'other', [narrow]);
    await Promise.all(['h', 'other', 'nobody', 'h'].map((handle) => ipam.releaseByHandle(handle)));
    expect(await checkInvariants(data)).toBe(0);
  });

  test('do not suffer from one whose handle names a broken block', async () => {
    await assign(ipam, 'n1', 'first', [wide]);
    await data.create(blockKey(parsePrefix('10.99.0.0/26')), { cidr: 'nonsense' });
    await data.create(handleKey('h1'), { block: { '10.99.0.0/26': 1 }, deleted: false });
    const outcomes = await Promise.allSettled(names(3).map((handle) => assign(ipam, 'n1', handle, [wide])));
    expect(outcomes.map(({ status }) => status === 'fulfilled')).toEqual([true, false, true]);
    expect(reasonOf(outcomes[1])).toBeInstanceOf(InvalidValueError);
    const releases = await Promise.allSettled(names(3).map((handle) => ipam.releaseByHandle(handle)));
    expect(releases.map(({ status }) => status === 'fulfilled')).toEqual([true, false, true]);
    expect(reasonOf(releases[1])).toBeInstanceOf(InvalidValueError);
  });

  test('all hear it when nobody knows whether the block was written, and have their addresses the next time', async () => {
    await assign(ipam, 'n1', 'first', [wide]);
    fateOf = (label) => (label.startsWith('writeAll') && label.includes('/block/') ? 'unanswered' : 'done');
    const outcomes = await Promise.allSettled(names(5).map((handle) => assign(ipam, 'n1', handle, [wide])));
    for (const outcome of outcomes) expect(reasonOf(outcome)).toBeInstanceOf(UnavailableError);
    fateOf = () => 'done';
    expect(await checkInvariants(data)).toBe(6);
    labels.length = 0;
    await Promise.all(names(5).map((handle) => assign(ipam, 'n1', handle, [wide])));
    expect(labels.filter((label) => !/^(get|list)/.test(label))).toEqual([]);
  });

  test('keep what they got before the search came to its end by a failure', async () => {
    let blocks = 0;
    fateOf = (label) =>
      label.startsWith('create') && label.includes('/assignment/') && ++blocks === 2 ? 'lost' : 'done';
    const outcomes = await Promise.allSettled(names(4).map((handle) => assign(ipam, 'n1', handle, [narrow])));
    expect(outcomes.map(({ status }) => status === 'fulfilled')).toEqual([true, true, false, false]);
    expect(reasonOf(outcomes[3])).toBeInstanceOf(UnavailableError);
    expect(await checkInvariants(data)).toBe(2);
  });

  test('hold no one up who fails for good: the next group is served', async () => {
    fateOf = () => 'lost';
    await expect(assign(ipam, 'n1', 'h', [wide])).rejects.toThrow(UnavailableError);
    await expect(ipam.releaseByHandle('h')).rejects.toThrow(UnavailableError);
    fateOf = () => 'done';
    expect((await assign(ipam, 'n1', 'h', [wide])).texts).toHaveLength(1);
  });
});

interface Job {
  readonly client: number;
  readonly count: number;
  readonly keeps: boolean;
  /** Another client releases the handle at the same time. */
  readonly isRaced: boolean;
}

/** Two clients of one node, as around a restart of its agent, and one of another. */
const NODES = ['n1', 'n1', 'n2'] as const;
const job = fc.record({
  client: fc.nat(NODES.length - 1),
  count: fc.integer({ min: 1, max: 3 }),
  keeps: fc.boolean(),
  isRaced: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
});
const jobs = fc.array(job, { minLength: 3, maxLength: 10 });
const size = fc.constantFrom(27, 29, 30);

/** All jobs at once. Gives who holds which address by what each was told; of those that were raced nothing is known. */
function runJobs(todo: readonly Job[], length: number, clients: readonly Ipam[]) {
  const pools = [pool(`10.65.0.0/${length}`, length === 27 ? 29 : 31)];
  const held = new Map<string, string>();
  const errors: unknown[] = [];
  const work = todo.map(async ({ client, count, keeps, isRaced }, i) => {
    const [ipam, handleId] = [clients[client]!, `h${i}`];
    const rival = isRaced ? clients[(client + 1) % clients.length]!.releaseByHandle(handleId) : undefined;
    const rivalEnded = Promise.allSettled([rival]);
    try {
      const { texts } = await assign(ipam, NODES[client]!, handleId, pools, count);
      if (!isRaced) {
        for (const text of texts) {
          expect(held.get(text), `${text} handed out twice`).toBeUndefined();
          held.set(text, handleId);
        }
      }
      if (!keeps) {
        // From the first write on somebody else may have it.
        for (const text of texts) if (held.get(text) === handleId) held.delete(text);
        await ipam.releaseByHandle(handleId);
      }
    } catch (error) {
      if (!(error instanceof PoolsExhaustedError)) errors.push(error);
    }
    await rivalEnded;
  });
  return { done: Promise.all(work), held, errors };
}

/** What the store says of the addresses that are told to be held. */
async function checkHeld(store: Store, held: ReadonlyMap<string, string>): Promise<void> {
  const ipam = createIpam(store, ports);
  for (const [text, handleId] of held) {
    const found = (await ipam.assignmentsOf(handleId)).map(({ address }) => formatPrefix({ address, length: 32 }));
    expect(found, `of ${handleId}`).toContain(`${text}/32`);
  }
}

test('however groups of several clients interleave, no address is handed out twice and every count is right', async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), jobs, size, async (scheduler, todo, length) => {
      const data = new MemoryStore();
      const clients = NODES.map((node, i) =>
        createIpam(
          interleavedStore(data, (label) => scheduler.schedule(Promise.resolve(), `${node} ${i} ${label}`)),
          ports,
        ),
      );
      const { done, held, errors } = runJobs(todo, length, clients);
      await scheduler.waitFor(done);
      expect(errors).toEqual([]);
      await checkHeld(data, held);
      const free = todo.every(({ isRaced }) => !isRaced);
      const addresses = await checkInvariants(data);
      if (free) expect(addresses).toBe(held.size);
    }),
    { numRuns: 300 },
  );
});

test('whichever calls fail, done or not: what was told stands, and a release of all leaves nothing', async () => {
  // A thousand more: the line stays dead, as if everybody had been killed there.
  const fates = fc.array(
    fc.record({
      at: fc.nat(150),
      fate: fc.constantFrom<Fate>('lost', 'unanswered'),
      more: fc.constantFrom(0, 1, 3, 1000),
    }),
    { minLength: 1, maxLength: 4 },
  );
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), jobs, size, fates, async (...[scheduler, todo, length, faults]) => {
      const data = new MemoryStore();
      let calls = 0;
      const fateOf = (): Fate => {
        const now = calls++;
        return faults.find(({ at, more }) => now >= at && now <= at + more)?.fate ?? 'done';
      };
      const line = failingStore(data, fateOf);
      const clients = NODES.map(() =>
        createIpam(
          interleavedStore(line, (label) => scheduler.schedule(Promise.resolve(), label)),
          ports,
        ),
      );
      const { done, held, errors } = runJobs(todo, length, clients);
      await scheduler.waitFor(done);
      for (const error of errors) expect(error).toBeInstanceOf(UnavailableError);
      await checkInvariants(data);
      await checkHeld(data, held);
      const survivor = createIpam(data, ports);
      await Promise.all(todo.map((_, i) => survivor.releaseByHandle(`h${i}`)));
      expect(await checkInvariants(data)).toBe(0);
      const left = (await data.list(`${IPAM_PREFIX}handle/`)).entries;
      expect(left).toEqual([]);
      for (const { key, value } of (await data.list(IPAM_PREFIX)).entries) {
        if (parseBlockKey(key) !== undefined) expect(value).toMatchObject({ attributes: [] });
      }
    }),
    { numRuns: 300 },
  );
});

test('a client that writes count and block one after the other, as Calico does, and one of ours do each other no harm', async () => {
  const rival = fc.record({ isReleased: fc.boolean(), isTwice: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), jobs, fc.array(rival, { minLength: 1, maxLength: 4 }), async (...given) => {
      const [scheduler, todo, rivals] = given;
      const data = new MemoryStore();
      const slow = interleavedStore(data, (label) => scheduler.schedule(Promise.resolve(), label));
      const clients = NODES.map(() => createIpam(slow, ports));
      const block = (await assign(createIpam(data, ports), 'n1', 'first', [pool('10.65.0.0/29', 29)])).claimed[0]!
        .prefix;
      const { done, held, errors } = runJobs(todo, 29, clients);
      const theirs = rivals.map(async ({ isReleased, isTwice }, i) => {
        const handleId = `theirs${i}`;
        const release = isReleased ? clients[0]!.releaseByHandle(handleId) : undefined;
        await assignByTwoWrites(slow, block, handleId);
        await release;
        if (isTwice) await clients[1]!.releaseByHandle(handleId);
      });
      await scheduler.waitFor(Promise.all([done, ...theirs]));
      expect(errors).toEqual([]);
      await checkHeld(data, held);
      await checkInvariants(data);
    }),
    { numRuns: 300 },
  );
});
