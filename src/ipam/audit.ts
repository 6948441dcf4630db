import type { Prefix } from '../model/ip.ts';
import { addressAt, formatIpAddress, formatPrefix } from '../model/ip.ts';
import { hostAffinity, hostOf } from './affinity.ts';
import type { Block } from './block.ts';
import type { IpamSurvey } from './survey.ts';

/** Who uses addresses, of the same moment as the survey. Addresses are texts. */
export interface Users {
  readonly nodes: ReadonlySet<string>;
  /** By address: the endpoints and the nodes' tunnels that have it, `Workload(default/web)`, `Node(n1)`. */
  readonly inUse: ReadonlyMap<string, readonly string[]>;
  /** The containers of all workload endpoints. */
  readonly containers: ReadonlySet<string>;
}

/**
 * `unknown`: neither a pod's nor a tunnel's, such as a service's; nobody here can say whether it is used, so it is left alone. `resting` ones
 * were released and wait for their cooldown.
 */
export type Verdict = 'in-use' | 'leaked' | 'unknown' | 'resting';

export interface Allocation {
  readonly ip: string;
  readonly block: Prefix;
  readonly handle: string | null;
  readonly sequenceNumber: number;
  readonly attributes: Readonly<Record<string, string>>;
  readonly verdict: Verdict;
  readonly owners: readonly string[];
  readonly isBorrowed: boolean;
}

export interface WrongCount {
  readonly handle: string;
  readonly cidr: string;
  readonly counted: number;
  readonly allocated: number;
  readonly revision: number;
}

export interface Audit {
  readonly allocations: readonly Allocation[];
  /** Handles that no block knows. */
  readonly leakedHandles: readonly { readonly id: string; readonly revision: number }[];
  /** Handles that blocks know and that have no record. */
  readonly missingHandles: readonly string[];
  readonly wrongCounts: readonly WrongCount[];
  readonly affinitiesWithoutNode: readonly {
    readonly node: string;
    readonly prefix: Prefix;
    readonly revision: number;
  }[];
  /** Blocks of a host that has no claim to them; of a host that is gone they are given up. */
  readonly blocksWithoutAffinity: readonly {
    readonly prefix: Prefix;
    readonly host: string;
    readonly isHostGone: boolean;
  }[];
}

export function audit(survey: IpamSurvey, users: Users): Audit {
  const judged = survey.blocks.flatMap(({ block }) => allocationsOf(block, users));
  const live = new Set(
    judged.flatMap(({ verdict, handle }) => (verdict === 'in-use' && handle !== null ? [handle] : [])),
  );
  const known = new Set(judged.flatMap(({ handle }) => handle ?? []));
  const recorded = new Set(survey.handles.map(({ id }) => id));
  return {
    // A handle whose other address is used belongs to somebody alive, who may be about to use this one too.
    allocations: judged.map((one) =>
      one.verdict === 'leaked' && one.handle !== null && live.has(one.handle) ? { ...one, verdict: 'unknown' } : one,
    ),
    leakedHandles: survey.handles.filter(({ id }) => !known.has(id)).map(({ id, revision }) => ({ id, revision })),
    missingHandles: [...known].filter((id) => !recorded.has(id)),
    wrongCounts: wrongCounts(survey, known),
    affinitiesWithoutNode: survey.affinities
      .filter(({ node }) => !users.nodes.has(node))
      .map(({ node, prefix, revision }) => ({ node, prefix, revision })),
    blocksWithoutAffinity: blocksWithoutAffinity(survey, users),
  };
}

function allocationsOf(block: Block, users: Users): readonly Allocation[] {
  const owner = hostOf(block.affinity);
  return block.allocations.flatMap((index, ordinal) => {
    if (index === null) return [];
    const { handleId, secondary, releasedAt } = block.attributes[index]!;
    const ip = formatIpAddress(addressAt(block.prefix, ordinal));
    const owners = users.inUse.get(ip) ?? [];
    const holder = { handle: handleId, attributes: secondary, owners };
    const isResting = releasedAt !== undefined;
    return [
      {
        ...holder,
        ip,
        block: block.prefix,
        sequenceNumber: block.sequenceNumberForAllocation.get(ordinal) ?? 0,
        verdict: isResting ? 'resting' : verdictOf(holder, users),
        isBorrowed: !isResting && secondary['node'] !== undefined && secondary['node'] !== owner,
      },
    ];
  });
}

type Holder = Pick<Allocation, 'handle' | 'attributes' | 'owners'>;

const TUNNEL_TYPE = /TunnelAddress$/;

function verdictOf({ handle, attributes, owners }: Holder, { containers }: Users): Verdict {
  if (owners.length > 0) return 'in-use';
  const isTunnel = TUNNEL_TYPE.test(attributes['type'] ?? '') && attributes['node'] !== undefined;
  const isPod = attributes['pod'] !== undefined && attributes['namespace'] !== undefined;
  if (!isTunnel && !isPod) return 'unknown';
  // The endpoint of this very container is there, with other addresses.
  if (handle !== null && containers.has(handle.slice(handle.indexOf('.') + 1))) return 'unknown';
  return 'leaked';
}

function wrongCounts(survey: IpamSurvey, known: ReadonlySet<string>): readonly WrongCount[] {
  const allocated = new Map<string, number>();
  const name = (handle: string, cidr: string): string => `${handle} ${cidr}`;
  for (const { block } of survey.blocks) {
    const cidr = formatPrefix(block.prefix);
    for (const index of block.allocations) {
      const handle = index === null ? null : (block.attributes[index]?.handleId ?? null);
      if (handle !== null) allocated.set(name(handle, cidr), (allocated.get(name(handle, cidr)) ?? 0) + 1);
    }
  }
  // Of a block that cannot be read nobody knows what is right.
  const unread = survey.unreadable.length > 0;
  return survey.handles
    .filter(({ id }) => known.has(id) && !unread)
    .flatMap(({ id, counts, revision }) =>
      [...counts].flatMap(([cidr, counted]) => {
        const real = allocated.get(name(id, cidr)) ?? 0;
        return real === counted ? [] : [{ handle: id, cidr, counted, allocated: real, revision }];
      }),
    );
}

function blocksWithoutAffinity({ blocks, affinities }: IpamSurvey, { nodes }: Users): Audit['blocksWithoutAffinity'] {
  const claims = new Set(affinities.map(({ node, prefix }) => `${hostAffinity(node)} ${formatPrefix(prefix)}`));
  return blocks.flatMap(({ block: { prefix, affinity } }) => {
    const host = hostOf(affinity);
    if (host === undefined || claims.has(`${affinity} ${formatPrefix(prefix)}`)) return [];
    return [{ prefix, host, isHostGone: !nodes.has(host) }];
  });
}
