import type { Store } from '../datastore/store.ts';
import type { IpAddress, Prefix } from '../model/ip.ts';
import { prefixContainsAddress, sameAddress } from '../model/ip.ts';
import { Grouped } from '../runtime/grouped.ts';
import type { AddressRequest } from './assign-address.ts';
import { assignAddress } from './assign-address.ts';
import { assignGroup, assignMore } from './assign-group.ts';
import type { Assigned, AssignRequest } from './need.ts';
import type { Assignment } from './block.ts';
import { releaseClaim } from './claim.ts';
import type { GivingUp } from './give-up.ts';
import { giveUpBlocks } from './give-up.ts';
import { assignmentsOf } from './held.ts';
import { heldOn } from './held-here.ts';
import type { IpamPool } from './plan.ts';
import type { IpamPorts } from './records.ts';
import { Records } from './records.ts';
import type { AddressRelease } from './release-address.ts';
import { findHolder, releaseAddress } from './release-address.ts';
import { releaseHandles } from './release.ts';
import type { RepairOutcome } from './repair-steps.ts';
import { repair } from './repair-steps.ts';
import type { RepairPlan } from './repair.ts';

/** So many handles are written at the same time, at most. */
const MAX_GROUP = 250;

export type TunnelKind = 'ipip' | 'vxlan' | 'vxlan-v6';

const TUNNEL_TYPES: Readonly<Record<TunnelKind, string>> = {
  ipip: 'ipipTunnelAddress',
  vxlan: 'vxlanTunnelAddress',
  'vxlan-v6': 'vxlanV6TunnelAddress',
};

export const tunnelHandle = (kind: TunnelKind, node: string): string => `${kind}-tunnel-addr-${node}`;

/** Calico's own, which we never assign. */
const WIREGUARD_HANDLES = ['wireguard', 'wireguard-v6'] as const;

/**
 * Calico's IPAM. Every method may be repeated, and may be killed between any two writes. Assignments that wait at the same
 * time are served together, and so are releases: a block is written once for all of them.
 */
export interface Ipam {
  /**
   * Up to `count` addresses; those that the handle already has, where it has any. Throws PoolsExhaustedError where
   * there is none, TooManyConflictsError, InvalidValueError for a broken record, and the store's UnavailableError.
   */
  autoAssign(request: AssignRequest): Promise<Assigned>;
  /** One address by name, reserved or not. Throws AddressRefusedError, which names who has it, and InvalidValueError outside the pools. */
  assignAddress(request: AddressRequest): Promise<Assigned>;
  assignmentsOf(handleId: string): Promise<readonly Assignment[]>;
  /** What was assigned for a node, by handle: its pods and its tunnels. Reads all blocks. */
  heldOn(node: string): Promise<ReadonlyMap<string, readonly Assignment[]>>;
  /** Undefined where the address is free or rests. Reads all blocks of its family. */
  holderOf(address: IpAddress): Promise<Assignment | undefined>;
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
  /**
   * Ends a node's claim to a block. An empty block goes with it; one in use stays without an owner, or as it is where `mustBeEmpty` asks
   * for that (`in-use`).
   */
  releaseAffinity(
    node: string,
    prefix: Prefix,
    options: { readonly mustBeEmpty: boolean },
  ): Promise<'released' | 'in-use'>;
  /** Ends the node's claims to its empty blocks but for those that are wanted, in turn with assignments. Gives the blocks that went. */
  giveUpBlocks(request: GivingUp): Promise<readonly Prefix[]>;
  /** See `repairPlan`; what changed since the plan was made is skipped. */
  repair(plan: RepairPlan): Promise<RepairOutcome>;
  /**
   * Of a node that is gone: gives back its tunnel addresses, gives up all its block claims, and forgets it. Addresses of pods stay assigned, in
   * blocks without an owner, until they are released.
   */
  releaseHost(node: string): Promise<void>;
}

export const createIpam = (store: Store, ports: IpamPorts): Ipam => new CasIpam(new Records(store, ports));

