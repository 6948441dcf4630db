import type { CodecContext, Family } from '../context.ts';
import { Writer } from '../writer.ts';
import { splitAs4 } from './as4-merge.ts';
import { mpReach } from './mp-reach.ts';
import { mpUnreach } from './mp-unreach.ts';
import type { NextHopBytes, PathAttributes, UnknownAttribute } from './path-attributes.ts';
import { EXTENDED_LENGTH, PARTIAL } from './spec.ts';
import type { WireAttributes } from './table.ts';
import { attributeRows } from './table.ts';

export interface EncodeContext extends CodecContext {
  /** `mp-reach`: no NEXT_HOP is written; the caller puts `encodeMpReach` in front. Default: `next-hop`. */
  readonly nextHopIn?: 'next-hop' | 'mp-reach';
}

/**
 * An attribute block in order of code, extended lengths only where needed. To a peer with two-octet AS numbers AS_TRANS
 * and AS4_PATH are written, RFC 6793 §4.2.2. Flags of unknown attributes and partial bits go out as the record has them:
 * a received set that is passed on goes through `passOn` first. Throws a plain Error where a value cannot be written, such as an IPv6 address in NEXT_HOP.
 */
export function encodeAttributes(attributes: PathAttributes, context: EncodeContext): Uint8Array<ArrayBuffer> {
  const { unknown = [], partial = [], ...own } = attributes;
  const wire: WireAttributes = context.fourOctetAs ? own : { ...own, ...splitAs4(own) };
  const rest = unknown.toSorted((a, b) => a.code - b.code);
  let next = 0;
  const out = new Writer();
  for (const { field, spec } of attributeRows) {
    for (; next < rest.length && rest[next]!.code <= spec.code; next++) writeUnknown(out, rest[next]!);
    const value = wire[field];
    if (value === undefined || (field === 'nextHop' && context.nextHopIn === 'mp-reach')) continue;
    const flags = partial.includes(spec.code) ? spec.flags | PARTIAL : spec.flags;
    writeAttribute(out, spec.code, flags, () => spec.encode(out, value, context));
  }
  for (; next < rest.length; next++) writeUnknown(out, rest[next]!);
  return out.finish();
}

/** MP_REACH_NLRI as one attribute with its header. `nlri` as `writeNlri` makes it. */
export function encodeMpReach(family: Family, nextHop: NextHopBytes, nlri: Uint8Array): Uint8Array<ArrayBuffer> {
  const out = new Writer();
  writeAttribute(out, mpReach.code, mpReach.flags, () => mpReach.encode(out, { family, nextHop, nlri }, noContext));
  return out.finish();
}

/** MP_UNREACH_NLRI as one attribute with its header. */
export function encodeMpUnreach(family: Family, nlri: Uint8Array): Uint8Array<ArrayBuffer> {
  const out = new Writer();
  writeAttribute(out, mpUnreach.code, mpUnreach.flags, () => mpUnreach.encode(out, { family, nlri }, noContext));
  return out.finish();
}

/** Neither MP_REACH nor MP_UNREACH depends on what was negotiated when it is written. */
const noContext: CodecContext = {
  fourOctetAs: true,
  addPath: new Set(),
  extendedNextHop: new Set(),
  extendedMessage: false,
  external: false,
};

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
