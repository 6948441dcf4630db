import { expect } from 'vitest';
import { IPAM_PREFIX, parseAffinityKey, parseBlockKey, parseHandleKey } from '../../src/datastore/keys.ts';
import type { Store } from '../../src/datastore/store.ts';
import { affinityFromJson } from '../../src/ipam/affinity.ts';
import { blockFromJson } from '../../src/ipam/block-json.ts';
import { handleFromJson } from '../../src/ipam/handle.ts';
import type { Ipam, IpamPool } from '../../src/ipam/index.ts';
import { formatIpAddress, formatPrefix, parsePrefix } from '../../src/model/ip.ts';

export const pool = (cidr: string, blockSize: number, name = 'default'): IpamPool => ({
  name,
  cidr: parsePrefix(cidr),
  blockSize,
});
/** Asks for `count` addresses, 1 where none is given; `texts` are what it got, as text. */
export const assign = async (ipam: Ipam, node: string, ...rest: readonly [string, readonly IpamPool[], number?]) => {
  const [handleId, pools, count = 1] = rest;
  const got = await ipam.autoAssign({ node, count, handleId, attributes: { pod: handleId }, pools });
  return { ...got, texts: got.addresses.map(formatIpAddress) };
};

/** What facts of Calico's IPAM must hold whenever nobody is at work. Returns how many addresses are allocated. */
export async function checkInvariants(store: Store): Promise<number> {
  const { entries } = await store.list(IPAM_PREFIX);
  const allocated = new Map<string, number>();
  const counted = new Map<string, number>();
  const owners = new Map<string, string>();
  let addresses = 0;
  for (const { key, value } of entries) {
    const handle = parseHandleKey(key);
    if (handle !== undefined) {
      for (const [cidr, count] of handleFromJson(value)) counted.set(`${handle} ${cidr}`, count);
    }
    const affinity = parseAffinityKey(key);
    if (affinity !== undefined && affinityFromJson(value) === 'confirmed') {
      const cidr = formatPrefix(affinity.prefix);
      expect(owners.get(cidr), `two confirmed affinities for ${cidr}`).toBeUndefined();
      owners.set(cidr, affinity.host);
    }
    if (parseBlockKey(key) === undefined) continue;
    const block = blockFromJson(value, key);
    for (const [ordinal, index] of block.allocations.entries()) {
      expect(block.unallocated.includes(ordinal), `${key} ordinal ${ordinal}`).toBe(index === null);
      if (index === null) continue;
      addresses++;
      const name = `${block.attributes[index]!.handleId!} ${formatPrefix(block.prefix)}`;
      allocated.set(name, (allocated.get(name) ?? 0) + 1);
    }
  }
  expect(counted).toEqual(allocated);
  return addresses;
}

/** What holds besides, whenever nobody is at work and nobody was killed: each claim is confirmed, and its block there; without it no route leads there. */
export async function checkClaims(store: Store): Promise<void> {
  const { entries } = await store.list(IPAM_PREFIX);
  const claims = entries.flatMap(({ key, value }) => {
    const affinity = parseAffinityKey(key);
    return affinity === undefined
      ? []
      : [`${formatPrefix(affinity.prefix)} host:${affinity.host} ${affinityFromJson(value)}`];
  });
  const owned = entries.flatMap(({ key, value }) => {
    if (parseBlockKey(key) === undefined) return [];
    const { prefix, affinity } = blockFromJson(value, key);
    return affinity === null ? [] : [`${formatPrefix(prefix)} ${affinity} confirmed`];
  });
  expect(claims.sort()).toEqual(owned.sort());
}
