import type { AttributeSpec } from './spec.ts';
import { OPTIONAL, TRANSITIVE } from './spec.ts';
import { decodeWords, encodeWords } from './words.ts';

/** COMMUNITIES, RFC 1997: `64512:100` is one unsigned 32-bit value. */
export const communities: AttributeSpec<readonly number[]> = {
  name: 'COMMUNITIES',
  code: 8,
  flags: OPTIONAL | TRANSITIVE,
  onMalformed: 'treat-as-withdraw', // RFC 7606 §7.8
  decode: decodeWords,
  encode: encodeWords,
};
