import { list } from '../json/codec.ts';
import type { RecordedSpec } from './spec.ts';
import { OPTIONAL, TRANSITIVE } from './spec.ts';
import { community, communityName } from './community-text.ts';
import { decodeWords, encodeWords } from './words.ts';

/** COMMUNITIES, RFC 1997: `64512:100` is one unsigned 32-bit value. */
export const communities: RecordedSpec<readonly number[]> = {
  name: 'COMMUNITIES',
  code: 8,
  flags: OPTIONAL | TRANSITIVE,
  onMalformed: 'treat-as-withdraw', // RFC 7606 §7.8
  json: list(community),
  line: (values) => values.map(communityName).join(' '),
  decode: decodeWords,
  encode: encodeWords,
};
