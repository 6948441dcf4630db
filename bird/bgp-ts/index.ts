/** The BGP wire codec: bytes to values and back. No I/O, no timers, no state but the Framer's. README.md tells the rest. */
export { asPathLength, formatAsPath } from './attribute/as-segments.ts';
export type { AttributeFault, AttributesResult, ReachableNlri } from './attribute/decode.ts';
export { checkMandatory, decodeAttributes, effectiveRemedy } from './attribute/decode.ts';
export type { EncodeContext } from './attribute/encode.ts';
export { encodeAttributes, encodeMpReach, encodeMpUnreach } from './attribute/encode.ts';
export type { AsSegment, NextHopBytes, Origin, PathAttributes, UnknownAttribute } from './attribute/path-attributes.ts';
export type {
  AddPathEntry,
  Capability,
  ExtendedNextHop,
  GracefulRestart,
  LongLivedFamily,
} from './capability/capability.ts';
export { encodeCapability } from './capability/table.ts';
export type { CodecContext, Family, FamilyKey } from './context.ts';
export { familyKey } from './context.ts';
export type { ErrorCode, Fault, Remedy } from './error.ts';
export { BgpError, strongerRemedy } from './error.ts';
export { formatMessage } from './format.ts';
export { Framer } from './frame.ts';
export {
  AS_TRANS,
  cease,
  errorName,
  fsmError,
  headerError,
  holdTimerExpired,
  openError,
  routeRefreshError,
  updateError,
} from './iana.ts';
export { EXTENDED_MAX_OCTETS, HEADER_OCTETS, MAX_OCTETS } from './message/header.ts';
export type {
  Keepalive,
  Message,
  Nlri,
  Notification,
  Open,
  RouteRefresh,
  UndecodedNlri,
  Update,
} from './message/message.ts';
export { encodeShutdownText, shutdownText } from './message/notification.ts';
export type { DecodeResult } from './message/table.ts';
export { decodeMessage, encodeMessage } from './message/table.ts';
export type { UpdateFields } from './message/update.ts';
export { encodeEndOfRib, encodeUpdate, encodeUpdateFrame } from './message/update.ts';
export type { NlriShape, NlriVisitor } from './nlri/prefix.ts';
export { checkNlri, nlriOctets, walkNlri, writeNlri, writePathId } from './nlri/prefix.ts';
export { familyName, IPV4_UNICAST, IPV6_UNICAST } from './nlri/table.ts';
export type { UpdateScan } from './scan.ts';
export { scanUpdate } from './scan.ts';
