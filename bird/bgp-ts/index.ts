/** The BGP wire codec: bytes to values and back. No I/O, no timers, no state but the framers' and BmpSession's. README.md tells the rest. */
export { aigpMetric } from './attribute/aigp.ts';
export { asPathLength, formatAsPath } from './attribute/as-segments.ts';
export { formatExtendedCommunity } from './attribute/community-text.ts';
export type { AttributesResult } from './attribute/decode.ts';
export { decodeAttributes } from './attribute/decode.ts';
export type { EncodeContext } from './attribute/encode.ts';
export { encodeAttributes, encodeMpReach, encodeMpUnreach } from './attribute/encode.ts';
export { formatNextHop, parseNextHop } from './attribute/next-hop-text.ts';
export { OnlyMultiprotocol } from './attribute/only-multiprotocol.ts';
export { passOn } from './attribute/pass-on.ts';
export { NEXT_HOP_ROOM, NOT_PLAIN, PlainAttributes } from './attribute/plain.ts';
export type {
  AigpTlv,
  AsSegment,
  LargeCommunity,
  NextHopBytes,
  Origin,
  PathAttributes,
  UnknownAttribute,
} from './attribute/path-attributes.ts';
export type {
  AddPathEntry,
  Capability,
  ExtendedNextHop,
  GracefulRestart,
  LongLivedFamily,
  MultipleLabels,
} from './capability/capability.ts';
export type { NegotiatedContexts } from './message/negotiate.ts';
export { asnOf, negotiatedContexts } from './message/negotiate.ts';
export { encodeCapability } from './capability/table.ts';
export type { CodecContext, Family, FamilyKey } from './context.ts';
export { familyKey, plainContext } from './context.ts';
export type { AttributeFault, ErrorCode, Fault, Remedy } from './error.ts';
export { BgpError, strongerRemedy } from './error.ts';
export { Framer } from './frame.ts';
export {
  AS_TRANS,
  EXTENDED_MAX_OCTETS,
  HEADER_OCTETS,
  MAX_OCTETS,
  cease,
  errorName,
  fsmError,
  headerError,
  holdTimerExpired,
  openError,
  routeRefreshError,
  sendHoldTimerExpired,
  updateError,
} from './iana.ts';
export {
  formatAddress,
  formatIpv4,
  formatIpv6,
  formatPrefix,
  parseAddress,
  parseIpv4,
  parseIpv6,
  parsePrefix,
} from './json/address.ts';
export { formatRouteDistinguisher, parseRouteDistinguisher } from './json/administered.ts';
export type { Json } from './json/codec.ts';
export type { Judgement } from './judge.ts';
export { judgeUpdate } from './judge.ts';
export { encodeUpdate } from './message/encode-update.ts';
export { formatMessage } from './message/format.ts';
export type { MessageFromJson } from './message/json.ts';
export { messageFromJson, messageToJson } from './message/json.ts';
export type { Keepalive, Message, Notification, Open, RouteRefresh, Update, UpdateForm } from './message/message.ts';
export { encodeShutdownText, shutdownText } from './message/notification.ts';
export type { DecodeResult } from './message/table.ts';
export { decodeMessage, encodeMessage } from './message/table.ts';
export type { UpdateFields } from './message/update-frame.ts';
export { encodeEndOfRib, encodeUpdateFrame } from './message/update-frame.ts';
export type { UpdateKind } from './message/update-writer.ts';
export { UpdateWriter } from './message/update-writer.ts';
export { familyName, IPV4_UNICAST, IPV6_UNICAST, parseFamily } from './nlri/families.ts';
export type {
  FamilyNlri,
  FlowComponent,
  FlowMatch,
  FlowMatches,
  FlowNlri,
  FlowPrefix,
  LabeledNlri,
  NlriShape,
  PrefixNlri,
  VpnNlri,
} from './nlri/nlri.ts';
export { checkNlri, decodeNlri, encodeNlri } from './nlri/table.ts';
export type { NlriVisitor } from './nlri/walk.ts';
export { prefixWord } from './nlri/prefix-word.ts';
export { nlriOctets, walkNlri, writeNlri, writePathId } from './nlri/walk.ts';
export type { AttributeRange, UpdateScan } from './scan.ts';
export { asMpFault, scanUpdate } from './scan.ts';
export { readU16 } from './reader.ts';
