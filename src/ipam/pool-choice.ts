import { InvalidValueError } from '../model/invalid.ts';
import type { IpFamily } from '../model/ip.ts';
import { parsePrefix, samePrefix } from '../model/ip.ts';
import type { Labels } from '../model/selector.ts';
import { matchesSelector, parseSelector } from '../model/selector.ts';
import type { IpamPool } from './plan.ts';

/** An IPPool with the rules that say who may take addresses from it. */
export interface RuledPool extends IpamPool {
  readonly disabled: boolean;
  readonly allowedUses: readonly string[];
  readonly assignmentMode: 'Automatic' | 'Manual';
  readonly nodeSelector: string;
  /** Absent or empty: every namespace. */
  readonly namespaceSelector?: string;
}

export interface Applicant {
  readonly use: 'Workload' | 'Tunnel';
  readonly node: string;
  readonly nodeLabels: Labels;
  /** Absent: both. */
  readonly family?: IpFamily;
  /** Of a workload. Without `labels` nobody knows them, and a selector of namespaces selects it only where it selects all. */
  readonly namespace?: { readonly name: string; readonly labels?: Labels };
  /**
   * Names or CIDRs, as an annotation of a pod gives them. These are taken whatever their selectors and their assignment mode say; each must
   * be there and be usable.
   */
  readonly requested?: readonly string[];
}

export interface PassedOver<P> {
  readonly pool: P;
  /** What follows `NAME: `, such as `disabled`. */
  readonly reason: string;
}

export interface PoolChoice<P> {
  readonly chosen: readonly P[];
  readonly passedOver: readonly PassedOver<P>[];
}

/**
 * Which pools an applicant takes addresses from, and why from none of the others. Pools keep their order; requested ones come in the
 * order of the request. Throws InvalidValueError for a requested pool that is not there or cannot be used.
 */
export function choosePools<P extends RuledPool>(pools: readonly P[], applicant: Applicant): PoolChoice<P> {
  if (applicant.requested !== undefined) return requestedPools(pools, applicant, applicant.requested);
  const judged = pools.map((pool) => ({
    pool,
    reason: unusable(pool, applicant) ?? unselected(pool, applicant),
  }));
  return {
    chosen: judged.flatMap(({ pool, reason }) => (reason === undefined ? [pool] : [])),
    passedOver: judged.flatMap(({ pool, reason }) => (reason === undefined ? [] : [{ pool, reason }])),
  };
}

/** `pool-a: disabled; pool-b: …`; of no pool at all, that there is none. */
export const passedOverText = (passedOver: readonly PassedOver<RuledPool>[]): string =>
  passedOver.length === 0
    ? 'there is none'
    : passedOver.map(({ pool, reason }) => `${pool.name}: ${reason}`).join('; ');

function requestedPools<P extends RuledPool>(
  pools: readonly P[],
  applicant: Applicant,
  requested: readonly string[],
): PoolChoice<P> {
  const chosen = requested.map((wanted) => {
    const pool = pools.find((candidate) => candidate.name === wanted || hasCidr(candidate, wanted));
    if (pool === undefined) throw new InvalidValueError('pools', wanted, 'there is no IP pool of that name or CIDR');
    const reason = unusable(pool, applicant);
    if (reason !== undefined) throw new InvalidValueError('pools', wanted, `cannot be used: ${reason}`);
    return pool;
  });
  const others = pools.filter((pool) => !chosen.includes(pool));
  return { chosen: [...new Set(chosen)], passedOver: others.map((pool) => ({ pool, reason: 'not asked for' })) };
}

/** What no request overrides. */
function unusable({ cidr, disabled, allowedUses }: RuledPool, { family, use }: Applicant): string | undefined {
  if (disabled) return 'disabled';
  if (family !== undefined && cidr.address.family !== family) return `no IPv${family} pool`;
  if (!allowedUses.includes(use)) return `its allowedUses are ${allowedUses.join(', ') || 'none'}, not ${use}`;
  return undefined;
}

function unselected(pool: RuledPool, { use, node, nodeLabels, namespace }: Applicant): string | undefined {
  // Tunnels take from every pool that encapsulates, as with Calico, whose agent asks for them by their CIDRs.
  if (use === 'Workload' && pool.assignmentMode === 'Manual') return 'its assignmentMode is Manual';
  if (!matchesSelector(parseSelector(pool.nodeSelector, `nodeSelector of ${pool.name}`), nodeLabels)) {
    return `its nodeSelector ${pool.nodeSelector} does not select node ${node}`;
  }
  return use === 'Workload' ? closedToNamespace(pool, namespace) : undefined;
}

function closedToNamespace(
  { name, namespaceSelector = '' }: RuledPool,
  namespace: Applicant['namespace'],
): string | undefined {
  const selector = parseSelector(namespaceSelector, `namespaceSelector of ${name}`);
  if (selector.op === 'all') return undefined;
  if (namespace === undefined) return `its namespaceSelector ${namespaceSelector} asks for a namespace`;
  if (namespace.labels === undefined) {
    return `its namespaceSelector ${namespaceSelector} cannot be judged: nobody knows the labels of namespace ${namespace.name}`;
  }
  if (matchesSelector(selector, namespace.labels)) return undefined;
  return `its namespaceSelector ${namespaceSelector} does not select namespace ${namespace.name}`;
}

function hasCidr({ cidr }: IpamPool, text: string): boolean {
  try {
    return samePrefix(parsePrefix(text), cidr);
  } catch (error) {
    if (error instanceof InvalidValueError) return false;
    throw error;
  }
}
