import type { Prefix } from '../model/ip.ts';
import { releaseClaim } from './claim.ts';
import type { Records } from './records.ts';

/** Whose blocks, and which of them he wants to keep even without an address. */
export interface GivingUp {
  readonly node: string;
  readonly isWanted: (block: Prefix) => boolean;
}

/**
 * Ends the node's claims to empty blocks that are not wanted any more, as Calico does before it assigns; also what a crash left of such
 * a claim. A block with an address in use or at rest stays as it is. Gives the blocks that went.
 */
export async function giveUpBlocks(records: Records, { node, isWanted }: GivingUp): Promise<readonly Prefix[]> {
  const { cooldownSeconds } = await records.config();
  const gone: Prefix[] = [];
  for (const family of [4, 6] as const) {
    for (const prefix of await records.affinities(node, family)) {
      if (isWanted(prefix)) continue;
      const outcome = await releaseClaim(records, { node, prefix }, { mustBeEmpty: true, cooldownSeconds });
      if (outcome === 'released') gone.push(prefix);
    }
  }
  return gone;
}
