import { hex } from '../json/address.ts';
import { list } from '../json/codec.ts';
import type { RecordedSpec } from './spec.ts';
import { OPTIONAL, TRANSITIVE } from './spec.ts';
import { octetStrings } from './octet-strings.ts';

const OCTETS = 20;

/** IPv6 EXTENDED COMMUNITIES, RFC 5701: twenty octets each, an IPv6 address in the middle; types are not judged here. */
export const ipv6ExtendedCommunities: RecordedSpec<readonly Uint8Array[]> = {
  name: 'IPv6 EXTENDED COMMUNITIES',
  code: 25,
  flags: OPTIONAL | TRANSITIVE,
  onMalformed: 'treat-as-withdraw', // RFC 7606 §7.15
  json: list(hex(OCTETS)),
  ...octetStrings(OCTETS),
};
