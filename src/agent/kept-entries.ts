import { AFFINITIES_PREFIX, affinitiesOf, HANDLES_PREFIX, parseAffinityKey, parseBlockKey } from '../datastore/keys.ts';
import type { Entry, Json } from '../datastore/store.ts';
import { blockFromJson, hostOf } from '../ipam/index.ts';

/**
 * What an agent keeps of what the datastore tells it. Most of a large cluster are IPAM's records of other nodes, and nothing is computed
 * from them but how many addresses their blocks have free: 20,000 blocks as they are stored would be 60 MB. A block is kept whole where
 * it is this node's, nobody's, or has an address of this node.
 */
export const keptBy = (node: string): ((entry: Entry) => Entry) => {
  const ownAffinities = affinitiesOf(node);
  return (entry) => {
    const { key, value, revision } = entry;
    if (key.startsWith(HANDLES_PREFIX)) return { key, value: null, revision };
    if (key.startsWith(AFFINITIES_PREFIX)) {
      const isOthers = !key.startsWith(ownAffinities) && parseAffinityKey(key) !== undefined;
      return isOthers ? { key, value: null, revision } : entry;
    }
    if (parseBlockKey(key) === undefined || !isOfAnother(value, node)) return entry;
    const free = fieldOf(value, 'unallocated');
    return { key, value: Array.isArray(free) ? free.length : 0, revision };
  };
};

/** Free addresses of a block, as stored or as kept. One that cannot be read counts as full. */
export function freeIn({ key, value }: Entry): number {
  if (typeof value === 'number') return value;
  try {
    return blockFromJson(value, key).unallocated.length;
  } catch {
    return 0;
  }
}

/** Whether the block has an address of the node. Reading a block is dear, and most have none. */
export function isNamedIn(block: Json, node: string): boolean {
  const attributes = fieldOf(block, 'attributes');
  return (
    Array.isArray(attributes) && attributes.some((one: Json) => fieldOf(fieldOf(one, 'secondary'), 'node') === node)
  );
}

function isOfAnother(block: Json, node: string): boolean {
  const affinity = fieldOf(block, 'affinity');
  const host = typeof affinity === 'string' ? hostOf(affinity) : undefined;
  return host !== undefined && host !== node && !isNamedIn(block, node);
}

const fieldOf = (value: Json | undefined, name: string): Json | undefined =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<string, Json>>)[name] : undefined;
