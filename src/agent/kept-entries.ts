import { AFFINITIES_PREFIX, affinitiesOf, blockPrefix, HANDLES_PREFIX, IPAM_PREFIX } from '../datastore/keys.ts';
import type { Entry, Json, Keep } from '../datastore/store.ts';
import { blockFromJson, hostOf } from '../ipam/index.ts';

/** Nothing is computed from these but from this node's own affinities. */
const UNREAD_PREFIXES = [HANDLES_PREFIX, AFFINITIES_PREFIX];
const BLOCK_PREFIXES = [blockPrefix(4), blockPrefix(6)];

/**
 * What an agent keeps of what the datastore tells it. Most of a large cluster are IPAM's records of other nodes, and nothing is computed
 * from them but how many addresses their blocks have free: 20,000 blocks as they are stored would be 60 MB, and keys alone, of a handle for
 * each pod and an affinity for each block, 150 octets each. A block is kept whole where
 * it is this node's, nobody's, or has an address of this node.
 */
export const keptBy = (node: string): Keep => {
  const ownAffinities = affinitiesOf(node);
  return (entry) => {
    const { key, value, revision } = entry;
    if (!key.startsWith(IPAM_PREFIX) || key.startsWith(ownAffinities)) return entry;
    if (UNREAD_PREFIXES.some((prefix) => key.startsWith(prefix))) return undefined;
    if (typeof value === 'number' || !BLOCK_PREFIXES.some((prefix) => key.startsWith(prefix))) return entry;
    if (!isOfAnother(value, node)) return entry;
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
