/** Claims blocks for a node as IPAM does, in a process of its own in a namespace from which etcd is reached. A line in, a `Claim` out. */
import { createInterface } from 'node:readline';
import { openEtcdStore } from '../../src/datastore/etcd.ts';
import { affinityKey, blockKey } from '../../src/datastore/keys.ts';
import { hostAffinity } from '../../src/ipam/affinity.ts';
import { blockToJson } from '../../src/ipam/block-json.ts';
import { newBlock } from '../../src/ipam/block.ts';
import { formatPrefix, parsePrefix } from '../../src/model/ip.ts';
import type { Prefix } from '../../src/model/ip.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { wallNow } from './cluster-clock.ts';

export interface Claim {
  readonly block: string;
  /** Before the write that confirms the affinity, by which the node's agent knows of it; ms since 1970. */
  readonly claimedAt: number;
  /** When etcd had answered it. */
  readonly answeredAt: number;
}

const [node = '', endpoint = ''] = process.argv.slice(2);
let next = 0;
const store = await openEtcdStore({ endpoints: [endpoint] }, { clock: systemClock, random: Math.random });

/** The next of the pool that nobody has. */
async function freeBlock(): Promise<Prefix> {
  for (;;) {
    const block = parsePrefix(`192.168.${next >>> 2}.${(next & 3) * 64}/26`);
    next++;
    if ((await store.get(blockKey(block))) === undefined) return block;
  }
}

async function claim(): Promise<Claim> {
  const block = await freeBlock();
  const key = affinityKey(node, block);
  const { revision } = await store.create(key, { state: 'pending', deleted: false });
  const value = newBlock({ prefix: block, affinity: hostAffinity(node), claimedAtMs: Date.now() });
  await store.create(blockKey(block), blockToJson(value));
  const claimedAt = wallNow();
  await store.update(key, { state: 'confirmed', deleted: false }, revision);
  return { block: formatPrefix(block), claimedAt, answeredAt: wallNow() };
}

for await (const line of createInterface({ input: process.stdin })) {
  if (line !== '') process.stdout.write(`${JSON.stringify(await claim())}\n`);
}
await store.close();
