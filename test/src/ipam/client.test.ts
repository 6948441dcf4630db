import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { affinityKey, blockKey, handleKey, IPAM_CONFIG_KEY, IPAM_PREFIX } from '../../../src/datastore/keys.ts';
import { MemoryStore } from '../../../src/datastore/memory.ts';
import type { Json } from '../../../src/datastore/store.ts';
import { UnavailableError } from '../../../src/datastore/store.ts';
import type { Ipam, IpamPool } from '../../../src/ipam/index.ts';
import { BadReleaseError, createIpam, PoolsExhaustedError } from '../../../src/ipam/index.ts';
import { formatIpAddress, formatPrefix, parsePrefix, prefixContainsAddress } from '../../../src/model/ip.ts';
import { hurriedClock } from '../../support/hurried-clock.ts';
import { interleavedStore } from '../../support/interleaved-store.ts';
import { assign, checkInvariants, pool } from '../../support/ipam.ts';

let now = Date.UTC(2026, 0, 1);
const ports = { clock: hurriedClock(() => now), random: () => 0.5 };
describe.each([
  ['IPv4', pool('10.65.0.0/24', 26), pool('10.66.0.0/30', 31), '10.99.0.0/26'],
  ['IPv6', pool('fd00:65::/120', 122), pool('fd00:66::/126', 127), 'fd00:99::/122'],
])('IPAM for %s', (_family, ...[wide, narrow, elsewhere]) => {
  let store: MemoryStore;
  let ipam: Ipam;
  const otherPool = (): IpamPool => pool(elsewhere, wide.blockSize, 'elsewhere');

  beforeEach(() => {
    now = Date.UTC(2026, 0, 1);
    store = new MemoryStore();
    ipam = createIpam(store, ports);
  });

  test('the first address of a node comes with a block of its own, claimed, confirmed and counted', async () => {
    const got = await assign(ipam, 'n1', 'h1', [wide]);
    const [block] = got.claimed;
    expect(got.claimedAt).toBe(now);
    expect(prefixContainsAddress(block!.prefix, got.addresses[0]!)).toBe(true);
    expect((await store.get(affinityKey('n1', block!.prefix)))?.value).toEqual({ state: 'confirmed', deleted: false });
    expect((await store.get(handleKey('h1')))?.value).toEqual({
      block: { [formatPrefix(block!.prefix)]: 1 },
      deleted: false,
    });
    const stored = (await store.get(blockKey(block!.prefix)))!.value as { attributes: Json };
    expect(stored.attributes).toEqual([
      { handle_id: 'h1', secondary: { pod: 'h1', node: 'n1', timestamp: '2026-01-01T00:00:00.000Z' } },
    ]);
  });

  test('the second address comes from the same block, and no block is claimed for it', async () => {
    const first = await assign(ipam, 'n1', 'h1', [wide]);
    const second = await assign(ipam, 'n1', 'h2', [wide]);
    expect(second.claimedAt).toBeUndefined();
    expect(prefixContainsAddress(first.claimed[0]!.prefix, second.addresses[0]!)).toBe(true);
    expect(second.texts).not.toEqual(first.texts);
  });

  test('the same handle asked for twice gets the same address', async () => {
    const first = await assign(ipam, 'n1', 'h1', [wide]);
    expect((await assign(ipam, 'n1', 'h1', [wide])).texts).toEqual(first.texts);
    expect(await checkInvariants(store)).toBe(1);
  });

  test('a node whose block is full claims another', async () => {
    const got = await assign(ipam, 'n1', 'h1', [narrow], 2);
    expect(got.claimed).toHaveLength(1);
    const more = await assign(ipam, 'n1', 'h2', [narrow]);
    expect(more.claimed).toHaveLength(1);
    expect(await checkInvariants(store)).toBe(3);
  });

  test('two nodes have different blocks', async () => {
    const [a, b] = [await assign(ipam, 'n1', 'h1', [wide]), await assign(ipam, 'n2', 'h2', [wide])];
    expect(a.claimed[0]!.prefix).not.toEqual(b.claimed[0]!.prefix);
  });

  test("without a free block it borrows from another node's, which stays that node's", async () => {
    const [a, b] = [await assign(ipam, 'n1', 'h1', [narrow]), await assign(ipam, 'n2', 'h2', [narrow])];
    const borrowed = await assign(ipam, 'n3', 'h3', [narrow], 2);
    expect(borrowed.claimed).toEqual([]);
    expect(new Set([...a.texts, ...b.texts, ...borrowed.texts]).size).toBe(4);
    expect((await store.list(`${IPAM_PREFIX}host/n3/`)).entries).toEqual([]);
    expect(await checkInvariants(store)).toBe(4);
  });

  test('strict affinity forbids to borrow, and says so', async () => {
    await store.create(IPAM_CONFIG_KEY, { strict_affinity: true });
    await assign(ipam, 'n1', 'h1', [narrow], 3);
    const refused = assign(ipam, 'n2', 'h2', [narrow]);
    await expect(refused).rejects.toThrow(PoolsExhaustedError);
    await expect(refused).rejects.toThrow(
      `no free address for 'h2' on n2: exhausted pools 'default' (${formatPrefix(narrow.cidr)}) ` +
        '(strict affinity forbids to borrow from other nodes)',
    );
  });

  test('a node claims no more blocks than it may', async () => {
    await store.create(IPAM_CONFIG_KEY, { strict_affinity: true, maxBlocksPerHost: 1 });
    expect((await assign(ipam, 'n1', 'h1', [narrow], 3)).addresses).toHaveLength(2);
    await expect(assign(ipam, 'n1', 'h2', [narrow])).rejects.toThrow(/n1 has 1 of 1 blocks\)$/);
  });

  test('a full pool refuses with its name, and a release makes room again', async () => {
    await assign(ipam, 'n1', 'h1', [narrow], 4);
    await expect(assign(ipam, 'n2', 'h2', [narrow])).rejects.toThrow(
      /^no free address for 'h2' on n2: exhausted pools/,
    );
    await ipam.releaseByHandle('h1');
    expect((await assign(ipam, 'n2', 'h2', [narrow])).addresses).toHaveLength(1);
    expect(await checkInvariants(store)).toBe(1);
  });

  test('a release by handle frees all its addresses, may be repeated, and leaves no handle', async () => {
    await assign(ipam, 'n1', 'h1', [narrow], 3);
    await ipam.releaseByHandle('h1');
    await ipam.releaseByHandle('h1');
    expect(await store.get(handleKey('h1'))).toBeUndefined();
    expect(await checkInvariants(store)).toBe(0);
  });

  test('a late release does not free an address that was handed out anew', async () => {
    await assign(ipam, 'n1', 'h1', [narrow], 4);
    const [old] = await ipam.assignmentsOf('h1');
    await ipam.releaseByHandle('h1');
    await assign(ipam, 'n1', 'h1', [narrow], 4);
    await expect(ipam.releaseAddress({ ...old!, handleId: 'h1' })).rejects.toThrow(BadReleaseError);
    await expect(ipam.releaseAddress({ address: old!.address, handleId: 'other' })).rejects.toThrow(BadReleaseError);
    const current = (await ipam.assignmentsOf('h1')).find(({ ordinal }) => ordinal === old!.ordinal)!;
    await ipam.releaseAddress({ ...current, handleId: 'h1' });
    expect(await checkInvariants(store)).toBe(3);
  });

  test('an address rests for the cooldown before it is used again', async () => {
    await store.create(IPAM_CONFIG_KEY, { ipCooldownSeconds: 30 });
    await assign(ipam, 'n1', 'h1', [narrow], 4);
    await ipam.releaseByHandle('h1');
    await expect(assign(ipam, 'n1', 'h2', [narrow])).rejects.toThrow(PoolsExhaustedError);
    now += 30_000;
    expect((await assign(ipam, 'n1', 'h2', [narrow])).addresses).toHaveLength(1);
  });

  test('an empty block of another node is taken over after a minute', async () => {
    await assign(ipam, 'n1', 'h1', [narrow], 4);
    await ipam.releaseByHandle('h1');
    now += 60_000;
    const got = await assign(ipam, 'n2', 'h2', [narrow]);
    expect(got.claimed).toHaveLength(1);
    expect(await store.get(affinityKey('n1', got.claimed[0]!.prefix))).toBeUndefined();
    await checkInvariants(store);
  });

  test('a node that is gone leaves its blocks, those in use without an owner until they are empty', async () => {
    const kept = await assign(ipam, 'n1', 'h1', [narrow], 2);
    await assign(ipam, 'n1', 'h2', [narrow]);
    await ipam.releaseByHandle('h2');
    await ipam.releaseHost('n1');
    expect((await store.list(`${IPAM_PREFIX}host/`)).entries).toEqual([]);
    const left = await store.list(`${IPAM_PREFIX}assignment/`);
    expect(left.entries.map(({ value }) => (value as { affinity: Json }).affinity)).toEqual([null]);
    expect((await ipam.assignmentsOf('h1')).map(({ address }) => formatIpAddress(address))).toEqual(kept.texts);
    await ipam.releaseByHandle('h1');
    expect((await store.list(IPAM_PREFIX)).entries).toEqual([]);
  });

  test('a tunnel address stays the same while its pool is there, and moves when it is not', async () => {
    const request = { node: 'n1', kind: 'vxlan' } as const;
    const first = await ipam.ensureTunnelAddress({ ...request, pools: [wide] });
    expect(await ipam.ensureTunnelAddress({ ...request, pools: [otherPool(), wide] })).toEqual(first);
    const [held] = await ipam.assignmentsOf('vxlan-tunnel-addr-n1');
    expect(held!.attributes.secondary).toMatchObject({ type: 'vxlanTunnelAddress', node: 'n1' });
    const moved = await ipam.ensureTunnelAddress({ ...request, pools: [otherPool()] });
    expect(prefixContainsAddress(parsePrefix(elsewhere), moved)).toBe(true);
    // The old one is given back by whoever has told the world of the new one.
    expect(await checkInvariants(store)).toBe(2);
    await ipam.keepOnlyTunnelAddress({ ...request, address: moved });
    expect((await ipam.assignmentsOf('vxlan-tunnel-addr-n1')).map(({ address }) => address)).toEqual([moved]);
    expect(await checkInvariants(store)).toBe(1);
    await ipam.keepOnlyTunnelAddress({ ...request, address: undefined });
    expect(await checkInvariants(store)).toBe(0);
  });

  test('a tunnel address that must move stays where there is no other to be had', async () => {
    const request = { node: 'n1', kind: 'vxlan' } as const;
    const first = await ipam.ensureTunnelAddress({ ...request, pools: [wide] });
    await assign(ipam, 'n2', 'h', [narrow], 4);
    await expect(ipam.ensureTunnelAddress({ ...request, pools: [narrow] })).rejects.toThrow(PoolsExhaustedError);
    expect((await ipam.assignmentsOf('vxlan-tunnel-addr-n1')).map(({ address }) => address)).toEqual([first]);
  });

  test('wherever a claim or an assignment is killed, the next one goes on and no address is lost or doubled', async () => {
    for (let writes = 0; writes < 8; writes++) {
      const data = new MemoryStore();
      let left = writes;
      const mortal = interleavedStore(data, (label) =>
        !/^(create|update|delete)/.test(label) || left-- > 0
          ? Promise.resolve()
          : Promise.reject(new UnavailableError('killed')),
      );
      await assign(createIpam(mortal, ports), 'n1', 'h1', [narrow]).catch((error: unknown) =>
        expect(error).toBeInstanceOf(UnavailableError),
      );
      const survivor = createIpam(data, ports);
      const again = await assign(survivor, 'n1', 'h1', [narrow]);
      expect((await survivor.assignmentsOf('h1')).map(({ address }) => formatIpAddress(address))).toEqual(again.texts);
      await assign(survivor, 'n2', 'h2', [narrow], 3);
      await survivor.releaseByHandle('h1');
      expect(await checkInvariants(data)).toBe(3);
    }
  });
});

