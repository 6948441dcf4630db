import { beforeEach, describe, expect, test } from 'vitest';
import { AFFINITIES_PREFIX, blockKey, handleKey, IPAM_PREFIX } from '../../../src/datastore/keys.ts';
import { MemoryStore } from '../../../src/datastore/memory.ts';
import { blockFromJson, blockToJson } from '../../../src/ipam/block-json.ts';
import { newBlock } from '../../../src/ipam/block.ts';
import type { Ipam } from '../../../src/ipam/index.ts';
import { BadReleaseError, createIpam } from '../../../src/ipam/index.ts';
import { parseIpAddress, parsePrefix } from '../../../src/model/ip.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { assign, checkInvariants, pool } from '../../support/ipam.ts';

let store: MemoryStore;
let ipam: Ipam;
const pools = [pool('10.65.0.0/29', 30)];
const block = parsePrefix('10.65.0.0/30');

beforeEach(() => {
  store = new MemoryStore();
  ipam = createIpam(store, { clock: systemClock, random: () => 0 });
});

test('who holds an address is found without the handle', async () => {
  const { addresses } = await assign(ipam, 'n1', 'h1', pools);
  expect(await ipam.holderOf(addresses[0]!)).toMatchObject({ attributes: { handleId: 'h1' }, ordinal: 0 });
  expect(await ipam.holderOf(parseIpAddress('10.65.0.7'))).toBeUndefined();
});

test('an address without a handle is freed, and one with a handle is not taken for such', async () => {
  const made = newBlock({ prefix: block, affinity: 'host:n1', claimedAtMs: 0 });
  const old = {
    ...made,
    allocations: [0, null, null, null],
    unallocated: [1, 2, 3],
    attributes: [{ handleId: null, secondary: {} }],
  };
  await store.create(blockKey(block), blockToJson(old));
  const address = parseIpAddress('10.65.0.0');
  await expect(ipam.releaseAddress({ address, handleId: 'h1' })).rejects.toThrow(BadReleaseError);
  await ipam.releaseAddress({ address, handleId: null });
  await expect(ipam.releaseAddress({ address, handleId: null })).rejects.toThrow(
    'address 10.65.0.0 is not assigned without a handle',
  );
});

test('an address whose handle has no record is freed all the same', async () => {
  const { addresses } = await assign(ipam, 'n1', 'h1', pools);
  await store.delete(handleKey('h1'));
  await ipam.releaseAddress({ address: addresses[0]!, handleId: 'h1' });
  expect(await checkInvariants(store)).toBe(0);
});

test('a block of nobody goes with its last address', async () => {
  const { addresses } = await assign(ipam, 'n1', 'h1', pools, 2);
  await ipam.releaseHost('n1');
  await ipam.releaseAddress({ address: addresses[0]!, handleId: 'h1' });
  expect((await store.list(IPAM_PREFIX)).entries).toHaveLength(2);
  await ipam.releaseAddress({ address: addresses[1]!, handleId: 'h1' });
  expect((await store.list(IPAM_PREFIX)).entries).toEqual([]);
});

test('a node that is gone leaves neither tunnel addresses nor claims nor its mark', async () => {
  await store.create(`${AFFINITIES_PREFIX}n1`, {});
  for (const kind of ['ipip', 'vxlan'] as const) await ipam.ensureTunnelAddress({ node: 'n1', kind, pools });
  await assign(ipam, 'n1', 'wireguard-tunnel-addr-n1', pools);
  await ipam.ensureTunnelAddress({ node: 'n10', kind: 'ipip', pools });
  await ipam.releaseHost('n1');
  const { entries } = await store.list(`${AFFINITIES_PREFIX}n1`);
  expect(entries.filter(({ key }) => !key.startsWith(`${AFFINITIES_PREFIX}n10/`))).toEqual([]);
  expect(await checkInvariants(store)).toBe(1);
});

describe('an affinity', () => {
  test('is kept where the block must be empty and is not', async () => {
    const { claimed } = await assign(ipam, 'n1', 'h1', pools);
    const { prefix } = claimed[0]!;
    expect(await ipam.releaseAffinity('n1', prefix, { mustBeEmpty: true })).toBe('in-use');
    expect((await store.get(blockKey(prefix)))!.value).toMatchObject({ affinity: 'host:n1' });
    expect(await ipam.releaseAffinity('n1', prefix, { mustBeEmpty: false })).toBe('released');
    expect((await store.get(blockKey(prefix)))!.value).toMatchObject({ affinity: null });
    await ipam.releaseByHandle('h1');
    expect((await store.list(IPAM_PREFIX)).entries).toEqual([]);
  });
});

test("what Calico keeps for a virtual machine's move is kept, and a place that is in the queue twice is refused", () => {
  const made = newBlock({ prefix: block, affinity: 'host:n1', claimedAtMs: 0 });
  const json = blockToJson({
    ...made,
    allocations: [0, null, null, null],
    unallocated: [1, 2, 3],
    attributes: [{ handleId: 'vm', secondary: { node: 'n1' }, alternate: { node: 'n2' } }],
  });
  expect(json).toMatchObject({ attributes: [{ alternateOwnerAttrs: { node: 'n2' } }] });
  expect(blockToJson(blockFromJson(json, 'k'))).toEqual(json);
  expect(() => blockFromJson({ ...(json as object), unallocated: [1, 2, 1] }, 'k')).toThrow(
    "k unallocated = '[1,2,1]': has a place twice",
  );
});
