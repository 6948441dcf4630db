import { list } from '../json/codec.ts';
import type { RecordedSpec } from './spec.ts';
import { OPTIONAL, TRANSITIVE } from './spec.ts';
import { extendedCommunity } from './community-text.ts';
import { octetStrings } from './octet-strings.ts';

/** EXTENDED COMMUNITIES, RFC 4360: eight octets each, whose types are not judged here. */
export const extendedCommunities: RecordedSpec<readonly Uint8Array[]> = {
  name: 'EXTENDED COMMUNITIES',
  code: 16,
  flags: OPTIONAL | TRANSITIVE,
  onMalformed: 'treat-as-withdraw', // RFC 7606 §7.14
  json: list(extendedCommunity),
  ...octetStrings(8),
};
