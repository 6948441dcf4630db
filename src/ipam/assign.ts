import type { Write } from '../datastore/store.ts';
import { MAX_WRITES } from '../datastore/store.ts';
import { InvalidValueError } from '../model/invalid.ts';
import type { IpAddress, IpFamily, Prefix } from '../model/ip.ts';
import { formatPrefix, prefixContains } from '../model/ip.ts';
import { hostAffinity } from './affinity.ts';
import type { AllocationAttributes, Block, IsReserved } from './block.ts';
import { allocateOrdinals, collectCooled, freeOrdinals } from './block.ts';
import { claimBlock, releaseClaim } from './claim.ts';
import { PoolsExhaustedError } from './errors.ts';
import type { HandleCounts } from './handle.ts';
import { adjusted } from './handle.ts';
import type { IpamPool } from './plan.ts';
import { inOrder, isReclaimable, nextCandidate } from './plan.ts';
import type { IpamConfig, Records } from './records.ts';
import { blockUpdate } from './records.ts';
import type { Reservations } from './reservations.ts';

/** Where neither IPAMConfig nor the request says how many blocks a host may have. */
const DEFAULT_MAX_BLOCKS = 20;
/** What goes into one write beside the block. */
const MAX_PORTIONS = MAX_WRITES - 1;

export interface AssignRequest {
  readonly node: string;
  readonly count: number;
  readonly handleId: string;
  /** Kept with the address: pod, namespace, type. `node` and `timestamp` are added. */
  readonly attributes: Readonly<Record<string, string>>;
  /** All of one family, in order of preference. */
  readonly pools: readonly IpamPool[];
}

interface ClaimedBlock {
  readonly prefix: Prefix;
  /** Milliseconds since 1970. */
  readonly claimedAt: number;
}

export interface Assigned {
  readonly addresses: readonly IpAddress[];
  /** When a block was claimed for it, milliseconds since 1970; absent where there was room already. */
  readonly claimedAt?: number;
  /** Blocks that were claimed meanwhile and that it has addresses of. */
  readonly claimed: readonly ClaimedBlock[];
}

/** Whose pods they are and where their addresses may come from: the same for all requests of a group. */
export type Where = Pick<AssignRequest, 'node' | 'pools'>;

/** What the cluster says of every assignment. */
export interface AssignRules {
  readonly config: IpamConfig;
  readonly reservations: Reservations;
}

/** One request and what it has come to. */
interface Need {
  readonly request: AssignRequest;
  readonly attributes: AllocationAttributes;
  readonly addresses: IpAddress[];
  readonly claimed: ClaimedBlock[];
  /** Its own, which no other request of the group shares. */
  failure?: unknown;
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

const isShort = ({ request, addresses, failure }: Need): boolean =>
  failure === undefined && addresses.length < request.count;

/**
 * The way of a group of requests through the blocks: the node's own, new ones, empty ones of others, and last the borrowed.
 * Each block is written once for all that take from it. Requests of one group have handles of their own.
 */
export class AssignSearch {
  readonly #records: Records;
  readonly #where: Where;
  readonly #needs: readonly Need[];
  readonly #config: IpamConfig;
  readonly #reservations: Reservations;
  #ownBlocks = 0;

