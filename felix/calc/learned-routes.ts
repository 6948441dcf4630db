import type { IpFamily, Prefix } from '../../src/model/ip.ts';
import { compareAddresses, formatIpAddress, formatPrefix, prefixContainsAddress } from '../../src/model/ip.ts';
import type { LearnedRoute } from '../../src/model/route.ts';
import { isSame } from '../../src/model/same.ts';
import type { Hop, RouteClass } from '../desired.ts';
import { ROUTE_CLASSES } from '../desired.ts';
import type { DataplaneInputs, Pool } from '../inputs.ts';
import { prefixId } from '../routes/route-id.ts';
import type { HostView, NextHop } from './host-view.ts';
import { resolveNextHop } from './host-view.ts';
import type { HopContext, PlannedHop } from './next-hop.ts';
import { planHop, tunnelLoop } from './next-hop.ts';
import { PlanMemory, Recent } from './plan-memory.ts';
import type { Course } from './planned-route.ts';
import { peerWays } from './peer-gateways.ts';
import { refusePrefix, refuseTakeover } from './refusal.ts';
import type { RoutePlanBuilder } from './route-plan.ts';
import type { Resolved, Surroundings } from './surroundings.ts';
import { blockOf, fixedSurroundings, isOwnAddress, nextHopText, poolOf, remembering } from './surroundings.ts';

/** So many routes are planned in some milliseconds. */
const STEP_ROUTES = 2048;

/** What one calculation decided by. */
export interface Judgement {
  readonly fixed: Omit<Surroundings, 'resolve'>;
  /** Over the host's own routes and those to peers. */
  readonly onLink: Resolved;
  readonly indirect: Indirect | undefined;
  readonly courses: CourseMemory;
}

/** Learned routes through which next hops are resolved, beside the host's. */
interface Indirect {
  readonly ways: readonly NeighbourWay[];
  readonly resolved: Resolved;
}

interface LearnedWish {
  readonly inputs: DataplaneInputs;
  readonly host: HostView;
  /** Of the calculations before. */
  readonly memory?: PlanMemory<Judgement> | undefined;
}

/** A peer may tell of a full table of such ways, which is not to be in memory between two calculations. */
const MOST_WAYS_KEPT = 1024;

/**
 * Adds the routes that bird learned, some at a time. Nothing is dropped in silence: what cannot be is there with the reason.
 * With a memory it decides only on what the calculation before did not.
 */
export function* planLearnedRoutes(
  { inputs, host, memory = new PlanMemory() }: LearnedWish,
  plan: Pick<RoutePlanBuilder, 'add'>,
): Generator<undefined, void> {
  const before = memory.recall(inputs, host);
  const toPeers = peerWays(inputs, host);
  const fixed = before?.fixed ?? fixedSurroundings(inputs, host);
  const onLink: Resolved = new Recent(before?.onLink);
  const direct = { ...fixed, resolve: remembering((nextHop) => resolveNextHop(host, nextHop, toPeers), onLink) };
  let isFlat = true;
  for (const some of inSteps(inputs.learned)) {
    isFlat &&= some.every((learned) => nextHopsOf(learned).every((nextHop) => isNeighbour(nextHop, direct)));
    if (some.length === STEP_ROUTES) yield;
  }
  const ways = isFlat ? undefined : yield* safeWays(inputs, direct);
  const isAlike = isSame(ways, before?.indirect?.ways);
  const indirect = ways && { ways, resolved: new Recent(isAlike ? before?.indirect?.resolved : undefined) };
  const safe = [...toPeers, ...(ways ?? [])];
  const around =
    indirect === undefined
      ? direct
      : { ...fixed, resolve: remembering((nextHop) => resolveNextHop(host, nextHop, safe), indirect.resolved) };
  const courses = new CourseMemory(isAlike ? before?.courses : undefined);
  for (const some of inSteps(inputs.learned)) {
    for (const learned of some) plan.add(prefixId(learned.prefix), planOne(learned, around, courses));
    if (some.length === STEP_ROUTES) yield;
  }
  if (safe.length <= MOST_WAYS_KEPT) memory.note(inputs, host, { fixed, onLink, indirect, courses });
}

