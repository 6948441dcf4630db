import { list } from '../json/codec.ts';
import type { RecordedSpec } from './spec.ts';
import { OPTIONAL, TRANSITIVE } from './spec.ts';
import { largeCommunity } from './community-text.ts';
import type { LargeCommunity } from './path-attributes.ts';

/** LARGE_COMMUNITY, RFC 8092: three 32-bit words each. A value counts once, received and sent (§3). */
export const largeCommunities: RecordedSpec<readonly LargeCommunity[]> = {
  name: 'LARGE_COMMUNITY',
  code: 32,
  flags: OPTIONAL | TRANSITIVE,
  onMalformed: 'treat-as-withdraw', // RFC 8092 §6
  json: list(largeCommunity),
  decode: (value) => {
    value.multipleOf(12);
    const communities: LargeCommunity[] = [];
    while (value.left > 0) communities.push([value.u32(), value.u32(), value.u32()]);
    return distinct(communities);
  },
  encode: (out, communities) => {
    for (const community of distinct(communities)) for (const word of community) out.u32(word);
  },
};

const distinct = (communities: readonly LargeCommunity[]): readonly LargeCommunity[] => [
  ...new Map(communities.map((community) => [community.join(':'), community])).values(),
];
