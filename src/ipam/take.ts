import type { Write } from '../datastore/store.ts';
import { MAX_WRITES } from '../datastore/store.ts';
import type { IpAddress, Prefix } from '../model/ip.ts';
import { formatPrefix } from '../model/ip.ts';
import type { Block, IsReserved } from './block.ts';
import { allocateOrdinals, collectCooled, freeOrdinals } from './block.ts';
import type { HandleCounts } from './handle.ts';
import { adjusted } from './handle.ts';
import type { Need } from './need.ts';
import { isShort } from './need.ts';
import type { IpamConfig, Records } from './records.ts';
import { blockUpdate } from './records.ts';
import type { Reservations } from './reservations.ts';

/** What goes into one write beside the block. */
const MAX_PORTIONS = MAX_WRITES - 1;

/** What the cluster says of every assignment. */
export interface AssignRules {
  readonly config: IpamConfig;
  readonly reservations: Reservations;
}

/** What one request is to get of one block. */
interface Portion {
  readonly need: Need;
  readonly count: number;
}

interface CountedPortion extends Portion {
  /** Of the handle's count. */
  readonly write: Write;
}

interface Taking {
  readonly prefix: Prefix;
  /** `host:node-a1`; absent: the block may be anybody's. */
  readonly onlyIfOwnedBy?: string;
  readonly rules: AssignRules;
}

/** Gives of one block to all needs that are short, as far as it reaches. Gives those that got something. */
export async function takeFrom(records: Records, needs: readonly Need[], taking: Taking): Promise<readonly Need[]> {
  const served: Need[] = [];
  for (;;) {
    const some = await takeOnce(records, needs, taking);
    served.push(...some);
    if (some.length === 0 || !needs.some(isShort)) return served;
  }
}

/** One write of the block and of the handles' counts, as many as go into one. */
function takeOnce(
  records: Records,
  needs: readonly Need[],
  { prefix, onlyIfOwnedBy, rules: { config, reservations } }: Taking,
): Promise<readonly Need[]> {
  const cidr = formatPrefix(prefix);
  return records.retry(`block ${cidr}`, async () => {
    const stored = await records.block(prefix);
    if (stored === undefined) return [];
    if (onlyIfOwnedBy !== undefined && stored.value.affinity !== onlyIfOwnedBy) return [];
    const block = collectCooled(stored.value, records.nowMs(), config.cooldownSeconds);
    const isReserved = reservations.of(prefix);
    const wanted = portions(freeOrdinals(block, isReserved).length, needs.filter(isShort)).slice(0, MAX_PORTIONS);
    const counted = await withCounts(records, cidr, wanted);
    if (counted.length === 0) return [];
    const [next, taken] = handedOut(block, counted, isReserved);
    await records.writeAll([...counted.map(({ write }) => write), blockUpdate(next, stored.revision)]);
    for (const [i, { need }] of counted.entries()) need.addresses.push(...taken[i]!);
    return counted.map(({ need }) => need);
  });
}

/** Whose handle cannot be read is left out from here on, with the reason. Gives the others. */
async function withCounts(
  records: Records,
  cidr: string,
  wanted: readonly Portion[],
): Promise<readonly CountedPortion[]> {
  const counted = await Promise.all(
    wanted.map(async (portion) => {
      const { need, count } = portion;
      try {
        const raise = (counts: HandleCounts): HandleCounts => adjusted(counts, cidr, count);
        const write = await records.handleWrite(need.request.handleId, raise);
        return write === undefined ? [] : [{ ...portion, write }];
      } catch (error) {
        need.failure = error;
        return [];
      }
    }),
  );
  return counted.flat();
}

/** First come, first served, as far as the free places reach. */
function portions(free: number, needs: readonly Need[]): readonly Portion[] {
  let left = free;
  return needs.flatMap((need) => {
    const count = Math.min(left, need.request.count - need.addresses.length);
    left -= count;
    return count > 0 ? [{ need, count }] : [];
  });
}

/** The block after it, and the addresses of each portion. */
function handedOut(
  block: Block,
  wanted: readonly Portion[],
  isReserved: IsReserved,
): readonly [Block, readonly (readonly IpAddress[])[]] {
  let next = block;
  const taken = wanted.map(({ need, count }) => {
    const ordinals = freeOrdinals(next, isReserved).slice(0, count);
    const [after, assignments] = allocateOrdinals(next, ordinals, need.attributes);
    next = after;
    return assignments.map(({ address }) => address);
  });
  return [next, taken];
}
