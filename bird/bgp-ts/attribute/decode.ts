import type { CodecContext } from '../context.ts';
import type { AttributeFault, ErrorCode, Remedy } from '../error.ts';
import { BgpError, strongerRemedy } from '../error.ts';
import { updateError } from '../iana.ts';
import { Reader, copyOf } from '../reader.ts';
import { mergeAs4 } from './as4-merge.ts';
import { flagsFault } from './flags-fault.ts';
import { effectiveMpRemedy } from './mp-remedy.ts';
import type { NextHopBytes, PathAttributes, UnknownAttribute } from './path-attributes.ts';
import type { AttributeSpec } from './spec.ts';
import { hasPartialBit, OPTIONAL, PARTIAL, TRANSITIVE } from './spec.ts';
import type { WireAttributes } from './table.ts';
import { rowByCode } from './table.ts';
import { AttributeWalk } from './walk.ts';

export interface AttributesResult {
  readonly attributes: PathAttributes;
  /** The strongest remedy of all faults; absent where all was well. */
  readonly remedy?: Remedy;
  readonly faults: readonly AttributeFault[];
  /** The NEXT_HOP attribute itself, for the IPv4 prefixes of an UPDATE whose `attributes.nextHop` is MP_REACH's. */
  readonly ipv4NextHop?: NextHopBytes;
}

/** What the loop collects. */
interface Draft {
  readonly wire: Record<string, unknown>;
  readonly unknown: UnknownAttribute[];
  readonly partial: number[];
  readonly faults: AttributeFault[];
}

/**
 * The attribute block `bytes[start, end)`, each attribute judged by its row: flags, duplicates, lengths, remedies
 * (RFC 7606 §3, §4, §7). Values are copies and may be kept. Whether an attribute is missing: `judgeUpdate`. The
 * prefixes of MP_REACH and MP_UNREACH are not looked at. Never throws.
 */
export function decodeAttributes(
  bytes: Uint8Array,
  start: number,
  end: number,
  context: CodecContext,
): AttributesResult {
  const draft: Draft = { wire: {}, unknown: [], partial: [], faults: [] };
  const walk = new AttributeWalk(bytes, start, end);
  const value = new Reader(bytes, [start, end], updateError.attributeLength);
  const seen = new Uint8Array(256);
  while (walk.next()) {
    const duplicate = seen[walk.code] !== 0;
    seen[walk.code] = 1;
    if (duplicate) noteDuplicate(draft, walk);
    else decodeOne(draft, walk, { value: value.reset(walk.valueStart, walk.valueEnd), context });
  }
  if (walk.fault !== undefined) draft.faults.push({ ...walk.fault, remedy: 'treat-as-withdraw' });
  return finish(draft);
}

interface Input {
  readonly value: Reader;
  readonly context: CodecContext;
}

function decodeOne(draft: Draft, walk: AttributeWalk, { value, context }: Input): void {
  const row = rowByCode[walk.code];
  if (row === undefined) {
    keepUnknown(draft, walk);
    return;
  }
  const { field, spec } = row;
  const unwanted = spec.unwanted?.(context);
  if (unwanted !== undefined) {
    note(draft, walk, { text: unwanted, code: updateError.optionalAttribute, remedy: 'attribute-discard' });
    return;
  }
  if (((walk.flags ^ spec.flags) & (OPTIONAL | TRANSITIVE)) !== 0) {
    const remedy = effectiveMpRemedy(spec.onFlags ?? 'treat-as-withdraw', value.left, context); // RFC 7606 §3 (c)
    note(draft, walk, { ...flagsFault(walk.flags, spec), remedy });
    return;
  }
  try {
    draft.wire[field] = decodeValue(spec, value, context);
    if (hasPartialBit(spec) && (walk.flags & PARTIAL) !== 0) draft.partial.push(spec.code);
  } catch (error) {
    if (!(error instanceof BgpError)) throw error;
    const octets = walk.valueEnd - walk.valueStart;
    note(draft, walk, {
      text: error.text,
      code: error.code,
      remedy: effectiveMpRemedy(spec.onMalformed, octets, context),
    });
  }
}

function decodeValue(spec: AttributeSpec<unknown>, value: Reader, context: CodecContext): unknown {
  if (value.left === 0 && spec.mayBeEmpty !== true)
    throw new BgpError('the value is empty', updateError.attributeLength);
  const decoded = spec.decode(value, context);
  if (value.left > 0) throw new BgpError(`${value.left} octets are left over`, updateError.attributeLength);
  return decoded;
}

/** Kept as they are; what of them goes on to others is `passOn`'s to say. */
function keepUnknown(draft: Draft, walk: AttributeWalk): void {
  if ((walk.flags & OPTIONAL) === 0) {
    // Departs from RFC 4271 §6.3, which resets the session (3/2): one attribute from afar must not cost a session.
    note(draft, walk, {
      text: 'well-known, but not known here',
      code: updateError.unrecognizedWellKnown,
      remedy: 'treat-as-withdraw',
    });
  } else {
    const flags = walk.flags & (OPTIONAL | TRANSITIVE | PARTIAL);
    draft.unknown.push({ code: walk.code, flags, value: copyOf(walk.bytes, walk.valueStart, walk.valueEnd) });
  }
}

/** RFC 7606 §3 (g). */
function noteDuplicate(draft: Draft, walk: AttributeWalk): void {
  const remedy = rowByCode[walk.code]?.spec.onDuplicate ?? 'attribute-discard';
  note(draft, walk, { text: 'appears more than once', code: updateError.malformedAttributeList, remedy });
}

interface Finding {
  readonly text: string;
  readonly code: ErrorCode;
  readonly remedy: Remedy;
}

/** RFC 4271 §6.3: the data is the attribute with its header, except for 3/1 and 3/11, which have none. */
function note(draft: Draft, walk: AttributeWalk, { text, code, remedy }: Finding): void {
  const name = rowByCode[walk.code]?.spec.name ?? `attribute ${walk.code}`;
  const listFault = code[1] === updateError.malformedAttributeList[1] || code[1] === updateError.malformedAsPath[1];
  const data = listFault ? new Uint8Array() : copyOf(walk.bytes, walk.start, walk.valueEnd);
  draft.faults.push({ text: `${name}: ${text}`, code, data, remedy, attribute: walk.code });
}

function finish({ wire, unknown, partial, faults }: Draft): AttributesResult {
  // The table ties each field to the type its codec gives.
  const { mpReach, nextHop, ...rest } = wire as WireAttributes;
  const attributes: PathAttributes = {
    ...without(rest, ['mpUnreach', 'as4Path', 'as4Aggregator']),
    ...mergeAs4(rest),
    ...(mpReach === undefined && nextHop !== undefined && { nextHop }),
    ...(mpReach !== undefined && mpReach.nextHop.length > 0 && { nextHop: mpReach.nextHop }),
    ...(unknown.length > 0 && { unknown }),
    ...(partial.length > 0 && { partial: partial.sort((a, b) => a - b) }),
  };
  const remedy = faults.reduce<Remedy | undefined>(
    (strongest, fault) => strongerRemedy(strongest, fault.remedy),
    undefined,
  );
  return {
    attributes,
    faults,
    ...(remedy !== undefined && { remedy }),
    ...(nextHop !== undefined && { ipv4NextHop: nextHop }),
  };
}

/** `value` but for `keys`. */
export function without<T extends object, K extends keyof T>(value: T, keys: readonly K[]): Omit<T, K> {
  const others = Object.entries(value).filter(([key]) => !(keys as readonly string[]).includes(key));
  return Object.fromEntries(others) as Omit<T, K>;
}
