import { beforeEach, describe, expect, test } from 'vitest';
import { affinityKey, blockKey, handleKey, IPAM_CONFIG_KEY, resourceKey } from '../../../src/datastore/keys.ts';
import { MemoryStore } from '../../../src/datastore/memory.ts';
import type { Ipam, IpamPool } from '../../../src/ipam/index.ts';
import { AddressRefusedError, createIpam } from '../../../src/ipam/index.ts';
import { formatIpAddress, parseIpAddress, parsePrefix } from '../../../src/model/ip.ts';
import { hurriedClock } from '../../support/hurried-clock.ts';
import { assign, checkInvariants, pool } from '../../support/ipam.ts';

let store: MemoryStore;
let ipam: Ipam;
let now: number;

beforeEach(() => {
  now = Date.UTC(2026, 0, 1);
  store = new MemoryStore();
  ipam = createIpam(store, { clock: hurriedClock(() => now), random: () => 0 });
});

describe.each([
  ['10.65.0.0/28', 30, '10.65.0.6', '10.65.0.4/30'],
  ['fd00::/124', 126, 'fd00::6', 'fd00::4/126'],
])('an address of %s that is asked for', (cidr, ...[blockSize, text, block]) => {
  const pools = [pool(cidr, blockSize)];
  const ask = (
    node: string,
    handleId: string,
    ...[address = text, from = pools]: readonly [string?, (readonly IpamPool[])?]
  ) =>
    ipam.assignAddress({
      address: parseIpAddress(address),
      node,
      handleId,
      attributes: { pod: handleId, namespace: 'default' },
      pools: from,
    });

  test('comes out of a block that is claimed for it, and twice for the same handle', async () => {
    const got = await ask('n1', 'h1');
    expect(got.addresses.map(formatIpAddress)).toEqual([text]);
    expect(got.claimed).toEqual([{ prefix: parsePrefix(block), claimedAt: now }]);
    expect(await store.get(affinityKey('n1', parsePrefix(block)))).toMatchObject({ value: { state: 'confirmed' } });
    expect(await ask('n1', 'h1')).toEqual({ addresses: got.addresses, claimed: [] });
    expect((await assign(ipam, 'n1', 'h2', pools, 3)).texts).not.toContain(text);
    expect(await checkInvariants(store)).toBe(4);
  });

  test('is borrowed where the block is of another, which keeps it', async () => {
    await ask('n2', 'h2', block.split('/')[0]);
    await ask('n1', 'h1');
    expect((await store.get(blockKey(parsePrefix(block))))!.value).toMatchObject({ affinity: 'host:n2' });
    expect(await checkInvariants(store)).toBe(2);
  });

  test('is refused where strict affinity forbids to borrow it', async () => {
    await store.create(IPAM_CONFIG_KEY, { strict_affinity: true });
    await ask('n2', 'h2', block.split('/')[0]);
    await expect(ask('n1', 'h1')).rejects.toThrow(
      new AddressRefusedError(
        `address ${text} is refused: its block ${block} is of host:n2, and strict affinity forbids n1 to borrow`,
      ),
    );
    expect(await checkInvariants(store)).toBe(1);
  });

  test('is refused where it is taken, with the name of the holder', async () => {
    await ask('n2', 'h2');
    await expect(ask('n1', 'h1')).rejects.toThrow(
      `address ${text} is taken: handle 'h2' has held it since 2026-01-01T00:00:00.000Z, for pod default/h2 on n2`,
    );
    expect(await store.get(handleKey('h1'))).toBeUndefined();
  });

  test('is given although it is reserved, and beyond the number of blocks of a host', async () => {
    await store.create(IPAM_CONFIG_KEY, { strict_affinity: true, maxBlocksPerHost: 1 });
    await store.create(resourceKey({ plural: 'ipreservations', name: 'r' }), { spec: { reservedCIDRs: [cidr] } });
    await ask('n1', 'h1');
    await ask('n1', 'h2', cidr.split('/')[0]);
    expect(await checkInvariants(store)).toBe(2);
  });

  test('is refused while it rests', async () => {
    await store.create(IPAM_CONFIG_KEY, { ipCooldownSeconds: 60 });
    await ask('n1', 'h1');
    await ipam.releaseByHandle('h1');
    now += 59_000;
    await expect(ask('n1', 'h2')).rejects.toThrow(
      `address ${text} rests until 2026-01-01T00:01:00.000Z (ipCooldownSeconds 60)`,
    );
    now += 1_000;
    expect((await ask('n1', 'h2')).addresses).toHaveLength(1);
  });

  test('is refused outside the pools, and in a block of another size', async () => {
    await expect(ask('n1', 'h1', text, [])).rejects.toThrow(
      `address = '${text}': lies in none of the IP pools (there is none)`,
    );
    await ask('n1', 'h1', text, [pool(cidr, blockSize - 1)]);
    await expect(ask('n1', 'h2', block.split('/')[0])).rejects.toThrow('is there, of another size');
  });
});

describe.each([
  ...Array.from({ length: 13 }, (_, i) => ['10.64.0.0/16', 20 + i, '10.64.255.255'] as const),
  ...Array.from({ length: 13 }, (_, i) => ['fd00:10::/112', 116 + i, 'fd00:10::ffff'] as const),
])('a pool %s with blocks of /%i', (cidr, ...[blockSize, last]) => {
  test('gives its last address when asked, others by itself, and takes all back', async () => {
    const pools = [pool(cidr, blockSize)];
    const address = parseIpAddress(last);
    await ipam.assignAddress({ address, node: 'n1', handleId: 'last', attributes: {}, pools });
    const got = await assign(ipam, 'n1', 'some', pools, 3);
    expect(new Set([...got.texts, last]).size).toBe(4);
    expect(await checkInvariants(store)).toBe(4);
    await ipam.releaseAddress({ address, handleId: 'last' });
    await ipam.releaseByHandle('some');
    expect(await checkInvariants(store)).toBe(0);
  });
});

describe('how many blocks a host claims', () => {
  const wide = [pool('10.65.0.0/24', 32)];

  test('is twenty where nobody says otherwise; the next address is borrowed', async () => {
    expect((await assign(ipam, 'n1', 'h1', wide, 25)).texts).toHaveLength(20);
    await expect(assign(ipam, 'n1', 'h2', wide)).rejects.toThrow('n1 has 20 of 20 blocks');
  });

  test('is none where blocks are not claimed by themselves', async () => {
    await store.create(IPAM_CONFIG_KEY, { strict_affinity: true, auto_allocate_blocks: false });
    await expect(assign(ipam, 'n1', 'h1', wide)).rejects.toThrow(
      'strict affinity forbids to borrow from other nodes; new blocks may not be claimed',
    );
  });
});
