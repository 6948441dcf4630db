/** The routes of this node itself. */
import type { IpFamily } from '../../src/model/ip.ts';
import { ACCEPTED } from '../policy/import.ts';
import type { OriginatedAttributes, OriginatedRoute } from '../settings.ts';
import type { PathAttributes } from '../wire.ts';
import { FAMILIES } from './peer.ts';
import type { RoutingCore } from './peer.ts';
import { LOCAL_SOURCE } from './sources.ts';

/** The whole set; what is not in it any more goes. `changed` hears of every prefix whose route is another, while it lives. */
export function originate(
  { attributes, tables }: RoutingCore,
  routes: readonly OriginatedRoute[],
  changed: (family: IpFamily, prefix: number) => void,
): void {
  for (const family of FAMILIES) {
    const { prefixes, locRib, originated } = tables[family];
    const wanted = new Set<number>();
    /** Routes that share their attributes are one set, and encoded once. */
    const sets = new Map<OriginatedAttributes | undefined, number>();
    const touch = (id: number): void => {
      locRib.touch(id, LOCAL_SOURCE);
      changed(family, id);
    };
    for (const { prefix, attributes: given } of routes.filter((route) => route.prefix.address.family === family)) {
      let set = sets.get(given);
      if (set === undefined) {
        set = attributes.intern(ownAttributes(given));
        attributes.retain(set);
        sets.set(given, set);
      }
      const id = prefixes.internPrefix(prefix);
      wanted.add(id);
      const route = { attributes: set, used: set, rejection: ACCEPTED };
      if (originated.announce(id, route)) touch(id);
    }
    for (const set of sets.values()) attributes.release(set);
    for (const id of originated.prefixes()) {
      if (!wanted.has(id) && originated.withdraw(id)) touch(id);
    }
  }
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
