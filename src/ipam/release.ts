import type { Write } from '../datastore/store.ts';
import { MAX_WRITES } from '../datastore/store.ts';
import { parsePrefix } from '../model/ip.ts';
import { assignmentsOfHandle, isEmpty, release, touched } from './block.ts';
import type { HandleCounts } from './handle.ts';
import type { Records, Stored } from './records.ts';
import { blockDeletion, blockUpdate, handleDeletion, isConflict } from './records.ts';

/** So many handles of one block go into one write beside it. */
const MAX_HANDLES = MAX_WRITES - 1;

/**
 * Gives back whatever the handles hold; success where there is none. Outcome i belongs to handle i: a broken record of one
 * stands in the way of those alone that need it. Each block is written once for all of them, and the handles with it.
 */
export async function releaseHandles(
  records: Records,
  handleIds: readonly string[],
  cooldownSeconds: number,
): Promise<readonly PromiseSettledResult<void>[]> {
  const group = new Release(records, handleIds, cooldownSeconds);
  await group.run();
  return handleIds.map((id) => group.outcome(id));
}

class Release {
  readonly #records: Records;
  readonly #cooldownSeconds: number;
  readonly #left: Set<string>;
  readonly #failures = new Map<string, unknown>();

  constructor(records: Records, handleIds: readonly string[], cooldownSeconds: number) {
    this.#records = records;
    this.#cooldownSeconds = cooldownSeconds;
    this.#left = new Set(handleIds);
  }

  /** Whoever raised a count meanwhile makes a conflict, and his addresses go in the next round. */
  async run(): Promise<void> {
    const [first = '', ...others] = this.#left;
    const what = others.length === 0 ? `handle ${first}` : `handle ${first} and ${others.length} others`;
    try {
      await this.#records.retry(what, async () => {
        const conflicts = await this.#round();
        if (this.#left.size > 0) throw conflicts[0];
      });
    } catch (error) {
      for (const id of this.#left) this.#failures.set(id, error);
    }
  }

  outcome(id: string): PromiseSettledResult<void> {
    if (this.#failures.has(id)) return { status: 'rejected', reason: this.#failures.get(id) };
    return { status: 'fulfilled', value: undefined };
  }

  async #round(): Promise<readonly unknown[]> {
    const held = new Map<string, Stored<HandleCounts>>();
    const conflicts: unknown[] = [];
    await Promise.all(
      [...this.#left].map((id) =>
        this.#attempt([id], conflicts, async () => {
          const handle = await this.#records.handle(id);
          if (handle === undefined) this.#left.delete(id);
          else held.set(id, handle);
        }),
      ),
    );
    const { ofOneBlock, ofSeveral } = sorted(held);
    await Promise.all(
      [...ofOneBlock].map(async ([cidr, all]) => {
        for (const ids of portionsOf(all)) await this.#attempt(ids, conflicts, () => this.#giveBack([cidr], ids, held));
      }),
    );
    for (const [cidrs, id] of ofSeveral) {
      await this.#attempt([id], conflicts, () => this.#giveBack(cidrs, [id], held));
    }
    return conflicts;
  }

  /** Those whose work fails are out of it; those who met a conflict stay for the next round. */
  async #attempt(ids: readonly string[], conflicts: unknown[], work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (isConflict(error)) {
        conflicts.push(error);
        return;
      }
      for (const id of ids) {
        this.#failures.set(id, error);
        this.#left.delete(id);
      }
    }
  }

  async #giveBack(
    cidrs: readonly string[],
    ids: readonly string[],
    held: ReadonlyMap<string, Stored<HandleCounts>>,
  ): Promise<void> {
    const blocks = await Promise.all(cidrs.map((cidr) => this.#blockWrite(cidr, ids)));
    const handles = ids.map((id) => handleDeletion(id, held.get(id)!.revision));
    await this.#records.writeAll([...blocks.filter((write) => write !== undefined), ...handles]);
    for (const id of ids) this.#left.delete(id);
  }

  /**
   * Also where the handles have nothing in it: an assignment of Calico's that has raised a handle's count but not yet written
   * the block then fails, instead of leaving an address behind that no handle knows.
   */
  async #blockWrite(cidr: string, ids: readonly string[]): Promise<Write | undefined> {
    const stored = await this.#records.block(parsePrefix(cidr));
    if (stored === undefined) return undefined;
    const { value: block, revision } = stored;
    const ordinals = ids.flatMap((id) => assignmentsOfHandle(block, id).map(({ ordinal }) => ordinal));
    const cooldown = this.#records.cooldown(this.#cooldownSeconds);
    const next = ordinals.length > 0 ? release(block, ordinals, cooldown) : touched(block);
    return next.affinity === null && isEmpty(next) ? blockDeletion(next, revision) : blockUpdate(next, revision);
  }
}

interface Sorted {
  readonly ofOneBlock: ReadonlyMap<string, readonly string[]>;
  readonly ofSeveral: readonly (readonly [cidrs: readonly string[], id: string])[];
}

/** Handles by the block that all they hold lies in, and those that hold in several, or nothing. */
function sorted(held: ReadonlyMap<string, Stored<HandleCounts>>): Sorted {
  const ofOneBlock = new Map<string, string[]>();
  const ofSeveral: (readonly [readonly string[], string])[] = [];
  for (const [id, { value }] of held) {
    const [cidr, ...others] = value.keys();
    if (cidr === undefined || others.length > 0) ofSeveral.push([[...value.keys()], id]);
    else if (ofOneBlock.get(cidr)?.push(id) === undefined) ofOneBlock.set(cidr, [id]);
  }
  return { ofOneBlock, ofSeveral };
}

/** As many handles at a time as go into one write with their block. */
function* portionsOf(ids: readonly string[]): Generator<readonly string[]> {
  for (let i = 0; i < ids.length; i += MAX_HANDLES) yield ids.slice(i, i + MAX_HANDLES);
}
