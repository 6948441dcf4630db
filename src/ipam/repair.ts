import type { Prefix } from '../model/ip.ts';
import { formatPrefix } from '../model/ip.ts';
import type { Allocation, Audit, WrongCount } from './audit.ts';

/** One earlier audit, as far as a repair goes by it. */
export interface Evidence {
  /** Milliseconds since 1970. */
  readonly takenAt: number;
  readonly leaked: readonly Pick<Allocation, 'ip' | 'handle' | 'sequenceNumber'>[];
  readonly leakedHandles: Audit['leakedHandles'];
  readonly wrongCounts: readonly Pick<WrongCount, 'handle' | 'cidr' | 'revision'>[];
  readonly affinitiesWithoutNode: readonly {
    readonly node: string;
    readonly cidr: string;
    readonly revision: number;
  }[];
  readonly blocksWithoutAffinity: readonly { readonly host: string; readonly cidr: string }[];
}

export interface RepairRules {
  readonly nowMs: number;
  /** An address counts as leaked only if it was so already that long ago. */
  readonly graceMs: number;
  /** Takes for the grace that an address was assigned that long ago, by its own timestamp: no report need be that old. */
  readonly byOwnAge: boolean;
}

export interface RepairPlan {
  readonly addresses: readonly Allocation[];
  readonly handles: Audit['leakedHandles'];
  readonly counts: readonly WrongCount[];
  /** A claim with its block, or a block alone, of hosts that are gone. */
  readonly claims: readonly { readonly node: string; readonly prefix: Prefix; readonly revision?: number }[];
  /** What the reports say is leaked and is left alone: `10.65.0.1: it is in use by Workload(default/web)`. */
  readonly kept: readonly string[];
}

/**
 * What may be repaired: only what every report found and is so now, too. An address goes if no endpoint and no tunnel has it (twice looked), it is
 * the same assignment (handle and sequence number), and the grace is over.
 */
export function repairPlan(evidence: readonly Evidence[], now: Audit, rules: RepairRules): RepairPlan {
  const addresses: Allocation[] = [];
  const kept: string[] = [];
  for (const { ip } of evidence[0]?.leaked ?? []) {
    const current = now.allocations.find((one) => one.ip === ip);
    const reason = reasonToKeep(ip, current, { evidence, rules });
    if (reason !== undefined) kept.push(`${ip}: ${reason}`);
    else if (current !== undefined) addresses.push(current);
  }
  const [inHandles, inCounts, inClaims, inBlocks] = [
    inAll(evidence, ({ leakedHandles }) => leakedHandles.map(({ id, revision }) => `${id} ${revision}`)),
    inAll(evidence, ({ wrongCounts }) =>
      wrongCounts.map(({ handle, cidr, revision }) => `${handle} ${cidr} ${revision}`),
    ),
    inAll(evidence, (one) =>
      one.affinitiesWithoutNode.map(({ node, cidr, revision }) => `${node} ${cidr} ${revision}`),
    ),
    inAll(evidence, (one) => one.blocksWithoutAffinity.map(({ host, cidr }) => `${host} ${cidr}`)),
  ];
  const found = {
    handles: now.leakedHandles.filter(({ id, revision }) => inHandles(`${id} ${revision}`)),
    counts: now.wrongCounts.filter(({ handle, cidr, revision }) => inCounts(`${handle} ${cidr} ${revision}`)),
    claims: [
      ...now.affinitiesWithoutNode.filter(({ node, prefix, revision }) =>
        inClaims(`${node} ${formatPrefix(prefix)} ${revision}`),
      ),
      ...now.blocksWithoutAffinity
        .filter(({ host, prefix, isHostGone }) => isHostGone && inBlocks(`${host} ${formatPrefix(prefix)}`))
        .map(({ host, prefix }) => ({ node: host, prefix })),
    ],
  };
  // Calico raises a count before it writes the block: what looks leaked may be an assignment on its way.
  const left = firstSeen(evidence) + rules.graceMs - rules.nowMs;
  const others = found.handles.length + found.counts.length + found.claims.length;
  if (left <= 0 || others === 0) return { addresses, ...found, kept };
  const sentence = `${others} handles, counts and claims: the grace period has ${Math.ceil(left / 1000)} s to go`;
  return { addresses, handles: [], counts: [], claims: [], kept: [...kept, sentence] };
}

/** When the oldest report was made, milliseconds since 1970. */
const firstSeen = (evidence: readonly Evidence[]): number => Math.min(...evidence.map(({ takenAt }) => takenAt));

interface Judging {
  readonly evidence: readonly Evidence[];
  readonly rules: RepairRules;
}

function reasonToKeep(ip: string, current: Allocation | undefined, { evidence, rules }: Judging): string | undefined {
  if (current === undefined || current.verdict === 'resting') return 'it is free by now';
  if (current.verdict === 'in-use') return `it is in use by ${current.owners.join(', ')}`;
  if (current.verdict === 'unknown') return 'its handle belongs to somebody alive, or to neither a pod nor a tunnel';
  const sightings = evidence.map(({ leaked }) => leaked.find((one) => one.ip === ip));
  if (sightings.some((one) => one === undefined)) return 'not all reports have it as leaked';
  if (sightings.some((one) => one?.handle !== current.handle || one.sequenceNumber !== current.sequenceNumber)) {
    return `it was assigned anew since, to handle '${current.handle ?? '<none>'}'`;
  }
  const since = firstSeen(evidence);
  const assignedAt = Date.parse(current.attributes['timestamp'] ?? '');
  const known = rules.byOwnAge && !Number.isNaN(assignedAt) ? Math.min(since, assignedAt) : since;
  const left = known + rules.graceMs - rules.nowMs;
  return left > 0 ? `the grace period has ${Math.ceil(left / 1000)} s to go` : undefined;
}

/** Whether all of them have a name. */
function inAll(evidence: readonly Evidence[], names: (one: Evidence) => readonly string[]): (name: string) => boolean {
  const sets = evidence.map((one) => new Set(names(one)));
  return (name) => sets.length > 0 && sets.every((set) => set.has(name));
}
