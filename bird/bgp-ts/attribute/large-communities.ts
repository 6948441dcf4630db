import { list } from '../json/codec.ts';
import type { RecordedSpec } from './spec.ts';
import { OPTIONAL, TRANSITIVE } from './spec.ts';
import { largeCommunity } from './community-text.ts';
import type { LargeCommunity } from './path-attributes.ts';

/** LARGE_COMMUNITY, RFC 8092: three 32-bit words each. Received twice, a value counts once (§5). */
export const largeCommunities: RecordedSpec<readonly LargeCommunity[]> = {
  name: 'LARGE_COMMUNITY',
  code: 32,
  flags: OPTIONAL | TRANSITIVE,
  onMalformed: 'treat-as-withdraw', // RFC 8092 §6
  json: list(largeCommunity),
  decode: (value) => {
    value.multipleOf(12);
    const distinct = new Map<string, LargeCommunity>();
    while (value.left > 0) {
      const community: LargeCommunity = [value.u32(), value.u32(), value.u32()];
      distinct.set(community.join(':'), community);
    }
    return [...distinct.values()];
  },
  encode: (out, list) => {
    for (const community of list) for (const word of community) out.u32(word);
  },
};
