/** Questions about path attributes, and copies of them with one thing changed, as policy needs them. Pure. */
import type { AsSegment, PathAttributes } from '../wire.ts';
import type { CommunityValue } from './filter.ts';

/** RFC 4271 §4.3: the count of a segment is one octet. */
const MAX_SEGMENT_ASNS = 255;

/** RFC 4271 §5.1.2: into the first sequence, or a new one where that is full or is a set. */
export function prependAsn([first, ...rest]: readonly AsSegment[], asn: number): readonly AsSegment[] {
  if (first === undefined) return [{ type: 'sequence', asns: [asn] }];
  if (first.type !== 'sequence' || first.asns.length >= MAX_SEGMENT_ASNS) {
    return [{ type: 'sequence', asns: [asn] }, first, ...rest];
  }
  return [{ type: 'sequence', asns: [asn, ...first.asns] }, ...rest];
}

/** The first of `asns` becomes the nearest. */
export const prependAsns = (path: readonly AsSegment[], asns: readonly number[]): readonly AsSegment[] =>
  asns.reduceRight(prependAsn, path);

/** Whether the path begins with these, nearest first; a set is nobody's beginning. */
export function startsWithAsns(path: readonly AsSegment[], asns: readonly number[]): boolean {
  const flat = path.flatMap(({ type, asns: own }) => (type === 'sequence' ? own : [Number.NaN]));
  return asns.every((asn, i) => flat[i] === asn);
}

export function carriesCommunity(
  { communities = [], largeCommunities = [] }: PathAttributes,
  community: CommunityValue,
): boolean {
  if (typeof community === 'number') return communities.includes(community);
  return largeCommunities.some((own) => own.every((part, i) => part === community[i]));
}

/** Once, however often it is added. */
export function addCommunity(attributes: PathAttributes, community: CommunityValue): PathAttributes {
  if (carriesCommunity(attributes, community)) return attributes;
  if (typeof community === 'number') {
    return { ...attributes, communities: [...(attributes.communities ?? []), community] };
  }
  return { ...attributes, largeCommunities: [...(attributes.largeCommunities ?? []), community] };
}
