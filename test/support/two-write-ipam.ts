import { blockKey, handleKey } from '../../src/datastore/keys.ts';
import type { Store } from '../../src/datastore/store.ts';
import { allocate } from '../../src/ipam/block.ts';
import { blockFromJson, blockToJson } from '../../src/ipam/block-json.ts';
import { adjusted, handleFromJson, handleToJson } from '../../src/ipam/handle.ts';
import { isConflict } from '../../src/ipam/records.ts';
import type { IpAddress, Prefix } from '../../src/model/ip.ts';
import { formatPrefix } from '../../src/model/ip.ts';

/**
 * How Calico's own IPAM assigns an address of a block: it raises the handle's count, then writes the block, and lowers the count
 * again where somebody else was faster. Undefined where the block is full or gone.
 */
export async function assignByTwoWrites(
  store: Store,
  prefix: Prefix,
  handleId: string,
): Promise<IpAddress | undefined> {
  for (;;) {
    const entry = await store.get(blockKey(prefix));
    if (entry === undefined) return undefined;
    const attributes = { handleId, secondary: { node: 'calico' } };
    const [next, [got]] = allocate(blockFromJson(entry.value, entry.key), 1, attributes);
    if (got === undefined) return undefined;
    await changeCount(store, handleId, [formatPrefix(prefix), 1]);
    try {
      await store.update(entry.key, blockToJson(next), entry.revision);
      return got.address;
    } catch (error) {
      if (!isConflict(error)) throw error;
      await changeCount(store, handleId, [formatPrefix(prefix), -1]);
    }
  }
}

async function changeCount(store: Store, handleId: string, [cidr, by]: readonly [string, number]): Promise<void> {
  const key = handleKey(handleId);
  for (;;) {
    const entry = await store.get(key);
    const next = adjusted(entry === undefined ? new Map() : handleFromJson(entry.value), cidr, by);
    try {
      if (entry === undefined) {
        if (next.size > 0) await store.create(key, handleToJson(next));
      } else if (next.size > 0) await store.update(key, handleToJson(next), entry.revision);
      else await store.delete(key, entry.revision);
      return;
    } catch (error) {
      if (!isConflict(error)) throw error;
    }
  }
}
