import { ipv4 } from '../json/address.ts';
import { list } from '../json/codec.ts';
import type { RecordedSpec } from './spec.ts';
import { fromExternal, OPTIONAL } from './spec.ts';
import { decodeWords, encodeWords } from './words.ts';

/** CLUSTER_LIST, RFC 4456 §8: the reflection clusters passed, nearest first. */
export const clusterList: RecordedSpec<readonly number[]> = {
  name: 'CLUSTER_LIST',
  code: 10,
  flags: OPTIONAL,
  onMalformed: 'treat-as-withdraw', // RFC 7606 §7.10
  json: list(ipv4),
  unwanted: fromExternal,
  decode: decodeWords,
  encode: encodeWords,
};
