import { parsePrefix } from '../model/ip.ts';
import type { Assignment } from './block.ts';
import { assignmentsOfHandle } from './block.ts';
import type { Records } from './records.ts';

/** What a handle holds, by its own record and the blocks that it names. */
export async function assignmentsOf(records: Records, handleId: string): Promise<readonly Assignment[]> {
  const handle = await records.handle(handleId);
  const prefixes = [...(handle?.value.keys() ?? [])].map((cidr) => parsePrefix(cidr));
  const blocks = await Promise.all(prefixes.map((prefix) => records.block(prefix)));
  return blocks.flatMap((block) => (block === undefined ? [] : assignmentsOfHandle(block.value, handleId)));
}
