import type { CodecContext, Family } from './context.ts';
import type { Fault, Remedy } from './error.ts';
import { BgpError } from './error.ts';
import { headerError, updateError } from './iana.ts';
import type { MpReachParts } from './attribute/mp-reach.ts';
import { locateMpReach, mpReach } from './attribute/mp-reach.ts';
import type { MpUnreachParts } from './attribute/mp-unreach.ts';
import { locateMpUnreach, mpUnreach } from './attribute/mp-unreach.ts';
import { AttributeWalk } from './attribute/walk.ts';
import { HEADER_OCTETS } from './message/header.ts';
import { IPV4_UNICAST } from './nlri/table.ts';
import { copyOf, readU16 } from './reader.ts';

/** Where the attribute itself lies, flags octet included: cut it out, and what is left of the block can be interned. */
interface AttributeRange {
  readonly attributeStart: number;
  readonly attributeEnd: number;
}

/** Where everything in an UPDATE lies: half-open ranges of offsets in the frame. */
export interface UpdateScan {
  readonly withdrawnStart: number;
  readonly withdrawnEnd: number;
  readonly attributesStart: number;
  readonly attributesEnd: number;
  readonly nlriStart: number;
  readonly nlriEnd: number;
  readonly mpReach?: MpReachParts & AttributeRange;
  readonly mpUnreach?: MpUnreachParts & AttributeRange;
  /** Set where the message is End-of-RIB and nothing else, RFC 4724 §2. */
  readonly endOfRib?: Family;
  /** The fault in the framing and what to do about it; with `session-reset` the ranges mean nothing. */
  readonly fault?: Fault;
  readonly remedy?: Remedy;
}

type Found = Pick<UpdateScan, 'mpReach' | 'mpUnreach' | 'fault' | 'remedy'> & { readonly attributes: number };

/**
 * Finds the parts of an UPDATE in one walk over lengths, without an object per prefix. `frame` is the whole message, as
 * the Framer gives it. Prefixes and values are not judged: walkNlri and decodeAttributes do that. Never throws.
 * RFC 4271 §4.3, RFC 7606 §4 and §5.
 */
export function scanUpdate(frame: Uint8Array, context: CodecContext): UpdateScan {
  const end = frame.length;
  const withdrawnStart = HEADER_OCTETS + 2;
  if (end < withdrawnStart + 2) {
    const data = Uint8Array.of(end >>> 8, end);
    return broken({ text: `UPDATE length ${end} is below 23`, code: headerError.badMessageLength, data });
  }
  const withdrawnEnd = withdrawnStart + readU16(frame, HEADER_OCTETS);
  if (withdrawnEnd + 2 > end) return broken(malformed('withdrawn routes run past the end of the UPDATE'));
  const attributesStart = withdrawnEnd + 2;
  const attributesEnd = attributesStart + readU16(frame, withdrawnEnd);
  if (attributesEnd > end) return broken(malformed('path attributes run past the end of the UPDATE'));
  const ranges = {
    withdrawnStart,
    withdrawnEnd,
    attributesStart,
    attributesEnd,
    nlriStart: attributesEnd,
    nlriEnd: end,
  };
  if (attributesStart === attributesEnd) {
    return end === withdrawnStart + 2 ? { ...ranges, endOfRib: IPV4_UNICAST } : ranges;
  }
  const { attributes, ...found } = findMultiprotocol(frame, [attributesStart, attributesEnd], context);
  const { mpUnreach } = found;
  const nothingElse = attributes === 1 && withdrawnStart === withdrawnEnd && attributesEnd === end;
  if (mpUnreach === undefined || !nothingElse || mpUnreach.nlriStart < mpUnreach.nlriEnd)
    return { ...ranges, ...found };
  return { ...ranges, ...found, endOfRib: { afi: mpUnreach.afi, safi: mpUnreach.safi } };
}

function findMultiprotocol(frame: Uint8Array, [start, end]: readonly [number, number], context: CodecContext): Found {
  const walk = new AttributeWalk(frame, start, end);
  let reach: UpdateScan['mpReach'];
  let unreach: UpdateScan['mpUnreach'];
  let attributes = 0;
  try {
    for (; walk.next(); attributes++) {
      const value = [walk.valueStart, walk.valueEnd] as const;
      const range = { attributeStart: walk.start, attributeEnd: walk.valueEnd };
      if (walk.code === mpReach.code) {
        if (reach !== undefined) throw twice();
        reach = { ...locateMpReach(frame, value, context), ...range };
      } else if (walk.code === mpUnreach.code) {
        if (unreach !== undefined) throw twice();
        unreach = { ...locateMpUnreach(frame, value), ...range };
      }
    }
  } catch (error) {
    if (!(error instanceof BgpError)) throw error;
    return { attributes, ...resetBy(error, walk) };
  }
  return {
    attributes,
    ...(reach !== undefined && { mpReach: reach }),
    ...(unreach !== undefined && { mpUnreach: unreach }),
    ...(walk.fault !== undefined && { fault: walk.fault, remedy: 'treat-as-withdraw' as const }),
  };
}

/** RFC 4271 §6.3: 3/9 carries the attribute, 3/1 nothing. */
function resetBy({ text, code }: BgpError, walk: AttributeWalk): { readonly fault: Fault; readonly remedy: Remedy } {
  const whole = code[1] === updateError.optionalAttribute[1];
  const data = whole ? copyOf(walk.bytes, walk.start, walk.valueEnd) : new Uint8Array();
  const name = walk.code === mpReach.code ? mpReach.name : mpUnreach.name;
  return { fault: { text: `${name}: ${text}`, code, data }, remedy: 'session-reset' };
}

const twice = (): BgpError => new BgpError('appears more than once', updateError.malformedAttributeList);

const malformed = (text: string): Fault => ({ text, code: updateError.malformedAttributeList, data: new Uint8Array() });

const broken = (fault: Fault): UpdateScan => ({
  withdrawnStart: 0,
  withdrawnEnd: 0,
  attributesStart: 0,
  attributesEnd: 0,
  nlriStart: 0,
  nlriEnd: 0,
  fault,
  remedy: 'session-reset',
});
