import { decodeSegments, encodeSegments, isConfederation } from './as-segments.ts';
import type { AsSegment } from './path-attributes.ts';
import type { AttributeSpec } from './spec.ts';
import { fromFourOctet, OPTIONAL, TRANSITIVE } from './spec.ts';

/** AS4_PATH, RFC 6793 §3: the true AS numbers, carried past peers that know two octets only. */
export const as4Path: AttributeSpec<readonly AsSegment[]> = {
  name: 'AS4_PATH',
  code: 17,
  flags: OPTIONAL | TRANSITIVE,
  onMalformed: 'attribute-discard', // RFC 6793 §6
  unwanted: fromFourOctet,
  // RFC 6793 §6: confederation segments in it are dropped, the rest counts.
  decode: (value) => decodeSegments(value, 4).filter((segment) => !isConfederation(segment)),
  encode: (out, segments) => encodeSegments(out, segments, 4),
};
