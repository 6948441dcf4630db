import type { AttributeSpec } from './spec.ts';
import { OPTIONAL, TRANSITIVE } from './spec.ts';

type LargeCommunity = readonly [number, number, number];

/** LARGE_COMMUNITY, RFC 8092: three 32-bit words each. Received twice, a value counts once (§5). */
export const largeCommunities: AttributeSpec<readonly LargeCommunity[]> = {
  name: 'LARGE_COMMUNITY',
  code: 32,
  flags: OPTIONAL | TRANSITIVE,
  onMalformed: 'treat-as-withdraw', // RFC 8092 §6
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