class CasIpam implements Ipam {
  readonly #records: Records;
  readonly #assigns = new Grouped<AssignRequest, Assigned>({
    inTurn: (work) => this.#inTurn(work),
    serve: (requests) => assignGroup(this.#records, requests),
    limit: MAX_GROUP,
  });
  readonly #releases = new Grouped<string, void>({
    inTurn: (work) => this.#inTurn(work),
    serve: async (handleIds) => {
      const { cooldownSeconds } = await this.#records.config();
      return releaseHandles(this.#records, handleIds, cooldownSeconds);
    },
    limit: MAX_GROUP,
  });
  #turn: Promise<void> = Promise.resolve();

  constructor(records: Records) {
    this.#records = records;
  }

  autoAssign(request: AssignRequest): Promise<Assigned> {
    return this.#assigns.ask(request);
  }

  assignmentsOf(handleId: string): Promise<readonly Assignment[]> {
    return assignmentsOf(this.#records, handleId);
  }

  heldOn(node: string): Promise<ReadonlyMap<string, readonly Assignment[]>> {
    return heldOn(this.#records, node);
  }

  releaseByHandle(handleId: string): Promise<void> {
    return this.#releases.ask(handleId);
  }

  releaseAddress(request: AddressRelease): Promise<void> {
    return releaseAddress(this.#records, request);
  }

  assignAddress(request: AddressRequest): Promise<Assigned> {
    return assignAddress(this.#records, request);
  }

  async holderOf(address: IpAddress): Promise<Assignment | undefined> {
    return (await findHolder(this.#records, address))?.holder;
  }

  repair(plan: RepairPlan): Promise<RepairOutcome> {
    return repair(this.#records, plan);
  }

  async releaseAffinity(node: string, prefix: Prefix, { mustBeEmpty }: { readonly mustBeEmpty: boolean }) {
    const { cooldownSeconds } = await this.#records.config();
    return releaseClaim(this.#records, { node, prefix }, { mustBeEmpty, cooldownSeconds });
  }

  giveUpBlocks(request: GivingUp): Promise<readonly Prefix[]> {
    return new Promise((resolve, reject) => {
      void this.#inTurn(() => giveUpBlocks(this.#records, request).then(resolve, reject));
    });
  }

  async ensureTunnelAddress({ node, kind, pools }: Parameters<Ipam['ensureTunnelAddress']>[0]): Promise<IpAddress> {
    const handleId = tunnelHandle(kind, node);
    const held = await this.assignmentsOf(handleId);
    const kept = held.find(({ address }) => pools.some(({ cidr }) => prefixContainsAddress(cidr, address)));
    if (kept !== undefined) return kept.address;
    const attributes = { type: TUNNEL_TYPES[kind] };
    const [outcome] = await assignMore(this.#records, [{ node, count: 1, handleId, attributes, pools }]);
    if (outcome?.status !== 'fulfilled') throw outcome?.reason;
    return outcome.value.addresses[0]!;
  }

  async keepOnlyTunnelAddress({ node, kind, address }: Parameters<Ipam['keepOnlyTunnelAddress']>[0]): Promise<void> {
    const handleId = tunnelHandle(kind, node);
    if (address === undefined) return this.releaseByHandle(handleId);
    for (const held of await this.assignmentsOf(handleId)) {
      if (!sameAddress(held.address, address)) await this.releaseAddress({ ...held, handleId });
    }
  }

  async releaseHost(node: string): Promise<void> {
    for (const kind of [...Object.keys(TUNNEL_TYPES), ...WIREGUARD_HANDLES]) {
      await this.releaseByHandle(`${kind}-tunnel-addr-${node}`);
    }
    const { cooldownSeconds } = await this.#records.config();
    for (const family of [4, 6] as const) {
      for (const prefix of await this.#records.affinities(node, family)) {
        await releaseClaim(this.#records, { node, prefix }, { mustBeEmpty: false, cooldownSeconds });
      }
    }
    await this.#records.forgetHost(node);
  }

  /** One group at a time: those of one client would only take each other's compare-and-swap away. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    this.#turn = this.#turn.then(work);
    return this.#turn;
  }
}
