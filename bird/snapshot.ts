/** The tables as people and the agent see them: addresses and prefixes as objects, every path with its reason. */
import type { IpAddress, IpFamily } from '../src/model/ip.ts';
import { compareAddresses, comparePrefixes, formatIpAddress, sameAddress } from '../src/model/ip.ts';
import type { LearnedRoute } from '../src/model/route.ts';
import { addressFromOctets } from './peer/address.ts';
import { ACCEPTED, rejectionText } from './policy/import.ts';
import type { Routing, RoutingPeer } from './routing.ts';
import { FAMILIES, LOCAL_SOURCE } from './routing.ts';
import type { RouteView } from './view.ts';
import { formatAsPath } from './wire.ts';
import type { PathAttributes } from './wire.ts';

export const peerText = ({ settings }: Pick<RoutingPeer, 'settings'>): string =>
  `${formatIpAddress(settings.address)} (${settings.kind})`;

/** Every best route that came from a peer; paths as good as the best add their next hops. */
export function learnedRoutes(routing: Routing): readonly LearnedRoute[] {
  const routes: LearnedRoute[] = [];
  for (const family of FAMILIES) {
    const { locRib, prefixes } = routing.tables[family];
    locRib.forEachBest((prefix, source, attributes) => {
      const peer = routing.peer(source);
      if (source === LOCAL_SOURCE || peer === undefined) return;
      const equals = locRib.equals(prefix) ?? [{ source, attributes }];
      const nextHops = equalNextHops(equals.map((path) => routing.attributes.attributes(path.attributes)));
      routes.push({ prefix: prefixes.prefix(prefix), nextHops, learnedFrom: peerText(peer) });
    });
  }
  return routes;
}

/** The best path's first, the others in order of address, each once. */
function equalNextHops(paths: readonly PathAttributes[]): readonly IpAddress[] {
  const [first, ...others] = paths.flatMap(nextHopsOf);
  if (first === undefined) return [];
  const sorted = others.sort(compareAddresses);
  return [first, ...sorted].filter((hop, i, all) => all.findIndex((other) => sameAddress(other, hop)) === i);
}

const nextHopsOf = ({ nextHop }: PathAttributes): readonly IpAddress[] =>
  nextHop === undefined ? [] : [addressFromOctets(nextHop)];

/** Every path of every prefix, by prefix, best first. */
export function routeViews(routing: Routing, peers: readonly RoutingPeer[]): readonly RouteView[] {
  const views = FAMILIES.flatMap((family) => [
    ...originatedViews(routing, family),
    ...peers.flatMap((peer) => peerViews(routing, peer, family)),
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
    ...attributeTexts(routing.attributes.attributes(originated.get(prefix))),
    stale: false,
  }));
}

function peerViews(routing: Routing, peer: RoutingPeer, family: IpFamily): readonly RouteView[] {
  const { prefixes, locRib } = routing.tables[family];
  const adjRibIn = peer.adjRibIn[family];
  return [...adjRibIn.prefixes()].map((prefix) => ({
    prefix: prefixes.prefix(prefix),
    best: locRib.best(prefix)?.source === peer.index,
    reason: reasonOf(routing, peer, { family, prefix }),
    from: peerText(peer),
    ...attributeTexts(routing.attributes.attributes(adjRibIn.get(prefix))),
    stale: adjRibIn.isStale(prefix),
  }));
}

function reasonOf(
  routing: Routing,
  peer: RoutingPeer,
  { family, prefix }: { readonly family: IpFamily; readonly prefix: number },
): string {
  const { locRib } = routing.tables[family];
  const rejection = peer.adjRibIn[family].rejection(prefix);
  if (rejection !== ACCEPTED) return `rejected on import: ${rejectionText(rejection, peer.settings)}`;
  const best = locRib.best(prefix);
  if (best === undefined) return 'selection waits for End-of-RIB of the peers after a restart';
  if (best.source === peer.index) return 'best path';
  const selection = locRib.explain(prefix);
  const loser = [...(selection?.lostBy ?? [])].find(([candidate]) => candidate.source === peer.index);
  const isEqual = selection?.multipath.some(({ source }) => source === peer.index) === true;
  return `${isEqual ? 'equal path, ' : ''}lost by: ${loser?.[1] ?? 'selection that is under way'}`;
}

function attributeTexts(attributes: PathAttributes): Omit<RouteView, 'prefix' | 'best' | 'reason' | 'from' | 'stale'> {
  const {
    nextHop,
    asPath = [],
    origin = 'incomplete',
    localPref,
    med,
    communities = [],
    largeCommunities = [],
  } = attributes;
  return {
    ...(nextHop !== undefined && { nextHop: addressFromOctets(nextHop) }),
    asPath: formatAsPath(asPath),
    origin,
    ...(localPref !== undefined && { localPref }),
    ...(med !== undefined && { med }),
    communities: [
      ...communities.map((value) => `${value >>> 16}:${value & 0xffff}`),
      ...largeCommunities.map((parts) => parts.join(':')),
    ],
  };
}