test('without a pool there is no address, and pools of two families are refused', async () => {
  const ipam = createIpam(new MemoryStore(), ports);
  await expect(assign(ipam, 'n1', 'h', [])).rejects.toThrow('there is no enabled IP pool to assign an address from');
  await expect(assign(ipam, 'n1', 'h', [pool('10.0.0.0/24', 26), pool('fd00::/120', 122)])).rejects.toThrow(
    "pools = '10.0.0.0/24, fd00::/120': are of two families",
  );
});

test('however the calls of several clients interleave, no address is handed out twice and every count is right', async () => {
  const script = fc.array(
    fc.record({ node: fc.constantFrom('n1', 'n2', 'n3'), count: fc.integer({ min: 1, max: 3 }), keeps: fc.boolean() }),
    { minLength: 2, maxLength: 6 },
  );
  const size = fc.constantFrom(29, 30);
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), script, size, async (scheduler, jobs, length) => {
      const data = new MemoryStore();
      const pools = [pool(`10.65.0.0/${length}`, 31)];
      const held = new Map<string, string>();
      const work = jobs.map(async ({ node, count, keeps }, i) => {
        const store = interleavedStore(data, (label) => scheduler.schedule(Promise.resolve(), `${node} ${label}`));
        const ipam = createIpam(store, ports);
        const handleId = `h${i}`;
        const got = await assign(ipam, node, handleId, pools, count).catch((error: unknown) => {
          if (!(error instanceof PoolsExhaustedError)) throw error;
          return { texts: [] };
        });
        for (const text of got.texts) {
          expect(held.get(text), `${text} handed out twice`).toBeUndefined();
          held.set(text, handleId);
        }
        if (keeps) return;
        for (const text of got.texts) held.delete(text);
        await ipam.releaseByHandle(handleId);
      });
      const done = Promise.all(work);
      await scheduler.waitFor(done);
      expect(await checkInvariants(data)).toBe(held.size);
    }),
    { numRuns: 150 },
  );
});
