import { InvalidValueError } from '../model/invalid.ts';
import type { IpFamily, Prefix } from '../model/ip.ts';
import { formatPrefix, prefixContains } from '../model/ip.ts';
import { hostAffinity } from './affinity.ts';
import { claimBlock, releaseClaim } from './claim.ts';
import { PoolsExhaustedError } from './errors.ts';
import type { Assigned, AssignRequest, Need } from './need.ts';
import { isShort, newNeed } from './need.ts';
import type { IpamPool } from './plan.ts';
import { inOrder, isReclaimable, nextCandidate } from './plan.ts';
import type { Records } from './records.ts';
import type { AssignRules } from './take.ts';
import { takeFrom } from './take.ts';

/** Where neither IPAMConfig nor the request says how many blocks a host may have. */
const DEFAULT_MAX_BLOCKS = 20;

/** Whose pods they are and where their addresses may come from: the same for all requests of a group. */
export type Where = Pick<AssignRequest, 'node' | 'pools'>;

/**
 * The way of a group of requests through the blocks: the node's own, new ones, empty ones of others, and last the borrowed.
 * Each block is written once for all that take from it. Requests of one group have handles of their own.
 */
export class AssignSearch {
  readonly #records: Records;
  readonly #where: Where;
  readonly #needs: readonly Need[];
  readonly #rules: AssignRules;
  #ownBlocks = 0;

  constructor(records: Records, requests: readonly [AssignRequest, ...AssignRequest[]], rules: AssignRules) {
    this.#records = records;
    this.#where = requests[0];
    this.#rules = rules;
    const timestamp = new Date(records.nowMs()).toISOString();
    this.#needs = requests.map((request) => newNeed(request, timestamp));
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
    if (this.#isAnyShort() && this.#rules.config.autoAllocateBlocks) await this.#fromClaimedBlocks(family);
    if (this.#isAnyShort() && !this.#rules.config.strictAffinity) await this.#borrow(family);
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
      ...(this.#rules.config.strictAffinity ? ['strict affinity forbids to borrow from other nodes'] : []),
      ...(this.#rules.config.autoAllocateBlocks ? [] : ['new blocks may not be claimed']),
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
    return this.#rules.config.maxBlocksPerHost > 0 ? this.#rules.config.maxBlocksPerHost : DEFAULT_MAX_BLOCKS;
  }

  async #fromOwnBlocks(family: IpFamily): Promise<void> {
    const { node, pools } = this.#where;
    const affine = await this.#records.affinities(node, family);
    for (const prefix of affine.filter((block) => pools.some(({ cidr }) => prefixContains(cidr, block)))) {
      // Takes up what a crash left half done; one read where nothing is.
      if ((await claimBlock(this.#records, { node, prefix })) === 'taken') continue;
      this.#ownBlocks++;
      if (this.#isAnyShort()) await this.#take(prefix, { onlyIfOwnedBy: hostAffinity(node) });
    }
  }

  async #fromClaimedBlocks(family: IpFamily): Promise<void> {
    const { node, pools } = this.#where;
    const tried = new Set<string>();
    while (this.#isAnyShort() && this.#ownBlocks < this.#maxBlocks()) {
      const blocks = await this.#records.blocks(family);
      const isTried = (prefix: Prefix): boolean => tried.has(formatPrefix(prefix));
      const [nowMs, reservations] = [this.#records.nowMs(), this.#rules.reservations];
      const candidate = nextCandidate({ node, pools, blocks, isTried, nowMs, reservations });
      if (candidate === undefined) return;
      const { prefix } = candidate;
      tried.add(formatPrefix(prefix));
      if (candidate.kind === 'reclaim' && !(await this.#reclaim(prefix, candidate.host))) continue;
      if ((await claimBlock(this.#records, { node, prefix })) === 'taken') continue;
      this.#ownBlocks++;
      const claimedAt = this.#records.nowMs();
      for (const { claimed } of await this.#take(prefix, { onlyIfOwnedBy: hostAffinity(node) }))
        claimed.push({ prefix, claimedAt });
    }
  }

  async #reclaim(prefix: Prefix, host: string): Promise<boolean> {
    const stored = await this.#records.block(prefix);
    if (stored !== undefined && !isReclaimable(stored.value, this.#records.nowMs())) return false;
    const { cooldownSeconds } = this.#rules.config;
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

  /** Gives those that got something. */
  #take(prefix: Prefix, only: { readonly onlyIfOwnedBy?: string } = {}): Promise<readonly Need[]> {
    return takeFrom(this.#records, this.#needs, { prefix, ...only, rules: this.#rules });
  }
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
