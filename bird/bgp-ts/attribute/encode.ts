import type { CodecContext, Family } from '../context.ts';
import { Writer } from '../writer.ts';
import { splitAs4 } from './as4-merge.ts';
import { mpReach } from './mp-reach.ts';
import { mpUnreach } from './mp-unreach.ts';
import type { NextHopBytes, PathAttributes } from './path-attributes.ts';
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
  const parts: (readonly [code: number, bytes: Uint8Array])[] = unknown.map(({ code, flags, value }) => [
    code,
    frameAttribute(code, flags, value),
  ]);
  for (const { field, spec } of attributeRows) {
    const value = wire[field];
    if (value === undefined || (field === 'nextHop' && context.nextHopIn === 'mp-reach')) continue;
    const out = new Writer();
    spec.encode(out, value, context);
    const flags = partial.includes(spec.code) ? spec.flags | PARTIAL : spec.flags;
    parts.push([spec.code, frameAttribute(spec.code, flags, out.finish())]);
  }
  const out = new Writer();
  for (const [, bytes] of parts.sort(([a], [b]) => a - b)) out.bytes(bytes);
  return out.finish();
}

/** MP_REACH_NLRI as one attribute with its header. `nlri` as `writeNlri` makes it. */
export function encodeMpReach(family: Family, nextHop: NextHopBytes, nlri: Uint8Array): Uint8Array<ArrayBuffer> {
  const out = new Writer();
  mpReach.encode(out, { family, nextHop, nlri }, noContext);
  return frameAttribute(mpReach.code, mpReach.flags, out.finish());
}

/** MP_UNREACH_NLRI as one attribute with its header. Its length has two octets always, as other speakers write it. */
export function encodeMpUnreach(family: Family, nlri: Uint8Array): Uint8Array<ArrayBuffer> {
  const out = new Writer();
  mpUnreach.encode(out, { family, nlri }, noContext);
  return frameAttribute(mpUnreach.code, mpUnreach.flags | EXTENDED_LENGTH, out.finish());
}

/** Neither MP_REACH nor MP_UNREACH depends on what was negotiated when it is written. */
const noContext: CodecContext = {
  fourOctetAs: true,
  addPath: new Set(),
  extendedNextHop: new Set(),
  extendedMessage: false,
  external: false,
};

function frameAttribute(code: number, flags: number, value: Uint8Array): Uint8Array<ArrayBuffer> {
  const extended = value.length > 255 || (flags & EXTENDED_LENGTH) !== 0;
  const out = new Writer();
  out.u8(extended ? flags | EXTENDED_LENGTH : flags);
  out.u8(code);
  out.prefixed(extended ? 2 : 1, (content) => content.bytes(value));
  return out.finish();
}
