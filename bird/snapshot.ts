/** The tables as people and the agent see them: addresses and prefixes as objects, every path with its reason. */
import type { IpAddress, IpFamily } from '../src/model/ip.ts';
import { compareAddresses, comparePrefixes, formatIpAddress, sameAddress } from '../src/model/ip.ts';
import type { LearnedRoute } from '../src/model/route.ts';
import { addressFromOctets, isLinkLocal } from './peer/address.ts';
import type { Best, LocRib } from './rib/loc-rib.ts';
import { pathIn } from './routing/explain.ts';
import type { PathState } from './routing/explain.ts';
import type { Routing, RoutingPeer } from './routing.ts';
import { FAMILIES, LOCAL_SOURCE } from './routing.ts';
import type { RouteView } from './view.ts';
import { formatAsPath } from './wire.ts';
import type { PathAttributes } from './wire.ts';

/** `10.0.0.2 (eBGP)`, `fe80::1%eth0 (global)`. */
export const peerText = ({ settings }: Pick<RoutingPeer, 'settings'>): string => {
  const { address, interface: link, kind } = settings;
  return `${formatIpAddress(address)}${link === undefined ? '' : `%${link}`} (${kind})`;
};

/** Every best route that came from a peer; paths as good as the best add their next hops. */
export function learnedRoutes(routing: Routing): readonly LearnedRoute[] {
  const routes: LearnedRoute[] = [];
  for (const family of FAMILIES) {
    const { locRib, prefixes } = routing.tables[family];
    locRib.forEachBest((prefix, source, attributes) => {
      const peer = routing.peer(source);
      if (source === LOCAL_SOURCE || peer === undefined) return;
      const equals = locRib.equals(prefix) ?? [{ source, attributes }];
      const hops = equalHops(equals.flatMap((path) => hopOf(routing, path)));
      const links = hops.map((hop) => hop.interface);
      routes.push({
        prefix: prefixes.prefix(prefix),
        nextHops: hops.map(({ address }) => address),
        ...(links.some((link) => link !== undefined) && { interfaces: links }),
        learnedFrom: peerText(peer),
      });
    });
  }
  return routes;
}

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
  const { nextHop } = routing.attributes.attributes(attributes);
  if (nextHop === undefined) return [];
  const address = addressFromOctets(nextHop);
  const link = isLinkLocal(address) ? routing.peer(source)?.settings.interface : undefined;
  return [{ address, interface: link }];
}

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
  return peer.adjRibIn[family].lanes.flatMap((lane, at) =>
    [...lane.prefixes()].flatMap((prefix) =>
      pathIn(routing.core, { family, prefix }, { peer, lane, at }).map((path) => ({
        prefix: prefixes.prefix(prefix),
        best: locRib.best(prefix)?.source === path.source,
        reason: reasonOf(locRib, prefix, path),
        from: peerText(peer),
        ...(path.pathId !== undefined && { pathId: path.pathId }),
        ...attributeTexts(path.used),
        stale: path.stale,
      })),
    ),
  );
}

function reasonOf(locRib: LocRib, prefix: number, { source, rejectedBy }: PathState): string {
  if (rejectedBy !== undefined) return `rejected on import: ${rejectedBy}`;
  const best = locRib.best(prefix);
  if (best === undefined) return 'selection waits for End-of-RIB of the peers after a restart';
  if (best.source === source) return 'best path';
  const selection = locRib.explain(prefix);
  const loser = [...(selection?.lostBy ?? [])].find(([candidate]) => candidate.source === source);
  const isEqual = selection?.multipath.some((path) => path.source === source) === true;
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
