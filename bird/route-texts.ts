import { addressFromOctets } from './peer/address.ts';
import type { RouteAttributes } from './view.ts';
import { formatAsPath, formatExtendedCommunity } from './wire.ts';
import type { PathAttributes } from './wire.ts';

/** The attributes that people look at, in their form. Pure. */
export function routeTexts(attributes: PathAttributes): RouteAttributes {
  const { nextHop, asPath = [], origin = 'incomplete', localPref, med } = attributes;
  const { communities = [], largeCommunities = [], extendedCommunities = [] } = attributes;
  return {
    ...(nextHop !== undefined && { nextHop: addressFromOctets(nextHop) }),
    asPath: formatAsPath(asPath),
    origin,
    ...(localPref !== undefined && { localPref }),
    ...(med !== undefined && { med }),
    communities: [
      ...communities.map((value) => `${value >>> 16}:${value & 0xffff}`),
      ...largeCommunities.map((parts) => parts.join(':')),
      ...extendedCommunities.map(formatExtendedCommunity),
    ],
  };
}
