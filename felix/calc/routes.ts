/** From inputs to routes: what this host should have, with the reason of each, and what it cannot have yet. */
import type { IpAddress, Prefix } from '../../src/model/ip.ts';
import { formatPrefix, hostPrefix, isHostPrefix } from '../../src/model/ip.ts';
import { ROUTE_CLASSES } from '../desired.ts';
import type { DataplaneInputs, LocalEndpoint } from '../inputs.ts';
import type { HostView } from './host-view.ts';
import { linkTrouble } from './host-view.ts';
import { planLearnedRoutes } from './learned-routes.ts';
import type { PlannedRoute } from './planned-route.ts';

/**
 * All routes of this host, in no particular order. At most one per prefix is without `unresolved`: where several want
 * a prefix, the first class of ROUTE_CLASSES that can be programmed wins.
 */
export function planRoutes(inputs: DataplaneInputs, host: HostView): readonly PlannedRoute[] {
  const candidates = [
    ...inputs.endpoints.flatMap((endpoint) => planWorkload(endpoint, host)),
    ...uniquePrefixes(inputs.localBlocks)
      .filter((block) => !isHostPrefix(block))
      .map(planBlock),
    ...planLearnedRoutes(inputs, host),
  ];
  return settleConflicts(candidates, host);
}

const uniquePrefixes = (prefixes: readonly Prefix[]): readonly Prefix[] => [
  ...new Map(prefixes.map((prefix) => [formatPrefix(prefix), prefix])).values(),
];

function planWorkload({ name, interfaceName, addresses }: LocalEndpoint, host: HostView): readonly PlannedRoute[] {
  const trouble = linkTrouble(host, interfaceName);
  return addresses.map((address: IpAddress) => ({
    route: {
      prefix: hostPrefix(address),
      class: 'local-workload',
      target: { kind: 'link', interfaceName },
      reason: `pod ${name} is on this node, behind ${interfaceName}`,
    },
    ...(trouble !== undefined && { unresolved: trouble }),
  }));
}

/** Without it a packet for an unused address of our block would follow the default route, come back, and loop. */
const planBlock = (prefix: Prefix): PlannedRoute => ({
  route: {
    prefix,
    class: 'local-block',
    target: { kind: 'blackhole' },
    reason: `block ${formatPrefix(prefix)} is this node's own: what no pod here uses is dropped`,
  },
});

function settleConflicts(candidates: readonly PlannedRoute[], host: HostView): readonly PlannedRoute[] {
  const winners = new Map<string, PlannedRoute>();
  const contenders: (readonly [string, PlannedRoute])[] = [];
  const settled: PlannedRoute[] = [];
  for (const candidate of candidates) {
    if (candidate.unresolved !== undefined) {
      settled.push(candidate);
      continue;
    }
    const key = formatPrefix(candidate.route.prefix);
    const holder = winners.get(key);
    contenders.push([key, candidate]);
    if (holder === undefined || precedence(candidate, holder, host) < 0) winners.set(key, candidate);
  }
  // Only now, when every contender was seen: what a loser says must not depend on whom it met first.
  for (const [key, candidate] of contenders) {
    const winner = winners.get(key)!;
    const { route } = winner;
    settled.push(
      candidate === winner ? candidate : { ...candidate, unresolved: `loses to ${route.class}: ${route.reason}` },
    );
  }
  return settled;
}

/**
 * Negative: `a` wins. Within a class the youngest interface (highest index) wins as in Calico; then the reason's text,
 * and the target's where even that is the same.
 */
function precedence(a: PlannedRoute, b: PlannedRoute, host: HostView): number {
  return (
    ROUTE_CLASSES.indexOf(a.route.class) - ROUTE_CLASSES.indexOf(b.route.class) ||
    ifindexOf(b, host) - ifindexOf(a, host) ||
    compareTexts(a.route.reason, b.route.reason) ||
    compareTexts(JSON.stringify(a.route.target), JSON.stringify(b.route.target))
  );
}

const compareTexts = (a: string, b: string): number => (a < b ? -1 : Number(a > b));

function ifindexOf({ route: { target } }: PlannedRoute, host: HostView): number {
  return target.kind === 'link' ? (host.links.get(target.interfaceName)?.index ?? 0) : 0;
}
