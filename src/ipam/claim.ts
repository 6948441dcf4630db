import { AlreadyExistsError } from '../datastore/store.ts';
import type { Prefix } from '../model/ip.ts';
import { formatPrefix } from '../model/ip.ts';
import { hostAffinity } from './affinity.ts';
import { collectCooled, disowned, isEmpty, newBlock } from './block.ts';
import { isConflict } from './records.ts';
import type { Records } from './records.ts';

export interface Claim {
  readonly node: string;
  readonly prefix: Prefix;
}

/**
 * Claims a block in two phases: the affinity as pending, the block, the affinity as confirmed. Who dies in between
 * leaves a claim that counts for nothing and that the same node takes up again. `taken`: the block is another's.
 */
export function claimBlock(records: Records, claim: Claim): Promise<'ours' | 'taken'> {
  const { node, prefix } = claim;
  const owner = hostAffinity(node);
  return records.retry(`claim of block ${formatPrefix(prefix)}`, async () => {
    const found = await records.affinity(node, prefix);
    if (found?.value === 'confirmed' && (await records.block(prefix))?.value.affinity === owner) return 'ours';
    const isPending = found?.value === 'pending';
    const revision = isPending ? found.revision : await records.writeAffinity(claim, 'pending', found?.revision);
    const affinity = await createOrRead(records, claim);
    if (affinity !== owner) {
      await records.deleteAffinity(node, prefix, revision).catch(ignoreConflict);
      return 'taken';
    }
    await records.writeAffinity(claim, 'confirmed', revision);
    return 'ours';
  });
}

/** Whose the block is after this. */
async function createOrRead(records: Records, { node, prefix }: Claim): Promise<string | null | undefined> {
  const affinity = hostAffinity(node);
  try {
    await records.createBlock(newBlock({ prefix, affinity, claimedAtMs: records.nowMs() }));
    return affinity;
  } catch (error) {
    if (!(error instanceof AlreadyExistsError)) throw error;
    const block = await records.block(prefix);
    if (block === undefined) throw error; // Deleted meanwhile: a conflict, so all over again.
    return block.value.affinity;
  }
}

/**
 * Ends a node's claim to a block. An empty block goes with it; one in use stays without an owner, or keeps its owner
 * where `mustBeEmpty` asks for that (`in-use`).
 */
export function releaseClaim(
  records: Records,
  claim: Claim,
  { mustBeEmpty, cooldownSeconds }: { readonly mustBeEmpty: boolean; readonly cooldownSeconds: number },
): Promise<'released' | 'in-use'> {
  const { node, prefix } = claim;
  return records.retry(`release of block ${formatPrefix(prefix)}`, async () => {
    const readBlock = async () => {
      const stored = await records.block(prefix);
      if (stored?.value.affinity !== hostAffinity(node)) return undefined;
      return { ...stored, value: collectCooled(stored.value, records.nowMs(), cooldownSeconds) };
    };
    const first = await readBlock();
    if (mustBeEmpty && first !== undefined && !isEmpty(first.value)) return 'in-use';
    const found = await records.affinity(node, prefix);
    const revision = found && (await records.writeAffinity(claim, 'pendingDeletion', found.revision));
    const block = await readBlock();
    if (block !== undefined && isEmpty(block.value)) await records.deleteBlock(prefix, block.revision);
    else if (block !== undefined && mustBeEmpty) {
      if (revision !== undefined) await records.writeAffinity(claim, 'confirmed', revision);
      return 'in-use';
    } else if (block !== undefined) await records.updateBlock(disowned(block.value), block.revision);
    if (revision !== undefined) await records.deleteAffinity(node, prefix, revision);
    return 'released';
  });
}

function ignoreConflict(error: unknown): void {
  if (!isConflict(error)) throw error;
}
