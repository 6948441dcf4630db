import type { Assignment } from './block.ts';
import { assignmentsOfHandle } from './block.ts';
import type { Records } from './records.ts';

/** Addresses that were assigned for pods of a node, by handle; read out of all blocks, since some of them may be borrowed. */
export async function heldOn(records: Records, node: string): Promise<ReadonlyMap<string, readonly Assignment[]>> {
  const blocks = (await Promise.all([records.blocks(4), records.blocks(6)])).flat();
  const byHandle = new Map<string, Assignment[]>();
  for (const block of blocks) {
    const handles = new Set(
      block.attributes.flatMap(({ handleId, secondary }) =>
        handleId !== null && secondary['node'] === node ? [handleId] : [],
      ),
    );
    for (const handle of handles) {
      const held = assignmentsOfHandle(block, handle);
      if (held.length > 0) byHandle.set(handle, [...(byHandle.get(handle) ?? []), ...held]);
    }
  }
  return byHandle;
}
