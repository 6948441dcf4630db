import type { Prefix } from '../../src/model/ip.ts';
import { compareAddresses, formatIpAddress, formatPrefix, prefixContainsAddress } from '../../src/model/ip.ts';
import type { LearnedRoute } from '../../src/model/route.ts';
import type { Hop, RouteClass } from '../desired.ts';
import { ROUTE_CLASSES } from '../desired.ts';
import type { DataplaneInputs, Pool } from '../inputs.ts';
import type { HostView, NextHop } from './host-view.ts';
import { resolveNextHop } from './host-view.ts';
import type { PlannedHop } from './next-hop.ts';
import { planHop, tunnelLoop } from './next-hop.ts';
import type { PlannedRoute } from './planned-route.ts';
import { refusePrefix } from './refusal.ts';
import type { Surroundings } from './surroundings.ts';
import { blockOf, isOwnAddress, nextHopText, poolOf, surroundings } from './surroundings.ts';

/** Routes that bird learned. Nothing is dropped in silence: what cannot be is there with the reason. */
export function planLearnedRoutes(inputs: DataplaneInputs, host: HostView): readonly PlannedRoute[] {
  const onLink = surroundings(inputs, host, (nextHop) => resolveNextHop(host, nextHop));
  const isNeighbour = (nextHop: NextHop): boolean => {
    const resolution = onLink.resolve(nextHop);
    return 'hop' in resolution && resolution.isOnLink;
  };
  if (inputs.learned.every((learned) => nextHopsOf(learned).every(isNeighbour))) return planAll(inputs.learned, onLink);
  // A next hop may be reachable only through a route that a ToR told us. Routes whose own next hop is a neighbour are
  // safe to resolve through: they cannot depend on the route in question.
  const ways = inputs.learned
    .flatMap((learned) => neighbourWay(learned, onLink))
    .sort((a, b) => compareAddresses(a.hops[0].gateway, b.hops[0].gateway));
  const resolve = (nextHop: NextHop) => resolveNextHop(host, nextHop, ways);
  return planAll(inputs.learned, surroundings(inputs, host, resolve));
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
  if (isInPool || refusePrefix(prefix, around.host, around.foreign) !== undefined) return [];
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

/** What a route has from its next hops alone; routes of a full table share it. */
type Course = Pick<PlannedRoute, 'unresolved' | 'isRefused' | 'meanwhile'> & {
  readonly route: Omit<PlannedRoute['route'], 'prefix'>;
  readonly hops: readonly PlannedHop[];
};

function planAll(learned: readonly LearnedRoute[], around: Surroundings): readonly PlannedRoute[] {
  const courses = new Map<string, Course>();
  return learned.map((one) => {
    const { prefix } = one;
    const pool = poolOf(prefix, around);
    const block = blockOf(prefix, around);
    const nextHops = nextHopsOf(one);
    const context = { prefix, pool, block, around };
    if (block !== undefined) {
      const hops = nextHops.map((nextHop) => planHop(nextHop, context));
      return asRoute(prefix, courseOf(one, pool, hops), around);
    }
    const key = [prefix.address.family, pool?.name, one.learnedFrom, ...nextHops.map(nextHopText)].join(' ');
    const known = courses.get(key);
    const course =
      known ??
      courseOf(
        one,
        pool,
        nextHops.map((nextHop) => planHop(nextHop, context)),
      );
    if (known === undefined) courses.set(key, course);
    if (!course.hops.some(({ outer }) => outer !== undefined && prefixContainsAddress(prefix, outer))) {
      return asRoute(prefix, course, around);
    }
    const checked = course.hops.map((hop) => tunnelLoop(prefix, hop));
    return asRoute(prefix, courseOf(one, pool, checked), around);
  });
}

function courseOf({ learnedFrom }: LearnedRoute, pool: Pool | undefined, hops: readonly PlannedHop[]): Course {
  const usable = hops.filter((hop) => hop.unresolved === undefined);
  const shown = usable.length > 0 ? usable : hops;
  const route = {
    class: firstClass(shown.map((hop) => hop.class)),
    target: { kind: 'via', hops: distinctHops(shown.flatMap(({ hop }) => (hop === undefined ? [] : [hop]))) },
    reason: `${distinct(shown.map(({ reason }) => reason)).join('; ')} (learned from ${learnedFrom})`,
    ...(pool !== undefined && { pool: pool.name }),
  } as const;
  // Several next hops have no one older way that all of them took.
  const meanwhile = hops.length === 1 ? hops[0]!.meanwhile : undefined;
  if (usable.length > 0) return { route, hops, ...(meanwhile && { meanwhile }) };
  const troubles = distinct(hops.map(({ unresolved }) => unresolved ?? ''));
  const isRefused = hops.every((hop) => hop.isRefused === true);
  return { route, hops, unresolved: troubles.join('; ') || 'it has no next hop', ...(isRefused && { isRefused }) };
}

function asRoute(prefix: Prefix, course: Course, around: Surroundings): PlannedRoute {
  const { unresolved, isRefused, meanwhile } = course;
  const route = { prefix, ...course.route };
  const refusal =
    refusePrefix(prefix, around.host, around.foreign) ??
    (route.pool === undefined ? refuseTakeover(prefix, around) : undefined);
  if (refusal !== undefined) {
    return { route, unresolved: `${formatPrefix(prefix)} is refused: ${refusal}`, isRefused: true };
  }
  if (unresolved === undefined) return meanwhile === undefined ? { route } : { route, meanwhile };
  return { route, unresolved, ...(isRefused && { isRefused }) };
}

/** A route outside the pools is one among the host's; one that somebody else set for the same prefix stays. */
function refuseTakeover(prefix: Prefix, { foreign, host }: Surroundings): string | undefined {
  if (foreign.size === 0) return undefined;
  const holder = foreign.get(formatPrefix(prefix));
  if (holder?.protocol === host.abandonedProtocol) return undefined;
  return holder && `the host has its own route for it (protocol ${holder.protocol})`;
}

const firstClass = (classes: readonly RouteClass[]): RouteClass =>
  ROUTE_CLASSES.find((name) => classes.includes(name)) ?? 'external';

const distinct = (texts: readonly string[]): readonly string[] => [...new Set(texts)];

/** Two nodes may resolve to one gateway; the kernel would count that gateway twice. */
function distinctHops(hops: readonly Hop[]): readonly Hop[] {
  const key = ({ gateway, interfaceName }: Hop): string => `${formatIpAddress(gateway)} ${interfaceName}`;
  return [...new Map(hops.map((hop) => [key(hop), hop])).values()];
}