/**
 * A next hop may be reachable only through a route that a ToR told us. Routes whose own next hop is a neighbour are safe to resolve
 * through: they cannot depend on the route in question.
 */
function* safeWays(inputs: DataplaneInputs, direct: Surroundings): Generator<undefined, readonly NeighbourWay[]> {
  const ways: NeighbourWay[] = [];
  for (const some of inSteps(inputs.learned)) {
    for (const learned of some) ways.push(...neighbourWay(learned, direct));
    if (some.length === STEP_ROUTES) yield;
  }
  return ways.sort((a, b) => compareAddresses(a.hops[0].gateway, b.hops[0].gateway));
}

function* inSteps<T>(list: readonly T[]): Generator<readonly T[]> {
  for (let start = 0; start < list.length; start += STEP_ROUTES) yield list.slice(start, start + STEP_ROUTES);
}

function isNeighbour(nextHop: NextHop, around: Surroundings): boolean {
  const resolution = around.resolve(nextHop);
  return 'hop' in resolution && resolution.isOnLink;
}

/** In order of address and link: the order in which bird names them says nothing. */
const nextHopsOf = ({ nextHops, interfaces }: LearnedRoute): readonly NextHop[] =>
  nextHops.length === 1
    ? [{ address: nextHops[0]!, interfaceName: interfaces?.[0] }]
    : nextHops
        .map((address, i) => ({ address, interfaceName: interfaces?.[i] }))
        .sort(
          (a, b) =>
            compareAddresses(a.address, b.address) || ((a.interfaceName ?? '') < (b.interfaceName ?? '') ? -1 : 1),
        );

interface NeighbourWay {
  readonly prefix: Prefix;
  readonly hops: readonly [Hop, ...Hop[]];
}

function neighbourWay(learned: LearnedRoute, around: Surroundings): readonly NeighbourWay[] {
  const { prefix } = learned;
  const isInPool = poolOf(prefix, around) !== undefined;
  if (isInPool || refusePrefix(prefix, around) !== undefined) return [];
  const hops = nextHopsOf(learned).flatMap((nextHop) => {
    const { address } = nextHop;
    const isImpossible = prefix.address.family === 6 && address.family === 4;
    if (isOwnAddress(address, around) || isImpossible) return [];
    const resolution = around.resolve(nextHop);
    return 'hop' in resolution && resolution.isOnLink ? [resolution.hop] : [];
  });
  const [first, ...rest] = hops;
  return first === undefined ? [] : [{ prefix, hops: [first, ...rest] }];
}

/** What next hops lead to, and how each was decided. */
interface Decision {
  readonly course: Course;
  readonly hops: readonly PlannedHop[];
}

/** Routes with equal next hops, in one pool and from one peer, share their course. */
class CourseMemory {
  readonly #byPeer = new Map<string, Recent<number | string, Decision>>();
  readonly #before: ReadonlyMap<string, Recent<number | string, Decision>>;

  constructor(before?: CourseMemory) {
    this.#before = before === undefined ? new Map() : before.#byPeer;
  }

