import type { CodecContext } from '../context.ts';
import type { ErrorCode, Fault, Remedy } from '../error.ts';
import { BgpError, strongerRemedy } from '../error.ts';
import { updateError } from '../iana.ts';
import { Reader, copyOf } from '../reader.ts';
import { mergeAs4 } from './as4-merge.ts';
import type { NextHopBytes, PathAttributes, UnknownAttribute } from './path-attributes.ts';
import type { AttributeSpec } from './spec.ts';
import { OPTIONAL, PARTIAL, TRANSITIVE } from './spec.ts';
import type { WireAttributes } from './table.ts';
import { rowByCode } from './table.ts';
import { AttributeWalk } from './walk.ts';

/** A fault, what RFC 7606 makes of it, and the attribute's code (absent where the list itself is broken). */
export interface AttributeFault extends Fault {
  readonly remedy: Remedy;
  readonly attribute?: number;
}

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
  readonly faults: AttributeFault[];
}

/**
 * The attribute block `bytes[start, end)`, each attribute judged by its row: flags, duplicates, lengths, remedies
 * (RFC 7606 §3, §4, §7). Values are copies and may be kept. Whether an attribute is missing: `checkMandatory`. The
 * prefixes of MP_REACH and MP_UNREACH are not looked at. Never throws.
 */
export function decodeAttributes(
  bytes: Uint8Array,
  start: number,
  end: number,
  context: CodecContext,
): AttributesResult {
  const draft: Draft = { wire: {}, unknown: [], faults: [] };
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

/**
 * What RFC 7606 §5.2 makes of `remedy`: where an UPDATE has no reachable prefix, one cannot trust that none was lost,
 * and a treat-as-withdraw has nothing to withdraw. So anything above attribute-discard resets the session.
 */
export function effectiveRemedy(remedy: Remedy | undefined, reach: ReachableNlri): Remedy | undefined {
  if (remedy === undefined || remedy === 'attribute-discard') return remedy;
  return reach.hasIpv4Nlri || reach.hasMpReach ? remedy : 'session-reset';
}

export interface ReachableNlri {
  /** The UPDATE's own NLRI field is not empty. */
  readonly hasIpv4Nlri: boolean;
  readonly hasMpReach: boolean;
  /** The result's `ipv4NextHop`; asked for where an UPDATE has both kinds, as MP_REACH's next hop is none for IPv4 NLRI. */
  readonly ipv4NextHop?: NextHopBytes | undefined;
}

/**
 * The first well-known mandatory attribute that an UPDATE with reachable prefixes lacks, as 3/3 with its code as data.
 * The remedy is treat-as-withdraw. RFC 4271 §6.3, RFC 7606 §3 (d); LOCAL_PREF is not asked for.
 */
export function checkMandatory(attributes: PathAttributes, reach: ReachableNlri): Fault | undefined {
  if (!reach.hasIpv4Nlri && !reach.hasMpReach) return undefined;
  if (attributes.origin === undefined) return missing('ORIGIN', 1);
  if (attributes.asPath === undefined) return missing('AS_PATH', 2);
  const nextHop = reach.hasMpReach ? reach.ipv4NextHop : attributes.nextHop;
  if (reach.hasIpv4Nlri && nextHop === undefined) return missing('NEXT_HOP', 3);
  return undefined;
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
    const text = `flags ${hex(walk.flags)} conflict with ${hex(spec.flags)}`;
    note(draft, walk, { text, code: updateError.attributeFlags, remedy: 'treat-as-withdraw' }); // RFC 7606 §3 (c)
    return;
  }
  try {
    draft.wire[field] = decodeValue(spec, value, context);
  } catch (error) {
    if (!(error instanceof BgpError)) throw error;
    note(draft, walk, { text: error.text, code: error.code, remedy: spec.onMalformed });
  }
}

function decodeValue(spec: AttributeSpec<unknown>, value: Reader, context: CodecContext): unknown {
  if (value.left === 0 && spec.mayBeEmpty !== true)
    throw new BgpError('the value is empty', updateError.attributeLength);
  const decoded = spec.decode(value, context);
  if (value.left > 0) throw new BgpError(`${value.left} octets are left over`, updateError.attributeLength);
  return decoded;
}

/** Transitive ones are kept to be passed on, others dropped in silence. RFC 4271 §5, §9. */
function keepUnknown(draft: Draft, walk: AttributeWalk): void {
  if ((walk.flags & OPTIONAL) === 0) {
    // Departs from RFC 4271 §6.3, which resets the session (3/2): one attribute from afar must not cost a session.
    note(draft, walk, {
      text: 'well-known, but not known here',
      code: updateError.unrecognizedWellKnown,
      remedy: 'treat-as-withdraw',
    });
  } else if ((walk.flags & TRANSITIVE) !== 0) {
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

/** RFC 4271 §6.3: the data is the attribute with its header, except for 3/1, which has none. */
function note(draft: Draft, walk: AttributeWalk, { text, code, remedy }: Finding): void {
  const name = rowByCode[walk.code]?.spec.name ?? `attribute ${walk.code}`;
  const listFault = code[1] === updateError.malformedAttributeList[1] || code[1] === updateError.malformedAsPath[1];
  const data = listFault ? new Uint8Array() : copyOf(walk.bytes, walk.start, walk.valueEnd);
  draft.faults.push({ text: `${name}: ${text}`, code, data, remedy, attribute: walk.code });
}

function finish({ wire, unknown, faults }: Draft): AttributesResult {
  // The table ties each field to the type its codec gives.
  const { mpReach, nextHop, ...rest } = wire as WireAttributes;
  const attributes: PathAttributes = {
    ...without(rest, ['mpUnreach', 'as4Path', 'as4Aggregator']),
    ...mergeAs4(rest),
    ...(nextHop !== undefined && { nextHop }),
    ...(mpReach !== undefined && mpReach.nextHop.length > 0 && { nextHop: mpReach.nextHop }),
    ...(unknown.length > 0 && { unknown }),
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

const missing = (name: string, code: number): Fault => ({
  text: `${name} is missing`,
  code: updateError.missingWellKnown,
  data: Uint8Array.of(code),
});

const hex = (flags: number): string => `0x${flags.toString(16).padStart(2, '0')}`;
