import type { CodecContext, Family } from '../context.ts';
import { BgpError } from '../error.ts';
import { updateError } from '../iana.ts';
import { familyName, isNextHopLength } from '../nlri/families.ts';
import { readU16 } from '../reader.ts';
import type { NextHopBytes } from './path-attributes.ts';
import type { AttributeSpec } from './spec.ts';
import { OPTIONAL } from './spec.ts';

/** Where in a message the parts of MP_REACH_NLRI lie, as half-open ranges. */
export interface MpReachParts extends Family {
  readonly nextHopStart: number;
  readonly nextHopEnd: number;
  readonly nlriStart: number;
  readonly nlriEnd: number;
}

export interface MpReach {
  readonly family: Family;
  readonly nextHop: NextHopBytes;
  /** Decoded: a view into the message. */
  readonly nlri: Uint8Array;
}

/** The parts of the value in `bytes[start, end)`; RFC 4760 §3. Throws BgpError 3/9. */
export function locateMpReach(
  bytes: Uint8Array,
  [start, end]: readonly [number, number],
  context: CodecContext,
): MpReachParts {
  if (end - start < 5) throw malformed(`length ${end - start} is below 5`);
  const family = { afi: readU16(bytes, start), safi: bytes[start + 2]! };
  const octets = bytes[start + 3]!;
  const nextHopStart = start + 4;
  const nextHopEnd = nextHopStart + octets;
  // One reserved octet stands between next hop and NLRI.
  if (nextHopEnd + 1 > end) throw malformed(`a next hop of ${octets} octets runs past the end`);
  if (!isNextHopLength(family, octets, context)) {
    throw malformed(`next hop length ${octets} is not one of ${familyName(family)}`);
  }
  return { ...family, nextHopStart, nextHopEnd, nlriStart: nextHopEnd + 1, nlriEnd: end };
}

/** MP_REACH_NLRI, RFC 4760 §3: next hop and prefixes of any family. Prefixes stay bytes here; walkNlri reads them. */
export const mpReach: AttributeSpec<MpReach> = {
  name: 'MP_REACH_NLRI',
  code: 14,
  flags: OPTIONAL,
  onMalformed: 'session-reset', // RFC 7606 §7.11
  onDuplicate: 'session-reset', // RFC 7606 §3 (g)
  onFlags: 'session-reset', // RFC 7606 §5.3
  decode: (value, context) => {
    const parts = locateMpReach(value.bytes, [value.at, value.at + value.left], context);
    value.take(4);
    const nextHop = value.take(parts.nextHopEnd - parts.nextHopStart);
    value.u8();
    return { family: { afi: parts.afi, safi: parts.safi }, nextHop, nlri: value.restView() };
  },
  encode: (out, { family, nextHop, nlri }) => {
    out.family(family);
    out.u8(nextHop.length);
    out.bytes(nextHop);
    out.u8(0);
    out.bytes(nlri);
  },
};

const malformed = (text: string): BgpError => new BgpError(text, updateError.optionalAttribute);
