/** Best path by elimination, as RFC 4271 §9.1.2.2 words it: "remove from consideration". Pure. */
import type { DecisionSettings } from '../settings.ts';

/** One path of a prefix, with what the decision looks at and nothing else. */
export interface Candidate {
  /** Which table it stands in; 0 is this node itself. */
  readonly source: number;
  readonly local: boolean;
  /** Carries LLGR_STALE. RFC 9494 §4.3. */
  readonly longLivedStale: boolean;
  readonly localPref: number;
  /** The accumulated metric, where the path has one. RFC 7311 §3. */
  readonly aigp: bigint | undefined;
  /** AS_SET counts one, confederation segments nothing. */
  readonly asPathLength: number;
  /** 0 IGP, 1 EGP, 2 INCOMPLETE. */
  readonly origin: number;
  /** Missing is 0, RFC 4271 §9.1.2.2 c). */
  readonly med: number;
  /** The AS that the route came from; 0 where the path is empty. */
  readonly neighborAs: number;
  readonly external: boolean;
  readonly igpCost: number;
  /** ORIGINATOR_ID where there is one, else the peer's BGP Identifier. RFC 4456 §9. */
  readonly routerId: number;
  readonly clusterListLength: number;
  readonly peerAddress: bigint;
  /** RFC 7911; 0 where the path came without. */
  readonly pathId: number;
}

/** One tie-break: removes candidates, never adds or reorders. */
interface TieBreak {
  readonly rule: string;
  readonly keep: (candidates: readonly Candidate[]) => readonly Candidate[];
}

/** The whole order of questions. */
export interface DecisionProcess {
  /** Paths that are equal after these may carry traffic side by side: what follows only breaks ties. */
  readonly qualities: readonly TieBreak[];
  readonly ties: readonly TieBreak[];
}

export function decisionProcess({ alwaysCompareMed = false, aigp = false }: DecisionSettings = {}): DecisionProcess {
  return { qualities: aigp ? withAigp(qualities(alwaysCompareMed)) : qualities(alwaysCompareMed), ties };
}

const qualities = (alwaysCompareMed: boolean): readonly TieBreak[] => [
  { rule: 'originated by this node', keep: (c) => lowest(c, (r) => (r.local ? 0 : 1)) },
  { rule: 'not long-lived stale', keep: (c) => lowest(c, (r) => (r.longLivedStale ? 1 : 0)) },
  { rule: LOCAL_PREF_RULE, keep: (c) => lowest(c, (r) => -r.localPref) },
  { rule: 'a) shorter AS_PATH', keep: (c) => lowest(c, (r) => r.asPathLength) },
  { rule: 'b) lower ORIGIN', keep: (c) => lowest(c, (r) => r.origin) },
  alwaysCompareMed
    ? { rule: 'c) lower MED', keep: (c) => lowest(c, (r) => r.med) }
    : { rule: 'c) lower MED per neighboring AS', keep: lowestMedPerNeighborAs },
  { rule: 'd) EBGP over IBGP', keep: (c) => lowest(c, (r) => (r.external ? 0 : 1)) },
  { rule: 'e) lower interior cost', keep: (c) => lowest(c, (r) => r.igpCost) },
];

const LOCAL_PREF_RULE = 'higher LOCAL_PREF';

/** After the degree of preference and before AS_PATH, RFC 7311 §4.1. */
function withAigp(rules: readonly TieBreak[]): readonly TieBreak[] {
  return rules.flatMap((each) => (each.rule === LOCAL_PREF_RULE ? [each, ...aigpRules] : [each]));
}

const aigpRules: readonly TieBreak[] = [
  { rule: 'AIGP over none', keep: (c) => lowest(c, (r) => (r.aigp === undefined ? 1 : 0)) },
  { rule: 'lower AIGP', keep: (c) => lowest(c, (r) => (r.aigp ?? 0n) + BigInt(r.igpCost)) },
];

/** CLUSTER_LIST per RFC 4456 §9. The same result whatever came first: no rule asks for the older path. */
const ties: readonly TieBreak[] = [
  { rule: 'f) lower BGP Identifier', keep: (c) => lowest(c, (r) => r.routerId) },
  { rule: 'shorter CLUSTER_LIST', keep: (c) => lowest(c, (r) => r.clusterListLength) },
  { rule: 'g) lower peer address', keep: (c) => lowest(c, (r) => r.peerAddress) },
  { rule: 'lower path identifier', keep: (c) => lowest(c, (r) => r.pathId) },
];

export interface Selection {
  readonly best: Candidate;
  /** The best first, then every path as good as it but for the final tie-breaks. */
  readonly multipath: readonly Candidate[];
  /** For each candidate that lost, the rule that removed it. */
  readonly lostBy: ReadonlyMap<Candidate, string>;
}

const DEFAULT_PROCESS = decisionProcess();

export function selectBest(
  candidates: readonly Candidate[],
  process: DecisionProcess = DEFAULT_PROCESS,
): Selection | undefined {
  const lostBy = new Map<Candidate, string>();
  const equals = eliminate(candidates, process.qualities, lostBy);
  const [best] = eliminate(equals, process.ties, lostBy);
  if (best === undefined) return undefined;
  const others = equals.filter((c) => c !== best).sort(byPeerAndPath);
  return { best, multipath: [best, ...others], lostBy };
}

function byPeerAndPath(a: Candidate, b: Candidate): number {
  if (a.peerAddress !== b.peerAddress) return a.peerAddress < b.peerAddress ? -1 : 1;
  return a.pathId - b.pathId;
}

function eliminate(
  candidates: readonly Candidate[],
  rules: readonly TieBreak[],
  lostBy: Map<Candidate, string>,
): readonly Candidate[] {
  let left = candidates;
  for (const { rule, keep } of rules) {
    const kept = keep(left);
    if (kept.length === left.length) continue;
    for (const candidate of left) if (!kept.includes(candidate)) lostBy.set(candidate, rule);
    left = kept;
  }
  return left;
}

/** MED compares only within one neighboring AS. "Better" is therefore not transitive, and no sort order exists. */
function lowestMedPerNeighborAs(candidates: readonly Candidate[]): readonly Candidate[] {
  if (candidates.length <= 1) return candidates;
  return [...Map.groupBy(candidates, (r) => r.neighborAs).values()].flatMap((group) => lowest(group, (r) => r.med));
}

function lowest(candidates: readonly Candidate[], measure: (c: Candidate) => number | bigint): readonly Candidate[] {
  if (candidates.length <= 1) return candidates;
  const best = candidates.map(measure).reduce((a, b) => (b < a ? b : a));
  return candidates.filter((c) => measure(c) === best);
}