  constructor(records: Records, requests: readonly [AssignRequest, ...AssignRequest[]], rules: AssignRules) {
    this.#records = records;
    this.#where = requests[0];
    this.#config = rules.config;
    this.#reservations = rules.reservations;
    const timestamp = new Date(records.nowMs()).toISOString();
    this.#needs = requests.map((request) => {
      const secondary = { ...request.attributes, node: request.node, timestamp };
      return { request, attributes: { handleId: request.handleId, secondary }, addresses: [], claimed: [] };
    });
  }

  /** Outcome i belongs to request i. What stops the search stops those that are still short; the others have what they have. */
  async run(): Promise<readonly PromiseSettledResult<Assigned>[]> {
    try {
      await this.#search(familyOf(this.#where.pools));
    } catch (error) {
      for (const need of this.#short()) need.failure = error;
    }
    return this.#needs.map((need) => this.#outcome(need));
  }

  async #search(family: IpFamily): Promise<void> {
    await this.#fromOwnBlocks(family);
    if (this.#isAnyShort() && this.#config.autoAllocateBlocks) await this.#fromClaimedBlocks(family);
    if (this.#isAnyShort() && !this.#config.strictAffinity) await this.#borrow(family);
  }

  #outcome({ request, addresses, claimed, failure }: Need): PromiseSettledResult<Assigned> {
    if (failure !== undefined) return { status: 'rejected', reason: failure };
    if (addresses.length === 0) return { status: 'rejected', reason: this.#exhausted(request) };
    const claimedAt = claimed[0]?.claimedAt;
    return { status: 'fulfilled', value: { addresses, claimed, ...(claimedAt !== undefined && { claimedAt }) } };
  }

  #exhausted({ pools, node, handleId }: AssignRequest): PoolsExhaustedError {
    const names = pools.map(({ name, cidr }) => `'${name}' (${formatPrefix(cidr)})`).join(', ');
    const rules = [
      ...(this.#config.strictAffinity ? ['strict affinity forbids to borrow from other nodes'] : []),
      ...(this.#config.autoAllocateBlocks ? [] : ['new blocks may not be claimed']),
      ...(this.#ownBlocks >= this.#maxBlocks()
        ? [`${node} has ${this.#ownBlocks} of ${this.#maxBlocks()} blocks`]
        : []),
    ];
    const why = rules.length > 0 ? ` (${rules.join('; ')})` : '';
    return new PoolsExhaustedError(`no free address for '${handleId}' on ${node}: exhausted pools ${names}${why}`);
  }

  #short(): readonly Need[] {
    return this.#needs.filter(isShort);
  }

  #isAnyShort(): boolean {
    return this.#needs.some(isShort);
  }

  #maxBlocks(): number {
    return this.#config.maxBlocksPerHost > 0 ? this.#config.maxBlocksPerHost : DEFAULT_MAX_BLOCKS;
  }

  async #fromOwnBlocks(family: IpFamily): Promise<void> {
    const { node, pools } = this.#where;
    const affine = await this.#records.affinities(node, family);
    for (const prefix of affine.filter((block) => pools.some(({ cidr }) => prefixContains(cidr, block)))) {
      // Takes up what a crash left half done; one read where nothing is.
      if ((await claimBlock(this.#records, { node, prefix })) === 'taken') continue;
      this.#ownBlocks++;
      if (this.#isAnyShort()) await this.#take(prefix, hostAffinity(node));
    }
  }

  async #fromClaimedBlocks(family: IpFamily): Promise<void> {
    const { node, pools } = this.#where;
    const tried = new Set<string>();
    while (this.#isAnyShort() && this.#ownBlocks < this.#maxBlocks()) {
      const blocks = await this.#records.blocks(family);
      const isTried = (prefix: Prefix): boolean => tried.has(formatPrefix(prefix));
      const [nowMs, reservations] = [this.#records.nowMs(), this.#reservations];
      const candidate = nextCandidate({ node, pools, blocks, isTried, nowMs, reservations });
      if (candidate === undefined) return;
      const { prefix } = candidate;
      tried.add(formatPrefix(prefix));
      if (candidate.kind === 'reclaim' && !(await this.#reclaim(prefix, candidate.host))) continue;
      if ((await claimBlock(this.#records, { node, prefix })) === 'taken') continue;
      this.#ownBlocks++;
      const claimedAt = this.#records.nowMs();
      for (const { claimed } of await this.#take(prefix, hostAffinity(node))) claimed.push({ prefix, claimedAt });
    }
  }

  async #reclaim(prefix: Prefix, host: string): Promise<boolean> {
    const stored = await this.#records.block(prefix);
    if (stored !== undefined && !isReclaimable(stored.value, this.#records.nowMs())) return false;
    const { cooldownSeconds } = this.#config;
    return (
      (await releaseClaim(this.#records, { node: host, prefix }, { mustBeEmpty: true, cooldownSeconds })) === 'released'
    );
  }

  /** From blocks of others, whose owner they stay: the address gets a /32 route of its own. */
  async #borrow(family: IpFamily): Promise<void> {
    const blocks = await this.#records.blocks(family);
    const { node, pools } = this.#where;
    for (const { prefix } of pools.flatMap((pool) => inOrder(pool, { node, blocks }))) {
      if (!this.#isAnyShort()) return;
      await this.#take(prefix);
    }
  }

  /** All that are short, as far as the block reaches. Gives those that got something. */
  async #take(prefix: Prefix, onlyIfOwnedBy?: string): Promise<readonly Need[]> {
    const served: Need[] = [];
    for (;;) {
      const some = await this.#takeOnce(prefix, onlyIfOwnedBy);
      served.push(...some);
      if (some.length === 0 || !this.#isAnyShort()) return served;
    }
  }

  /** One write of the block and of the handles' counts, as many as go into one. */
  #takeOnce(prefix: Prefix, onlyIfOwnedBy?: string): Promise<readonly Need[]> {
    const cidr = formatPrefix(prefix);
    return this.#records.retry(`block ${cidr}`, async () => {
      const stored = await this.#records.block(prefix);
      if (stored === undefined) return [];
      if (onlyIfOwnedBy !== undefined && stored.value.affinity !== onlyIfOwnedBy) return [];
      const block = collectCooled(stored.value, this.#records.nowMs(), this.#config.cooldownSeconds);
      const isReserved = this.#reservations.of(prefix);
      const counted = await this.#withCounts(
        cidr,
        portions(freeOrdinals(block, isReserved).length, this.#short()).slice(0, MAX_PORTIONS),
      );
      if (counted.length === 0) return [];
      const [next, taken] = handedOut(block, counted, isReserved);
      await this.#records.writeAll([...counted.map(({ write }) => write), blockUpdate(next, stored.revision)]);
      for (const [i, { need }] of counted.entries()) need.addresses.push(...taken[i]!);
      return counted.map(({ need }) => need);
    });
  }

  /** Whose handle cannot be read is left out from here on, with the reason. Gives the others. */
  async #withCounts(cidr: string, wanted: readonly Portion[]): Promise<readonly CountedPortion[]> {
    const counted = await Promise.all(
      wanted.map(async (portion) => {
        const { need, count } = portion;
        try {
          const raise = (counts: HandleCounts): HandleCounts => adjusted(counts, cidr, count);
          const write = await this.#records.handleWrite(need.request.handleId, raise);
          return write === undefined ? [] : [{ ...portion, write }];
        } catch (error) {
          need.failure = error;
          return [];
        }
      }),
    );
    return counted.flat();
  }
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

/** Throws PoolsExhaustedError where there is no pool, InvalidValueError where they are of two families. */
export function familyOf(pools: readonly IpamPool[]): IpFamily {
  const families = new Set(pools.map(({ cidr }) => cidr.address.family));
  const [family] = families;
  if (family === undefined) throw new PoolsExhaustedError('there is no enabled IP pool to assign an address from');
  if (families.size > 1) {
    throw new InvalidValueError('pools', pools.map(({ cidr }) => formatPrefix(cidr)).join(', '), 'are of two families');
  }
  return family;
}
