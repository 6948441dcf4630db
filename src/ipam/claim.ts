import { AlreadyExistsError } from '../datastore/store.ts';
import type { Prefix } from '../model/ip.ts';
import { formatPrefix } from '../model/ip.ts';
import { hostAffinity } from './affinity.ts';
import { collectCooled, disowned, isEmpty, newBlock } from './block.ts';
import { affinityDeletion, blockDeletion, blockUpdate, isConflict } from './records.ts';
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
 * where `mustBeEmpty` asks for that (`in-use`). Claim and block are one write, where Calico marks the claim `pendingDeletion` first: so
 * no crash leaves one without the other, and no route of a block goes that proves to be in use.
 */
export function releaseClaim(
  records: Records,
  claim: Claim,
  { mustBeEmpty, cooldownSeconds }: { readonly mustBeEmpty: boolean; readonly cooldownSeconds: number },
): Promise<'released' | 'in-use'> {
  const { node, prefix } = claim;
  return records.retry(`release of block ${formatPrefix(prefix)}`, async () => {
    const found = await records.affinity(node, prefix);
    const stored = await records.block(prefix);
    if (stored?.value.affinity !== hostAffinity(node)) {
      if (found !== undefined) await records.deleteAffinity(node, prefix, found.revision);
      return 'released';
    }
    const block = collectCooled(stored.value, records.nowMs(), cooldownSeconds);
    if (mustBeEmpty && !isEmpty(block)) {
      // Begun by a Calico that died or was overtaken: no route leads to the addresses until the claim counts again.
      if (found?.value === 'pendingDeletion') await records.writeAffinity(claim, 'confirmed', found.revision);
      return 'in-use';
    }
    // Who claims the block anew in between changes the claim; where there is none he could do so unseen.
    const revision = found?.revision ?? (await records.writeAffinity(claim, 'pendingDeletion', undefined));
    await records.writeAll([
      isEmpty(block) ? blockDeletion(block, stored.revision) : blockUpdate(disowned(block), stored.revision),
      affinityDeletion(claim, revision),
    ]);
    return 'released';
  });
}

function ignoreConflict(error: unknown): void {
  if (!isConflict(error)) throw error;
}
