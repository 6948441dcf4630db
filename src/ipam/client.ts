import type { Store } from '../datastore/store.ts';
import { UnavailableError } from '../datastore/store.ts';
import { InvalidValueError } from '../model/invalid.ts';
import type { IpAddress, IpFamily, Prefix } from '../model/ip.ts';
import {
  formatIpAddress,
  formatPrefix,
  parsePrefix,
  prefixContains,
  prefixContainsAddress,
  sameAddress,
} from '../model/ip.ts';
import { hostAffinity } from './affinity.ts';
import type { AllocationAttributes, Assignment } from './block.ts';
import { allocate, assignmentOf, assignmentsOfHandle, collectCooled, isEmpty, release, touched } from './block.ts';
import { claimBlock, releaseClaim } from './claim.ts';
import { BadReleaseError, PoolsExhaustedError } from './errors.ts';
import { adjusted } from './handle.ts';
import type { IpamPool } from './plan.ts';
import { inOrder, isReclaimable, nextCandidate } from './plan.ts';
import type { IpamConfig, IpamPorts } from './records.ts';
import { isConflict, Records } from './records.ts';

/** Where neither IPAMConfig nor the request says how many blocks a host may have. */
const DEFAULT_MAX_BLOCKS = 20;

export interface AssignRequest {
  readonly node: string;
  readonly count: number;
  readonly handleId: string;
  /** Kept with the address: pod, namespace, type. `node` and `timestamp` are added. */
  readonly attributes: Readonly<Record<string, string>>;
  /** All of one family, in order of preference. */
  readonly pools: readonly IpamPool[];
}

export interface Assigned {
  readonly addresses: readonly IpAddress[];
  /** When a block was claimed for it, milliseconds since 1970; absent where there was room already. */
  readonly claimedAt?: number;
  readonly claimed: readonly { readonly prefix: Prefix; readonly claimedAt: number }[];
}

export type TunnelKind = 'ipip' | 'vxlan' | 'vxlan-v6';

const TUNNEL_TYPES: Readonly<Record<TunnelKind, string>> = {
  ipip: 'ipipTunnelAddress',
  vxlan: 'vxlanTunnelAddress',
  'vxlan-v6': 'vxlanV6TunnelAddress',
};

export const tunnelHandle = (kind: TunnelKind, node: string): string => `${kind}-tunnel-addr-${node}`;

export interface AddressRelease {
  readonly address: IpAddress;
  readonly handleId: string;
  /** As `assignmentsOf` gave it: keeps a late release from freeing an address that was handed out anew. */
  readonly sequenceNumber?: number;
}

/** Calico's IPAM. Every method may be repeated, and may be killed between any two writes. */
export interface Ipam {
  /**
   * Up to `count` addresses; those that the handle already has, where it has any. Throws PoolsExhaustedError where
   * there is none, TooManyConflictsError, InvalidValueError for a broken record, and the store's UnavailableError.
   */
  autoAssign(request: AssignRequest): Promise<Assigned>;
  assignmentsOf(handleId: string): Promise<readonly Assignment[]>;
  /** Success where there is no such handle. */
  releaseByHandle(handleId: string): Promise<void>;
  /** Throws BadReleaseError where the address is another's by now. */
  releaseAddress(request: AddressRelease): Promise<void>;
  /**
   * The address of a node's tunnel device; the one it has, as long as that lies in one of the pools. An older one stays
   * assigned beside a new one: others send to it until they know of the new one.
   */
  ensureTunnelAddress(request: {
    readonly node: string;
    readonly kind: TunnelKind;
    readonly pools: readonly IpamPool[];
  }): Promise<IpAddress>;
  /** Gives back what else the tunnel's handle holds; all of it where the node has no address. */
  keepOnlyTunnelAddress(request: {
    readonly node: string;
    readonly kind: TunnelKind;
    readonly address: IpAddress | undefined;
  }): Promise<void>;
  /** Gives up all block claims of a node that is gone; addresses in use stay assigned, in blocks without an owner. */
  releaseHost(node: string): Promise<void>;
}

export const createIpam = (store: Store, ports: IpamPorts): Ipam => new CasIpam(new Records(store, ports));

class CasIpam implements Ipam {
  readonly #records: Records;

  constructor(records: Records) {
    this.#records = records;
  }

  async autoAssign(request: AssignRequest): Promise<Assigned> {
    const family = familyOf(request.pools);
    const held = (await this.assignmentsOf(request.handleId)).filter(({ address }) => address.family === family);
    if (held.length > 0) return { addresses: held.map(({ address }) => address), claimed: [] };
    return this.#assignMore(request);
  }

