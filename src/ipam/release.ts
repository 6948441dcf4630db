import type { Prefix } from '../model/ip.ts';
import { formatPrefix, parsePrefix } from '../model/ip.ts';
import { assignmentsOfHandle, isEmpty, release, touched } from './block.ts';
import type { Stored } from './records.ts';
import { isConflict } from './records.ts';
import type { Records } from './records.ts';
import type { HandleCounts } from './handle.ts';

/** What became of one handle: gone, changed by somebody meanwhile (the conflict), or it cannot be released (the reason). */
type Outcome = { readonly isGone: true } | { readonly conflict: unknown } | { readonly failure: unknown };

/**
 * Gives back whatever the handles hold; success where there is none. Outcome i belongs to handle i: a broken record of one
 * stands in nobody else's way. Each block is written once for all of them.
 */
export async function releaseHandles(
  records: Records,
  handleIds: readonly string[],
  cooldownSeconds: number,
): Promise<readonly PromiseSettledResult<void>[]> {
  const once = (ids: ReadonlySet<string>) => releaseOnce(records, ids, cooldownSeconds);
  const together = await once(new Set(handleIds));
  const alone = (id: string, first: Outcome): Promise<void> => {
    let next: Outcome | undefined = first;
    return records.retry(`handle ${id}`, async () => {
      const outcome = next ?? (await once(new Set([id]))).get(id)!;
      next = undefined;
      // Whoever raised a count meanwhile made this a conflict, and his addresses go in the next round.
      if ('conflict' in outcome) throw outcome.conflict;
      if ('failure' in outcome) throw outcome.failure;
    });
  };
  return Promise.allSettled(handleIds.map((id) => alone(id, together.get(id)!)));
}

async function releaseOnce(
  records: Records,
  handleIds: ReadonlySet<string>,
  cooldownSeconds: number,
): Promise<ReadonlyMap<string, Outcome>> {
  const outcomes = new Map<string, Outcome>();
  const held = new Map<string, Stored<HandleCounts>>();
  const each = (work: (id: string) => Promise<void>) =>
    Promise.all(
      [...handleIds].map((id) => work(id).catch((failure: unknown) => void outcomes.set(id, failed(failure)))),
    );
  await each(async (id) => {
    const handle = await records.handle(id);
    if (handle === undefined) outcomes.set(id, { isGone: true });
    else held.set(id, handle);
  });
  await Promise.all(
    [...byBlock(held)].map(([cidr, ids]) =>
      releaseInBlock(records, { prefix: parsePrefix(cidr), handleIds: ids, cooldownSeconds }).catch(
        (failure: unknown) => {
          for (const id of ids) outcomes.set(id, { failure });
        },
      ),
    ),
  );
  await each(async (id) => {
    if (outcomes.has(id)) return;
    await records.deleteHandle(id, held.get(id)!.revision);
    outcomes.set(id, { isGone: true });
  });
  return outcomes;
}

const failed = (error: unknown): Outcome => (isConflict(error) ? { conflict: error } : { failure: error });

function byBlock(held: ReadonlyMap<string, Stored<HandleCounts>>): ReadonlyMap<string, readonly string[]> {
  const blocks = new Map<string, string[]>();
  for (const [id, { value }] of held) {
    for (const cidr of value.keys()) {
      const ids = blocks.get(cidr);
      if (ids === undefined) blocks.set(cidr, [id]);
      else ids.push(id);
    }
  }
  return blocks;
}

interface BlockRelease {
  readonly prefix: Prefix;
  readonly handleIds: readonly string[];
  readonly cooldownSeconds: number;
}

/**
 * Writes the block even where the handles have nothing in it: an assignment that has raised a handle's count but not
 * yet written the block then fails, instead of leaving an address behind that no handle knows.
 */
function releaseInBlock(records: Records, { prefix, handleIds, cooldownSeconds }: BlockRelease): Promise<void> {
  return records.retry(`block ${formatPrefix(prefix)}`, async () => {
    const stored = await records.block(prefix);
    if (stored === undefined) return;
    const ordinals = handleIds.flatMap((id) => assignmentsOfHandle(stored.value, id).map(({ ordinal }) => ordinal));
    const next =
      ordinals.length > 0 ? release(stored.value, ordinals, records.cooldown(cooldownSeconds)) : touched(stored.value);
    const revision = await records.updateBlock(next, stored.revision);
    if (next.affinity !== null || !isEmpty(next)) return;
    await records.deleteBlock(prefix, revision).catch((error: unknown) => {
      if (!isConflict(error)) throw error; // Somebody borrowed from it meanwhile.
    });
  });
}
