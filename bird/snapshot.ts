/** The tables as people and the agent see them: addresses and prefixes as objects, every path with its reason. */
import type { IpAddress, IpFamily } from '../src/model/ip.ts';
import { compareAddresses, comparePrefixes, formatIpAddress, isIpv6LinkLocal, sameAddress } from '../src/model/ip.ts';
import type { LearnedRoute } from '../src/model/route.ts';
import { addressFromOctets } from './peer/address.ts';
import type { Best, LocRib } from './rib/loc-rib.ts';
import { pathIn } from './routing/explain.ts';
import type { PathState } from './routing/explain.ts';
import type { Routing, RoutingPeer } from './routing.ts';
import { FAMILIES, LOCAL_SOURCE } from './routing.ts';
import { routeTexts } from './route-texts.ts';
import type { RouteQuestion, RouteView } from './view.ts';

/** `10.0.0.2 (eBGP)`, `fe80::1%eth0 (global)`. */
export const peerText = ({ settings }: Pick<RoutingPeer, 'settings'>): string => {
  const { address, interface: link, kind } = settings;
  return `${formatIpAddress(address)}${link === undefined ? '' : `%${link}`} (${kind})`;
};

/**
 * Every best route that came from a peer; paths as good as the best add their next hops. Routes that came one after the other mostly
 * have the same way: they share what tells it, for an agent keeps tens of thousands.
 */
export function learnedRoutes(routing: Routing): readonly LearnedRoute[] {
  const routes: LearnedRoute[] = [];
  let paths: readonly Best[] = [];
  let way: Way | undefined;
  for (const family of FAMILIES) {
    const { locRib, prefixes } = routing.tables[family];
    locRib.forEachBest((prefix, source, attributes) => {
      const peer = routing.peer(source);
      if (source === LOCAL_SOURCE || peer === undefined) return;
      const equals = locRib.equals(prefix);
      if (way === undefined || !isSameWay(paths, equals, { source, attributes })) {
        paths = equals ?? [{ source, attributes }];
        way = wayOf(routing, paths, peer);
      }
      const { nextHops, interfaces, learnedFrom } = way;
      // Not spread: V8 would keep the fields apart from the object.
      const route = { prefix: prefixes.prefix(prefix), nextHops, learnedFrom };
      routes.push(interfaces === undefined ? route : { ...route, interfaces });
    });
  }
  return routes;
}

type Way = Omit<LearnedRoute, 'prefix'>;

function wayOf(routing: Routing, paths: readonly Best[], peer: RoutingPeer): Way {
  const hops = equalHops(paths.flatMap((path) => hopOf(routing, path)));
  const links = hops.map((hop) => hop.interface);
  return {
    nextHops: hops.map(({ address }) => address),
    ...(links.some((link) => link !== undefined) && { interfaces: links }),
    learnedFrom: peerText(peer),
  };
}

/** `equals` begins with the best; undefined where there is no other. */
function isSameWay(paths: readonly Best[], equals: readonly Best[] | undefined, best: Best): boolean {
  if (equals === undefined) return paths.length === 1 && isSamePath(paths[0]!, best);
  return paths.length === equals.length && paths.every((path, i) => isSamePath(path, equals[i]!));
}

const isSamePath = (a: Best, b: Best): boolean => a.source === b.source && a.attributes === b.attributes;

interface NextHop {
  readonly address: IpAddress;
  /** Of a link-local address. */
  readonly interface: string | undefined;
}

/** The best path's first, the others in order of address and link, each once. */
function equalHops([first, ...others]: readonly NextHop[]): readonly NextHop[] {
  if (first === undefined) return [];
  const sorted = others.sort(
    (a, b) => compareAddresses(a.address, b.address) || compareTexts(a.interface, b.interface),
  );
  return [first, ...sorted].filter((hop, i, all) => all.findIndex((other) => isSameHop(other, hop)) === i);
}

const compareTexts = (a = '', b = ''): number => (a < b ? -1 : Number(a > b));

const isSameHop = (a: NextHop, b: NextHop): boolean => sameAddress(a.address, b.address) && a.interface === b.interface;

function hopOf(routing: Routing, { source, attributes }: Best): readonly NextHop[] {
  const nextHop = routing.attributes.nextHop(attributes);
  if (nextHop === undefined) return [];
  const address = addressFromOctets(nextHop);
  const link = isIpv6LinkLocal(address) ? routing.peer(source)?.settings.interface : undefined;
  return [{ address, interface: link }];
}

/** The paths of every prefix, by prefix, best first. */
export function routeViews(
  routing: Routing,
  peers: readonly RoutingPeer[],
  { which, peer: asked }: RouteQuestion,
): readonly RouteView[] {
  const isAsked = (peer: RoutingPeer): boolean => asked === undefined || sameAddress(peer.settings.address, asked);
  const views = FAMILIES.flatMap((family) => [
    ...(which === 'received' || which === 'accepted' || asked !== undefined ? [] : originatedViews(routing, family)),
    ...peers.filter(isAsked).flatMap((peer) => peerViews(routing, peer, { family, which })),
  ]);
  return views.sort((a, b) => comparePrefixes(a.prefix, b.prefix) || Number(b.best) - Number(a.best));
}

function originatedViews(routing: Routing, family: IpFamily): readonly RouteView[] {
  const { originated, prefixes } = routing.tables[family];
  return [...originated.prefixes()].map((prefix) => ({
    prefix: prefixes.prefix(prefix),
    best: true,
    reason: 'originated by this node',
    from: 'this node',
    ...routeTexts(routing.attributes.attributes(originated.get(prefix))),
    stale: false,
  }));
}

function peerViews(
  routing: Routing,
  peer: RoutingPeer,
  { family, which }: { readonly family: IpFamily; readonly which: RouteQuestion['which'] },
): readonly RouteView[] {
  const { prefixes, locRib } = routing.tables[family];
  const isWanted = (prefix: number, path: PathState): boolean => {
    if (which === 'best') return locRib.best(prefix)?.source === path.source;
    return which !== 'accepted' || path.rejectedBy === undefined;
  };
  return peer.adjRibIn[family].lanes.flatMap((lane, at) =>
    [...lane.prefixes()].flatMap((prefix) =>
      pathIn(routing.core, { family, prefix }, { peer, lane, at })
        .filter((path) => isWanted(prefix, path))
        .map((path) => ({
          prefix: prefixes.prefix(prefix),
          best: locRib.best(prefix)?.source === path.source,
          reason: pathReason(locRib, prefix, path),
          from: peerText(peer),
          ...(path.pathId !== undefined && { pathId: path.pathId }),
          ...routeTexts(which === 'received' ? path.received : path.used),
          stale: path.stale,
        })),
    ),
  );
}

/** Why a path is best, or not. */
export function pathReason(locRib: LocRib, prefix: number, { source, rejectedBy }: PathState): string {
  if (rejectedBy?.startsWith('rejected by ') === true) return rejectedBy.replace('rejected', 'rejected on import');
  if (rejectedBy !== undefined) return `rejected on import: ${rejectedBy}`;
  const best = locRib.best(prefix);
  if (best === undefined) return 'selection waits for End-of-RIB of the peers after a restart';
  if (best.source === source) return 'best path';
  const selection = locRib.explain(prefix);
  const loser = [...(selection?.lostBy ?? [])].find(([candidate]) => candidate.source === source);
  const isEqual = selection?.multipath.some((path) => path.source === source) === true;
  return `${isEqual ? 'equal path, ' : ''}lost by: ${loser?.[1] ?? 'selection that is under way'}`;
}
