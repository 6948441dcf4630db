import { list } from '../json/codec.ts';
import { BgpError } from '../error.ts';
import { updateError } from '../iana.ts';
import { asSegment, decodeSegments, encodeSegments, formatAsPath, isConfederation } from './as-segments.ts';
import type { AsSegment } from './path-attributes.ts';
import type { RecordedSpec } from './spec.ts';
import { TRANSITIVE } from './spec.ts';

/** AS_PATH, RFC 4271 §5.1.2: the ASes the route came through, nearest first; empty within the AS of its origin. */
export const asPath: RecordedSpec<readonly AsSegment[]> = {
  name: 'AS_PATH',
  code: 2,
  flags: TRANSITIVE,
  onMalformed: 'treat-as-withdraw', // RFC 7606 §7.2
  json: list(asSegment),
  line: (segments) => `[${formatAsPath(segments)}]`,
  mayBeEmpty: true,
  decode: (value, { fourOctetAs, external }) => {
    const segments = decodeSegments(value, fourOctetAs ? 4 : 2);
    // RFC 5065 §5: confederation segments stay inside the confederation.
    if (external && segments.some(isConfederation)) {
      throw new BgpError('a confederation segment came from an external peer', updateError.malformedAsPath);
    }
    return segments;
  },
  encode: (out, segments, { fourOctetAs }) => encodeSegments(out, segments, fourOctetAs ? 4 : 2),
};
