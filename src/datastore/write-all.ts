import type { Write } from './store.ts';
import { MAX_WRITES } from './store.ts';

/**
 * Whether writes can be one at all, asked before any store is: each would answer differently. Throws RangeError for more than
 * MAX_WRITES, and for a key that is written twice, of which nobody could say what counts; either is the caller's mistake.
 */
export function checkWrites(writes: readonly Write[]): void {
  if (writes.length > MAX_WRITES) {
    throw new RangeError(`${writes.length} writes are too many for one writeAll, which takes ${MAX_WRITES}`);
  }
  const keys = new Set<string>();
  for (const { key } of writes) {
    if (keys.has(key)) throw new RangeError(`${key} is written twice in one writeAll`);
    keys.add(key);
  }
}