  of(learnedFrom: string): Recent<number | string, Decision> {
    const known = this.#byPeer.get(learnedFrom);
    if (known !== undefined) return known;
    const recent = new Recent(this.#before.get(learnedFrom));
    this.#byPeer.set(learnedFrom, recent);
    return recent;
  }
}

function planOne(learned: LearnedRoute, around: Surroundings, courses: CourseMemory): Course {
  const { prefix, learnedFrom } = learned;
  const pool = poolOf(prefix, around);
  const block = blockOf(prefix, around);
  const nextHops = nextHopsOf(learned);
  if (block !== undefined) {
    return unlessRefused(prefix, decide(learned, nextHops, { prefix, pool, block, around }).course, around);
  }
  const known = courses.of(learnedFrom);
  const key = courseKey(nextHops, prefix.address.family, pool === undefined ? 0 : around.pools.indexOf(pool) + 1);
  let shared = known.get(key);
  if (shared === undefined) {
    shared = decide(learned, nextHops, { prefix, pool, block, around });
    known.set(key, shared);
  }
  if (!shared.hops.some(({ outer }) => outer !== undefined && prefixContainsAddress(prefix, outer))) {
    return unlessRefused(prefix, shared.course, around);
  }
  const checked = shared.hops.map((hop) => tunnelLoop(prefix, hop));
  return unlessRefused(prefix, decision(learned, pool, checked).course, around);
}

const decide = (learned: LearnedRoute, nextHops: readonly NextHop[], context: HopContext): Decision =>
  decision(
    learned,
    context.pool,
    nextHops.map((nextHop) => planHop(nextHop, context)),
  );

/** All of a decision's arguments but the peer. A single IPv4 next hop, which most have, makes a number. */
function courseKey(nextHops: readonly NextHop[], family: IpFamily, pool: number): number | string {
  const place = pool * 2 + (family === 4 ? 0 : 1);
  const [only] = nextHops;
  const isPlain = nextHops.length === 1 && only?.address.family === 4 && only.interfaceName === undefined;
  return isPlain ? place * 2 ** 32 + only.address.words[0]! : [place, ...nextHops.map(nextHopText)].join(' ');
}

function decision({ learnedFrom }: LearnedRoute, pool: Pool | undefined, hops: readonly PlannedHop[]): Decision {
  const usable = hops.filter((hop) => hop.unresolved === undefined);
  const shown = usable.length > 0 ? usable : hops;
  const route = {
    class: firstClass(shown.map((hop) => hop.class)),
    target: { kind: 'via', hops: distinctHops(shown.flatMap(({ hop }) => (hop === undefined ? [] : [hop]))) },
    reason: `${distinct(shown.map(({ reason }) => reason)).join('; ')} (learned from ${learnedFrom})`,
    ...(pool !== undefined && { pool: pool.name }),
  } as const;
  if (usable.length > 0) {
    // Several next hops have no one older way that all of them took.
    const meanwhile = hops.length === 1 ? hops[0]!.meanwhile : undefined;
    return { course: { route, ...(meanwhile && { meanwhile }) }, hops };
  }
  const troubles = distinct(hops.map(({ unresolved }) => unresolved ?? ''));
  const isRefused = hops.every((hop) => hop.isRefused === true);
  const unresolved = troubles.join('; ') || 'it has no next hop';
  return { course: { route, unresolved, ...(isRefused && { isRefused }) }, hops };
}

function unlessRefused(prefix: Prefix, course: Course, around: Surroundings): Course {
  const { route } = course;
  const refusal =
    refusePrefix(prefix, around) ?? (route.pool === undefined ? refuseTakeover(prefix, around) : undefined);
  if (refusal === undefined) return course;
  return { route, unresolved: `${formatPrefix(prefix)} is refused: ${refusal}`, isRefused: true };
}

const firstClass = (classes: readonly RouteClass[]): RouteClass =>
  ROUTE_CLASSES.find((name) => classes.includes(name)) ?? 'external';

const distinct = (texts: readonly string[]): readonly string[] => [...new Set(texts)];

/** Two nodes may resolve to one gateway; the kernel would count that gateway twice. */
function distinctHops(hops: readonly Hop[]): readonly Hop[] {
  const key = ({ gateway, interfaceName }: Hop): string => `${formatIpAddress(gateway)} ${interfaceName}`;
  return [...new Map(hops.map((hop) => [key(hop), hop])).values()];
}
