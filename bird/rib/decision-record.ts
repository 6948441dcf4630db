import { aigpMetric } from '../wire.ts';
import type { PathAttributes } from '../wire.ts';
import type { Candidate } from './decision.ts';
import { DEFAULT_LOCAL_PREF } from './quality.ts';
import { LLGR_STALE } from './well-known.ts';

/** What best path and policy look at, worked out once per attribute set. */
export interface DecisionRecord extends Pick<
  Candidate,
  'longLivedStale' | 'localPref' | 'aigp' | 'asPathLength' | 'origin' | 'med' | 'neighborAs'
> {
  readonly originatorId: number | undefined;
  readonly clusterListLength: number;
}

const ORIGINS = { igp: 0, egp: 1, incomplete: 2 } as const;

export function decisionRecord(attributes: PathAttributes): DecisionRecord {
  const path = attributes.asPath ?? [];
  // RFC 4271 §9.1.2.2 a) counts a set as one; RFC 5065 §5.3 confederation segments not at all.
  const lengths = path.map(({ type, asns }) => (type === 'sequence' ? asns.length : type === 'set' ? 1 : 0));
  const first = path.find(({ type }) => type === 'sequence' || type === 'set');
  return {
    longLivedStale: attributes.communities?.includes(LLGR_STALE) === true,
    aigp: aigpMetric(attributes),
    localPref: attributes.localPref ?? DEFAULT_LOCAL_PREF,
    asPathLength: lengths.reduce((sum, length) => sum + length, 0),
    origin: ORIGINS[attributes.origin ?? 'incomplete'],
    med: attributes.med ?? 0,
    neighborAs: first?.type === 'sequence' ? (first.asns[0] ?? 0) : 0,
    originatorId: attributes.originatorId,
    clusterListLength: attributes.clusterList?.length ?? 0,
  };
}
