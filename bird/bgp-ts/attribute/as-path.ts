import { BgpError } from '../error.ts';
import { updateError } from '../iana.ts';
import { decodeSegments, encodeSegments, isConfederation } from './as-segments.ts';
import type { AsSegment } from './path-attributes.ts';
import type { AttributeSpec } from './spec.ts';
import { TRANSITIVE } from './spec.ts';

/** AS_PATH, RFC 4271 §5.1.2: the ASes the route came through, nearest first; empty within the AS of its origin. */
export const asPath: AttributeSpec<readonly AsSegment[]> = {
  name: 'AS_PATH',
  code: 2,
  flags: TRANSITIVE,
  onMalformed: 'treat-as-withdraw', // RFC 7606 §7.2
  mayBeEmpty: true,
  decode: (value, { fourOctetAs, external }) => {
    const segments = decodeSegments(value, fourOctetAs ? 4 : 2);
    // RFC 5065 §5.2: confederation segments stay inside the confederation.
    if (external && segments.some(isConfederation)) {
      throw new BgpError('a confederation segment came from an external peer', updateError.malformedAsPath);
    }
    return segments;
  },
  encode: (out, segments, { fourOctetAs }) => encodeSegments(out, segments, fourOctetAs ? 4 : 2),
};
