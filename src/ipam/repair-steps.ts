import { ConflictError } from '../datastore/store.ts';
import { formatPrefix, parseIpAddress, parsePrefix } from '../model/ip.ts';
import { assignmentsOfHandle, touched } from './block.ts';
import { releaseClaim } from './claim.ts';
import { BadReleaseError } from './errors.ts';
import { blockUpdate, handleDeletion, isConflict } from './records.ts';
import type { Records } from './records.ts';
import { releaseAddress } from './release-address.ts';
import type { RepairPlan } from './repair.ts';

export interface RepairOutcome {
  readonly addresses: number;
  readonly handles: number;
  readonly counts: number;
  readonly claims: number;
  /** What had changed since the plan was made, and so was left alone; one sentence each. */
  readonly skipped: readonly string[];
}

/** Does what is planned, each step by compare-and-swap against what the plan saw: whoever changed it meanwhile keeps it. */
export async function repair(records: Records, plan: RepairPlan): Promise<RepairOutcome> {
  const skipped: string[] = [];
  const each = async <T>(things: readonly T[], work: (thing: T) => Promise<void>): Promise<number> => {
    let done = 0;
    for (const thing of things) {
      try {
        await work(thing);
        done++;
      } catch (error) {
        if (!(error instanceof BadReleaseError || isConflict(error))) throw error;
        skipped.push((error as Error).message);
      }
    }
    return done;
  };
  const addresses = await each(plan.addresses, ({ ip, handle, sequenceNumber }) =>
    releaseAddress(records, { address: parseIpAddress(ip), handleId: handle, sequenceNumber }),
  );
  const handles = await each(plan.handles, ({ id, revision }) => records.writeAll([handleDeletion(id, revision)]));
  const counts = await each(plan.counts, (wrong) => correctCount(records, wrong));
  const claims = await each(plan.claims, (claim) => endClaim(records, claim));
  return { addresses, handles, counts, claims, skipped };
}

/** To what the block says now. The block is written too, so that nobody assigns or releases in between. */
async function correctCount(records: Records, { handle, cidr }: RepairPlan['counts'][number]): Promise<void> {
  await records.retry(`handle ${handle}`, async () => {
    const stored = await records.block(parsePrefix(cidr));
    const allocated = stored === undefined ? 0 : assignmentsOfHandle(stored.value, handle).length;
    const write = await records.handleWrite(handle, (counts) => {
      const next = new Map(counts);
      if (allocated > 0) next.set(cidr, allocated);
      else next.delete(cidr);
      return next;
    });
    const touch = stored === undefined ? [] : [blockUpdate(touched(stored.value), stored.revision)];
    await records.writeAll([...(write === undefined ? [] : [write]), ...touch]);
  });
}

async function endClaim(records: Records, { node, prefix, revision }: RepairPlan['claims'][number]): Promise<void> {
  if ((await records.affinity(node, prefix))?.revision !== revision) {
    throw new ConflictError(`the claim of ${node} to block ${formatPrefix(prefix)} has changed`);
  }
  const { cooldownSeconds } = await records.config();
  await releaseClaim(records, { node, prefix }, { mustBeEmpty: false, cooldownSeconds });
}