  async assignmentsOf(handleId: string): Promise<readonly Assignment[]> {
    const handle = await this.#records.handle(handleId);
    const prefixes = [...(handle?.value.keys() ?? [])].map((cidr) => parsePrefix(cidr));
    const blocks = await Promise.all(prefixes.map((prefix) => this.#records.block(prefix)));
    return blocks.flatMap((block) => (block === undefined ? [] : assignmentsOfHandle(block.value, handleId)));
  }

  async releaseByHandle(handleId: string): Promise<void> {
    const { cooldownSeconds } = await this.#records.config();
    await this.#records.retry(`handle ${handleId}`, async () => {
      const handle = await this.#records.handle(handleId);
      if (handle === undefined) return;
      for (const cidr of handle.value.keys()) {
        await this.#releaseInBlock(parsePrefix(cidr), handleId, cooldownSeconds);
      }
      // Whoever raised a count meanwhile makes this a conflict, and its addresses go in the next round.
      await this.#records.deleteHandle(handleId, handle.revision);
    });
  }

  async releaseAddress({ address, handleId, sequenceNumber }: AddressRelease): Promise<void> {
    const { cooldownSeconds } = await this.#records.config();
    const text = formatIpAddress(address);
    const handle = await this.#records.handle(handleId);
    const cidr = [...(handle?.value.keys() ?? [])].find((key) => prefixContainsAddress(parsePrefix(key), address));
    if (cidr === undefined) throw new BadReleaseError(`address ${text} is not held by handle '${handleId}'`);
    await this.#records.retry(`block ${cidr}`, async () => {
      const stored = await this.#records.block(parsePrefix(cidr));
      const found = stored && assignmentOf(stored.value, address);
      if (stored === undefined || found?.attributes.handleId !== handleId) {
        throw new BadReleaseError(`address ${text} is not held by handle '${handleId}'`);
      }
      if (sequenceNumber !== undefined && sequenceNumber !== found.sequenceNumber) {
        throw new BadReleaseError(
          `address ${text} was assigned anew since: ${found.sequenceNumber}, not ${sequenceNumber}`,
        );
      }
      await this.#records.updateBlock(
        release(stored.value, [found.ordinal], this.#cooldown(cooldownSeconds)),
        stored.revision,
      );
    });
    await this.#records.changeHandle(handleId, (counts) => adjusted(counts, cidr, -1));
  }

  async ensureTunnelAddress({ node, kind, pools }: Parameters<Ipam['ensureTunnelAddress']>[0]): Promise<IpAddress> {
    const handleId = tunnelHandle(kind, node);
    const held = await this.assignmentsOf(handleId);
    const kept = held.find(({ address }) => pools.some(({ cidr }) => prefixContainsAddress(cidr, address)));
    if (kept !== undefined) return kept.address;
    const attributes = { type: TUNNEL_TYPES[kind] };
    return (await this.#assignMore({ node, count: 1, handleId, attributes, pools })).addresses[0]!;
  }

  async keepOnlyTunnelAddress({ node, kind, address }: Parameters<Ipam['keepOnlyTunnelAddress']>[0]): Promise<void> {
    const handleId = tunnelHandle(kind, node);
    if (address === undefined) return this.releaseByHandle(handleId);
    for (const held of await this.assignmentsOf(handleId)) {
      if (!sameAddress(held.address, address)) await this.releaseAddress({ ...held, handleId });
    }
  }

  async releaseHost(node: string): Promise<void> {
    const { cooldownSeconds } = await this.#records.config();
    for (const family of [4, 6] as const) {
      for (const prefix of await this.#records.affinities(node, family)) {
        await releaseClaim(this.#records, { node, prefix }, { mustBeEmpty: false, cooldownSeconds });
      }
    }
  }

  /** Beside what the handle has already. */
  async #assignMore(request: AssignRequest): Promise<Assigned> {
    const search = new AssignSearch(this.#records, request, await this.#records.config());
    const assigned = await search.run(familyOf(request.pools));
    if (assigned.addresses.length === 0) throw search.exhausted();
    return assigned;
  }

  /**
   * Writes the block even where the handle has nothing in it: an assignment that has raised the handle's count but not
   * yet written the block then fails, instead of leaving an address behind that no handle knows.
   */
  #releaseInBlock(prefix: Prefix, handleId: string, cooldownSeconds: number): Promise<void> {
    return this.#records.retry(`block ${formatPrefix(prefix)}`, async () => {
      const stored = await this.#records.block(prefix);
      if (stored === undefined) return;
      const ordinals = assignmentsOfHandle(stored.value, handleId).map(({ ordinal }) => ordinal);
      const next =
        ordinals.length > 0 ? release(stored.value, ordinals, this.#cooldown(cooldownSeconds)) : touched(stored.value);
      const revision = await this.#records.updateBlock(next, stored.revision);
      if (next.affinity !== null || !isEmpty(next)) return;
      await this.#records.deleteBlock(prefix, revision).catch((error: unknown) => {
        if (!isConflict(error)) throw error; // Somebody borrowed from it meanwhile.
      });
    });
  }

  #cooldown(seconds: number): { readonly releasedAt: string } | undefined {
    return seconds > 0 ? { releasedAt: new Date(this.#records.nowMs()).toISOString() } : undefined;
  }
}

