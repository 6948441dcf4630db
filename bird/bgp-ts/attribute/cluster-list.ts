import type { AttributeSpec } from './spec.ts';
import { fromExternal, OPTIONAL } from './spec.ts';
import { decodeWords, encodeWords } from './words.ts';

/** CLUSTER_LIST, RFC 4456 §8: the reflection clusters passed, nearest first. */
export const clusterList: AttributeSpec<readonly number[]> = {
  name: 'CLUSTER_LIST',
  code: 10,
  flags: OPTIONAL,
  onMalformed: 'treat-as-withdraw', // RFC 7606 §7.10
  unwanted: fromExternal,
  decode: decodeWords,
  encode: encodeWords,
};
