/** Questions about path attributes, and copies of them with one thing changed, as policy needs them. Pure. */
import type { Community } from '../../src/model/community.ts';
import type { PathAttributes } from '../wire.ts';

export function carriesCommunity(
  { communities = [], largeCommunities = [] }: PathAttributes,
  community: Community,
): boolean {
  if (typeof community === 'number') return communities.includes(community);
  return largeCommunities.some((own) => own.every((part, i) => part === community[i]));
}

/** Once, however often it is added. */
export function addCommunity(attributes: PathAttributes, community: Community): PathAttributes {
  if (carriesCommunity(attributes, community)) return attributes;
  if (typeof community === 'number') {
    return { ...attributes, communities: [...(attributes.communities ?? []), community] };
  }
  return { ...attributes, largeCommunities: [...(attributes.largeCommunities ?? []), community] };
}
