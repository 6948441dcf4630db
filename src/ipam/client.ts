import type { Store } from '../datastore/store.ts';
import type { IpAddress } from '../model/ip.ts';
import { formatIpAddress, parsePrefix, prefixContainsAddress, sameAddress } from '../model/ip.ts';
import { Grouped } from '../runtime/grouped.ts';
import { assignGroup, assignMore } from './assign-group.ts';
import type { Assigned, AssignRequest } from './assign.ts';
import type { Assignment } from './block.ts';
import { assignmentOf, release } from './block.ts';
import { releaseClaim } from './claim.ts';
import { BadReleaseError } from './errors.ts';
import { adjusted } from './handle.ts';
import { assignmentsOf } from './held.ts';
import type { IpamPool } from './plan.ts';
import type { IpamPorts } from './records.ts';
import { blockUpdate, Records } from './records.ts';
import { releaseHandles } from './release.ts';

/** So many handles are written at the same time, at most. */
const MAX_GROUP = 250;

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

  releaseByHandle(handleId: string): Promise<void> {
    return this.#releases.ask(handleId);
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
      const next = release(stored.value, [found.ordinal], this.#records.cooldown(cooldownSeconds));
      const count = await this.#records.handleWrite(handleId, (counts) => adjusted(counts, cidr, -1));
      await this.#records.writeAll([blockUpdate(next, stored.revision), ...(count === undefined ? [] : [count])]);
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
    const { cooldownSeconds } = await this.#records.config();
    for (const family of [4, 6] as const) {
      for (const prefix of await this.#records.affinities(node, family)) {
        await releaseClaim(this.#records, { node, prefix }, { mustBeEmpty: false, cooldownSeconds });
      }
    }
  }

  /** One group at a time: those of one client would only take each other's compare-and-swap away. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    this.#turn = this.#turn.then(work);
    return this.#turn;
  }
}
