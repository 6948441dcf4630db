import { blockKey } from '../datastore/keys.ts';
import type { Entry } from '../datastore/store.ts';
import { blockFromJson } from '../ipam/index.ts';
import type { Block } from '../ipam/index.ts';
import { InvalidValueError } from '../model/invalid.ts';
import { parsePrefix, prefixContains } from '../model/ip.ts';
import type { Prefix } from '../model/ip.ts';
import type { Resources } from '../resources/index.ts';

/** Of one IPPool, in the blocks that are this node's. */
export interface PoolUsage {
  /** Its name; empty where no pool is left around the blocks. */
  readonly pool: string;
  readonly blocks: number;
  readonly allocated: number;
  /** Released, and not given away before IPAM's cooldown is over. */
  readonly cooling: number;
  readonly free: number;
}

export interface OwnBlocks {
  readonly entries: ReadonlyMap<string, Entry>;
  readonly blocks: readonly Prefix[];
  readonly pools: Resources['IPPool'];
}

/** In the order of the pools' names; a pool without a block here is in it, too, with nothing. A block that cannot be read counts as a block. */
export function poolUsage({ entries, blocks, pools }: OwnBlocks): readonly PoolUsage[] {
  const known = [...pools.values()].map(({ metadata: { name }, spec }) => ({ name, cidr: parsePrefix(spec.cidr) }));
  const usage = new Map<string, PoolUsage>(known.map(({ name }) => [name, none(name)]));
  for (const prefix of blocks) {
    const name = known.find(({ cidr }) => prefixContains(cidr, prefix))?.name ?? '';
    usage.set(name, withBlock(usage.get(name) ?? none(name), readable(entries.get(blockKey(prefix)))));
  }
  return [...usage.values()].toSorted((a, b) => (a.pool < b.pool ? -1 : 1));
}

const none = (pool: string): PoolUsage => ({ pool, blocks: 0, allocated: 0, cooling: 0, free: 0 });

function withBlock({ pool, blocks, allocated, cooling, free }: PoolUsage, block: Block | undefined): PoolUsage {
  if (block === undefined) return { pool, blocks: blocks + 1, allocated, cooling, free };
  const taken = block.allocations.filter((index) => index !== null);
  const resting = taken.filter((index) => block.attributes[index]?.handleId === null);
  return {
    ...{ pool, blocks: blocks + 1 },
    allocated: allocated + taken.length - resting.length,
    cooling: cooling + resting.length,
    free: free + block.unallocated.length,
  };
}

/** Its absence, or what is wrong with it, is IPAM's to complain about. */
function readable(entry: Entry | undefined): Block | undefined {
  if (entry === undefined) return undefined;
  try {
    return blockFromJson(entry.value, entry.key);
  } catch (error) {
    if (error instanceof InvalidValueError) return undefined;
    throw error;
  }
}
