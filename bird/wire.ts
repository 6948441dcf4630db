/** The speaker's view of the wire codec, and the only file that imports it. */
import type { CodecContext, EncodeContext, PathAttributes } from './bgp-ts/index.ts';
import { decodeAttributes, encodeAttributes, passOn, plainContext } from './bgp-ts/index.ts';

export {
  aigpMetric,
  asMpFault,
  AS_TRANS,
  BgpError,
  cease,
  checkNlri,
  decodeAttributes,
  decodeMessage,
  judgeUpdate,
  encodeEndOfRib,
  encodeMessage,
  encodeMpReach,
  encodeMpUnreach,
  encodeShutdownText,
  encodeUpdateFrame,
  errorName,
  EXTENDED_MAX_OCTETS,
  familyKey,
  familyName,
  formatAsPath,
  formatExtendedCommunity,
  Framer,
  fsmError,
  holdTimerExpired,
  nlriOctets,
  NEXT_HOP_ROOM,
  NOT_PLAIN,
  OnlyMultiprotocol,
  openError,
  MAX_OCTETS,
  negotiatedContexts,
  PlainAttributes,
  plainContext,
  prefixWord,
  readU16,
  scanUpdate,
  sendHoldTimerExpired,
  shutdownText,
  updateError,
  UpdateWriter,
  walkNlri,
  writeNlri,
  writePathId,
} from './bgp-ts/index.ts';
export type {
  AsSegment,
  AttributeRange,
  Capability,
  CodecContext,
  ErrorCode,
  Family,
  FamilyKey,
  Fault,
  GracefulRestart,
  LongLivedFamily,
  Message,
  Notification,
  NegotiatedContexts,
  NextHopBytes,
  NlriShape,
  Open,
  Origin,
  PathAttributes,
  RouteRefresh,
  UpdateKind,
  UpdateScan,
} from './bgp-ts/index.ts';

/** What an UPDATE takes before its first prefix and attribute: header and two lengths. RFC 4271 §4.3. */
export const UPDATE_FIXED_OCTETS = 23;

/** UPDATE, RFC 4271 §4.1: the speaker reads it in place and lets the codec decode the other types alone. */
export const UPDATE_TYPE = 2;
export const NOTIFICATION_TYPE = 3;

export const messageType = (frame: Uint8Array): number => frame[18] ?? 0;

const CANONICAL: EncodeContext = { ...plainContext, external: false, nextHopIn: 'mp-reach' };

/** Equal sets, and only they, give equal octets: the next hop of any family in front, then the block in order of code. */
export function canonicalAttributes(attributes: PathAttributes): Uint8Array {
  const nextHop = attributes.nextHop ?? new Uint8Array();
  const block = encodeAttributes(attributes, CANONICAL);
  const octets = new Uint8Array(1 + nextHop.length + block.length);
  octets[0] = nextHop.length;
  octets.set(nextHop, 1);
  octets.set(block, 1 + nextHop.length);
  return octets;
}

/** The opposite, of octets that `canonicalAttributes` wrote. Values are copies. */
export function decodeCanonical(octets: Uint8Array): PathAttributes {
  const start = 1 + octets[0]!;
  const { attributes } = decodeAttributes(octets, start, octets.length, CANONICAL);
  return start === 1 ? attributes : { ...attributes, nextHop: octets.slice(1, start) };
}

/** What is kept of a received set: AIGP only where the session is for it (RFC 7311 §3.3), the rest as `passOn` says. */
export const keptAttributes = (attributes: PathAttributes, aigp: boolean): PathAttributes =>
  passOn(aigp ? attributes : withoutAigp(attributes));

/** The same object where there is none. */
export const withoutAigp = (attributes: PathAttributes): PathAttributes =>
  attributes.aigp === undefined ? attributes : withoutAttributes(attributes, ['aigp']);

/** The block as it stands in an UPDATE to a peer; without the next hop where that travels in MP_REACH. */
export const attributeBlock = (
  attributes: PathAttributes,
  codec: CodecContext,
  nextHopIn: 'next-hop' | 'mp-reach',
): Uint8Array => encodeAttributes(attributes, { ...codec, nextHopIn });

/** A copy that lacks these. */
export function withoutAttributes(
  attributes: PathAttributes,
  fields: readonly (keyof PathAttributes)[],
): PathAttributes {
  const entries = Object.entries(attributes).filter(([field]) => !fields.includes(field as keyof PathAttributes));
  return Object.fromEntries(entries);
}
