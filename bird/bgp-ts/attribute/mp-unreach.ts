import type { Family } from '../context.ts';
import { BgpError } from '../error.ts';
import { updateError } from '../iana.ts';
import { readU16 } from '../reader.ts';
import type { AttributeSpec } from './spec.ts';
import { OPTIONAL } from './spec.ts';

/** Where in a message the parts of MP_UNREACH_NLRI lie, as a half-open range. */
export interface MpUnreachParts extends Family {
  readonly nlriStart: number;
  readonly nlriEnd: number;
}

export interface MpUnreach {
  readonly family: Family;
  /** Decoded: a view into the message. */
  readonly nlri: Uint8Array;
}

/** The parts of the value in `bytes[start, end)`; RFC 4760 §4. Throws BgpError 3/9. */
export function locateMpUnreach(bytes: Uint8Array, [start, end]: readonly [number, number]): MpUnreachParts {
  if (end - start < 3) throw new BgpError(`length ${end - start} is below 3`, updateError.optionalAttribute);
  return { afi: readU16(bytes, start), safi: bytes[start + 2]!, nlriStart: start + 3, nlriEnd: end };
}

/** MP_UNREACH_NLRI, RFC 4760 §4: prefixes of any family withdrawn; none at all is End-of-RIB (RFC 4724 §2). */
export const mpUnreach: AttributeSpec<MpUnreach> = {
  name: 'MP_UNREACH_NLRI',
  code: 15,
  flags: OPTIONAL,
  onMalformed: 'session-reset', // RFC 7606 §7.12
  onDuplicate: 'session-reset', // RFC 7606 §3 (g)
  onFlags: 'session-reset', // RFC 7606 §5.3
  decode: (value) => {
    const { afi, safi } = locateMpUnreach(value.bytes, [value.at, value.at + value.left]);
    value.take(3);
    return { family: { afi, safi }, nlri: value.restView() };
  },
  encode: (out, { family, nlri }) => {
    out.family(family);
    out.bytes(nlri);
  },
};