/** One request's way through the blocks: the node's own, new ones, empty ones of others, and last the borrowed. */
class AssignSearch {
  readonly #records: Records;
  readonly #request: AssignRequest;
  readonly #config: IpamConfig;
  readonly #attributes: AllocationAttributes;
  readonly #addresses: IpAddress[] = [];
  readonly #claimed: { readonly prefix: Prefix; readonly claimedAt: number }[] = [];
  #ownBlocks = 0;

  constructor(records: Records, request: AssignRequest, config: IpamConfig) {
    this.#records = records;
    this.#request = request;
    this.#config = config;
    const timestamp = new Date(records.nowMs()).toISOString();
    const secondary = { ...request.attributes, node: request.node, timestamp };
    this.#attributes = { handleId: request.handleId, secondary };
  }

  async run(family: IpFamily): Promise<Assigned> {
    await this.#fromOwnBlocks(family);
    if (this.#isShort() && this.#config.autoAllocateBlocks) await this.#fromClaimedBlocks(family);
    if (this.#isShort() && !this.#config.strictAffinity) await this.#borrow(family);
    const claimedAt = this.#claimed[0]?.claimedAt;
    return { addresses: this.#addresses, claimed: this.#claimed, ...(claimedAt !== undefined && { claimedAt }) };
  }

  exhausted(): PoolsExhaustedError {
    const { pools, node, handleId } = this.#request;
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

  #isShort(): boolean {
    return this.#addresses.length < this.#request.count;
  }

  #maxBlocks(): number {
    return this.#config.maxBlocksPerHost > 0 ? this.#config.maxBlocksPerHost : DEFAULT_MAX_BLOCKS;
  }

  async #fromOwnBlocks(family: IpFamily): Promise<void> {
    const { node, pools } = this.#request;
    const affine = await this.#records.affinities(node, family);
    for (const prefix of affine.filter((block) => pools.some(({ cidr }) => prefixContains(cidr, block)))) {
      // Takes up what a crash left half done; one read where nothing is.
      if ((await claimBlock(this.#records, { node, prefix })) === 'taken') continue;
      this.#ownBlocks++;
      if (this.#isShort()) await this.#take(prefix, hostAffinity(node));
    }
  }

  async #fromClaimedBlocks(family: IpFamily): Promise<void> {
    const { node, pools } = this.#request;
    const tried = new Set<string>();
    while (this.#isShort() && this.#ownBlocks < this.#maxBlocks()) {
      const blocks = await this.#records.blocks(family);
      const isTried = (prefix: Prefix): boolean => tried.has(formatPrefix(prefix));
      const candidate = nextCandidate({ node, pools, blocks, isTried, nowMs: this.#records.nowMs() });
      if (candidate === undefined) return;
      const { prefix } = candidate;
      tried.add(formatPrefix(prefix));
      if (candidate.kind === 'reclaim' && !(await this.#reclaim(prefix, candidate.host))) continue;
      if ((await claimBlock(this.#records, { node, prefix })) === 'taken') continue;
      this.#ownBlocks++;
      this.#claimed.push({ prefix, claimedAt: this.#records.nowMs() });
      await this.#take(prefix, hostAffinity(node));
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
    const { node, pools } = this.#request;
    for (const { prefix } of pools.flatMap((pool) => inOrder(pool, { node, blocks }))) {
      if (!this.#isShort()) return;
      await this.#take(prefix);
    }
  }

  /** The handle's count goes up first: a crash then leaves a count too many, which a release repairs, never one too few. */
  async #take(prefix: Prefix, onlyIfOwnedBy?: string): Promise<void> {
    const { handleId, count } = this.#request;
    const cidr = formatPrefix(prefix);
    await this.#records.retry(`block ${cidr}`, async () => {
      const stored = await this.#records.block(prefix);
      if (stored === undefined) return;
      if (onlyIfOwnedBy !== undefined && stored.value.affinity !== onlyIfOwnedBy) return;
      const block = collectCooled(stored.value, this.#records.nowMs(), this.#config.cooldownSeconds);
      const [next, got] = allocate(block, count - this.#addresses.length, this.#attributes);
      if (got.length === 0) return;
      await this.#records.changeHandle(handleId, (counts) => adjusted(counts, cidr, got.length));
      try {
        await this.#records.updateBlock(next, stored.revision);
      } catch (error) {
        // Without an answer the block may have been written: then the count is right as it is.
        if (!(error instanceof UnavailableError)) {
          await this.#records.changeHandle(handleId, (counts) => adjusted(counts, cidr, -got.length));
        }
        throw error;
      }
      this.#addresses.push(...got.map(({ address }) => address));
    });
  }
}

function familyOf(pools: readonly IpamPool[]): IpFamily {
  const families = new Set(pools.map(({ cidr }) => cidr.address.family));
  const [family] = families;
  if (family === undefined) throw new PoolsExhaustedError('there is no enabled IP pool to assign an address from');
  if (families.size > 1) {
    throw new InvalidValueError('pools', pools.map(({ cidr }) => formatPrefix(cidr)).join(', '), 'are of two families');
  }
  return family;
}
