import type { CodecContext, Family } from './context.ts';
import type { Fault, Remedy } from './error.ts';
import { BgpError } from './error.ts';
import { HEADER_OCTETS, headerError, updateError } from './iana.ts';
import { flagsFault } from './attribute/flags-fault.ts';
import type { MpReachParts } from './attribute/mp-reach.ts';
import { locateMpReach, mpReach } from './attribute/mp-reach.ts';
import type { MpUnreachParts } from './attribute/mp-unreach.ts';
import { locateMpUnreach, mpUnreach } from './attribute/mp-unreach.ts';
import { effectiveMpRemedy } from './attribute/mp-remedy.ts';
import { OPTIONAL, TRANSITIVE } from './attribute/spec.ts';
import { AttributeWalk } from './attribute/walk.ts';
import { IPV4_UNICAST } from './nlri/families.ts';
import { copyOf, readU16 } from './reader.ts';

/** Where the attribute itself lies, flags octet included: cut it out, and what is left of the block can be interned. */
export interface AttributeRange {
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
  /** Families that the UPDATE costs, where the context asks for that instead of the session. RFC 7606 §2. */
  readonly disabled?: readonly Family[];
  /** The fault in the framing and what to do about it; with `session-reset` the ranges mean nothing. */
  readonly fault?: Fault;
  readonly remedy?: Remedy;
}

type Found = Pick<UpdateScan, 'mpReach' | 'mpUnreach' | 'disabled' | 'fault' | 'remedy'> & {
  readonly attributes: number;
};
type Draft = { -readonly [K in keyof Found]: Found[K] };

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
  // An octet behind it is a fault, and nobody can tell what is lost.
  const nothingElse =
    found.fault === undefined && attributes === 1 && withdrawnStart === withdrawnEnd && attributesEnd === end;
  if (mpUnreach === undefined || !nothingElse || mpUnreach.nlriStart < mpUnreach.nlriEnd)
    return { ...ranges, ...found };
  return { ...ranges, ...found, endOfRib: { afi: mpUnreach.afi, safi: mpUnreach.safi } };
}

function findMultiprotocol(frame: Uint8Array, [start, end]: readonly [number, number], context: CodecContext): Found {
  const walk = new AttributeWalk(frame, start, end);
  const found: Draft = { attributes: 0 };
  let seen = 0;
  for (; walk.next(); found.attributes++) {
    if (walk.code !== mpReach.code && walk.code !== mpUnreach.code) continue;
    const bit = walk.code === mpReach.code ? 1 : 2;
    try {
      if ((seen & bit) !== 0) throw new BgpError('appears more than once', updateError.malformedAttributeList);
      seen |= bit;
      locate(found, walk, context);
    } catch (error) {
      if (!(error instanceof BgpError)) throw error;
      noteFault(found, walk, { error, context });
      if (found.remedy === 'session-reset') return found;
    }
  }
  if (walk.fault !== undefined && found.remedy === undefined) {
    found.fault = walk.fault;
    found.remedy = 'treat-as-withdraw';
  }
  return found;
}

function locate(found: Draft, walk: AttributeWalk, context: CodecContext): void {
  const value = [walk.valueStart, walk.valueEnd] as const;
  const range = { attributeStart: walk.start, attributeEnd: walk.valueEnd };
  const spec = walk.code === mpReach.code ? mpReach : mpUnreach;
  if (((walk.flags ^ spec.flags) & (OPTIONAL | TRANSITIVE)) !== 0) {
    const { text, code } = flagsFault(walk.flags, spec);
    throw new BgpError(text, code);
  }
  if (spec === mpReach) found.mpReach = { ...locateMpReach(walk.bytes, value, context), ...range };
  else found.mpUnreach = { ...locateMpUnreach(walk.bytes, value), ...range };
}

interface MpFault {
  readonly error: BgpError;
  readonly context: CodecContext;
}

/** RFC 4271 §6.3: 3/9 carries the attribute, 3/1 nothing. */
function noteFault(found: Draft, walk: AttributeWalk, { error: { text, code }, context }: MpFault): void {
  const duplicate = code[1] === updateError.malformedAttributeList[1];
  const octets = walk.valueEnd - walk.valueStart;
  const remedy = duplicate ? 'session-reset' : effectiveMpRemedy('session-reset', octets, context);
  const data = duplicate ? new Uint8Array() : copyOf(walk.bytes, walk.start, walk.valueEnd);
  const name = walk.code === mpReach.code ? mpReach.name : mpUnreach.name;
  if (remedy === 'session-reset' || found.remedy === undefined) {
    found.fault = { text: `${name}: ${text}`, code, data };
    found.remedy = remedy;
  }
  if (remedy === 'session-reset') return;
  const family = { afi: readU16(walk.bytes, walk.valueStart), safi: walk.bytes[walk.valueStart + 2]! };
  found.disabled = [...(found.disabled ?? []), family];
}

/** `fault` of the NLRI in MP_REACH or MP_UNREACH: 3/9, and the data is the whole attribute. RFC 4760 §7, RFC 4271 §6.3. */
export function asMpFault(fault: Fault, bytes: Uint8Array, { attributeStart, attributeEnd }: AttributeRange): Fault {
  return {
    text: fault.text,
    code: updateError.optionalAttribute,
    data: copyOf(bytes, attributeStart, attributeEnd),
  };
}

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
