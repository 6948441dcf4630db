import type { CodecContext, Family } from '../context.ts';
import { plainContext } from '../context.ts';
import { Writer } from '../writer.ts';
import { splitAs4 } from './as4-merge.ts';
import { mpReach } from './mp-reach.ts';
import { mpUnreach } from './mp-unreach.ts';
import type { NextHopBytes, PathAttributes, UnknownAttribute } from './path-attributes.ts';
import { EXTENDED_LENGTH, hasPartialBit, OPTIONAL, PARTIAL, TRANSITIVE } from './spec.ts';
import type { WireAttributes } from './table.ts';
import { attributeRows, rowByCode } from './table.ts';

export interface EncodeContext extends CodecContext {
  /** `mp-reach`: no NEXT_HOP is written; the caller puts `encodeMpReach` in front. Default: `next-hop`. */
  readonly nextHopIn?: 'next-hop' | 'mp-reach';
}

/**
 * An attribute block in order of code, extended lengths only where needed. To a peer with two-octet AS numbers AS_TRANS
 * and AS4_PATH are written, RFC 6793 §4.2.2. Flags of unknown attributes and partial bits go out as the record has them:
 * a received set that is passed on goes through `passOn` first. A list of nothing is not written. Throws a plain Error
 * where a value cannot be written, such as an IPv6 address in NEXT_HOP, or an unknown attribute that is known here.
 */
export function encodeAttributes(attributes: PathAttributes, context: EncodeContext): Uint8Array<ArrayBuffer> {
  for (const each of attributes.unknown ?? []) refuseKnown(each);
  refuseTwice(attributes.unknown ?? []);
  return encodeBlock(attributes, context);
}

/** The same, where `unknown` may hold what its caller has encoded. */
export function encodeBlock(attributes: PathAttributes, context: EncodeContext): Uint8Array<ArrayBuffer> {
  const { unknown = [], partial = [], ...own } = attributes;
  const wire: WireAttributes = context.fourOctetAs ? own : { ...own, ...splitAs4(own) };
  const rest = unknown.toSorted((a, b) => a.code - b.code);
  let next = 0;
  let partials = 0;
  const out = new Writer();
  for (const { field, spec } of attributeRows) {
    for (; next < rest.length && rest[next]!.code <= spec.code; next++) writeUnknown(out, rest[next]!);
    const value = wire[field];
    if (value === undefined || (field === 'nextHop' && context.nextHopIn === 'mp-reach')) continue;
    if (isNothing(value) && spec.mayBeEmpty !== true) continue;
    const isPartial = hasPartialBit(spec) && partial.includes(spec.code);
    const flags = isPartial ? spec.flags | PARTIAL : spec.flags;
    if (isPartial) partials++;
    writeAttribute(out, spec.code, flags, () => spec.encode(out, value, context));
  }
  for (; next < rest.length; next++) writeUnknown(out, rest[next]!);
  if (partials < partial.length)
    throw new Error(`partial ${partial.join(' ')} names what is not there or has no such bit`);
  return out.finish();
}

const isNothing = (value: unknown): boolean => Array.isArray(value) && value.length === 0;

function refuseTwice(unknown: readonly UnknownAttribute[]): void {
  const codes = new Set(unknown.map(({ code }) => code));
  if (codes.size < unknown.length) throw new Error('an unknown attribute appears more than once');
}

function refuseKnown({ code, flags }: UnknownAttribute): void {
  const known = rowByCode[code]?.spec.name;
  if (known !== undefined) throw new Error(`attribute ${code} is ${known}, and not unknown`);
  if ((flags & ~(OPTIONAL | TRANSITIVE | PARTIAL)) !== 0) {
    throw new Error(`attribute ${code} has flags ${flags}: only 0x80, 0x40 and 0x20 are its own to set`);
  }
  // No peer may take it: RFC 4271 §6.3.
  if ((flags & OPTIONAL) === 0) throw new Error(`attribute ${code} is unknown and not optional`);
}

/** MP_REACH_NLRI as one attribute with its header. `nlri` as `writeNlri` makes it. */
export function encodeMpReach(family: Family, nextHop: NextHopBytes, nlri: Uint8Array): Uint8Array<ArrayBuffer> {
  const out = new Writer();
  writeAttribute(out, mpReach.code, mpReach.flags, () => mpReach.encode(out, { family, nextHop, nlri }, plainContext));
  return out.finish();
}

/** MP_UNREACH_NLRI as one attribute with its header. */
export function encodeMpUnreach(family: Family, nlri: Uint8Array): Uint8Array<ArrayBuffer> {
  const out = new Writer();
  writeAttribute(out, mpUnreach.code, mpUnreach.flags, () => mpUnreach.encode(out, { family, nlri }, plainContext));
  return out.finish();
}

function writeUnknown(out: Writer, { code, flags, value }: UnknownAttribute): void {
  writeAttribute(out, code, flags, () => out.bytes(value));
}

/** Header, then what `content` writes; an extended length where one octet is too few. */
function writeAttribute(out: Writer, code: number, flags: number, content: () => void): void {
  const at = out.length;
  out.u8(flags);
  out.u8(code);
  out.prefixedByFit(content, () => out.setBits(at, EXTENDED_LENGTH));
}
