/** The routes of this node itself. */
import { ABSENT } from '../rib/int-table.ts';
import { ACCEPTED } from '../policy/import.ts';
import type { OriginatedAttributes, OriginatedRoute } from '../settings.ts';
import type { PathAttributes } from '../wire.ts';
import { FAMILIES } from './peer.ts';
import type { RoutingCore } from './peer.ts';
import { LOCAL_SOURCE } from './sources.ts';

/** The whole set; what is not in it any more goes. Returns the way to tell which prefixes of a family are concerned. */
export function originate({ attributes, tables }: RoutingCore, routes: readonly OriginatedRoute[]): void {
  for (const family of FAMILIES) {
    const { prefixes, locRib, originated } = tables[family];
    const wanted = new Set<number>();
    for (const { prefix, attributes: given } of routes.filter((route) => route.prefix.address.family === family)) {
      const set = attributes.intern(ownAttributes(given));
      attributes.retain(set);
      const id = prefixes.internPrefix(prefix);
      wanted.add(id);
      const route = { attributes: set, used: set, rejection: ACCEPTED };
      if (originated.announce(id, route)) locRib.touch(id, LOCAL_SOURCE);
      attributes.release(set);
    }
    for (const id of originated.prefixes()) {
      if (!wanted.has(id)) originated.withdraw(id, () => locRib.touch(id, LOCAL_SOURCE));
    }
  }
}

/** Whether a prefix is ours, or was when it was selected last. */
export function isOurs({ tables }: RoutingCore, family: 4 | 6, prefix: number): boolean {
  const { locRib, originated } = tables[family];
  return originated.usable(prefix) !== ABSENT || locRib.refersTo(prefix, LOCAL_SOURCE);
}

/** ORIGIN IGP and an empty AS_PATH: the next hop is for export to say. RFC 4271 §5.1. */
function ownAttributes({ communities, largeCommunities, med, localPref }: OriginatedAttributes = {}): PathAttributes {
  return {
    origin: 'igp',
    asPath: [],
    ...(med !== undefined && { med }),
    ...(localPref !== undefined && { localPref }),
    ...(communities !== undefined && communities.length > 0 && { communities }),
    ...(largeCommunities !== undefined && largeCommunities.length > 0 && { largeCommunities }),
  };
}
