/** BMP, the BGP Monitoring Protocol, on top of the codec: RFC 7854, 8671, 9069, 9736. README.md tells the rest. */
export { bgpContext, peerUpContexts } from './bgp-context.ts';
export type { BmpFrame } from './frame.ts';
export { BmpFramer } from './frame.ts';
export { BMP_HEADER_OCTETS, BMP_MAX_OCTETS } from './header.ts';
export type { BmpMalformed } from './malformed.ts';
export type {
  BmpMessage,
  CodeTlv,
  Initiation,
  InitiationTlv,
  LocRibPeer,
  MirroringTlv,
  PeerDown,
  PeerHeader,
  PeerTlv,
  PeerUp,
  RouteMirroring,
  RouteMonitoring,
  RouterPeer,
  Statistic,
  StatisticsReport,
  Termination,
  TerminationTlv,
  TextTlv,
  UnknownMessage,
  UnknownPeer,
  UnknownTlv,
} from './message.ts';
export { BmpSession } from './session.ts';
export type { BmpResult } from './table.ts';
export { decodeBmp, encodeBmp } from './table.ts';
export type { BmpFromJson } from './text.ts';
export { bmpFromJson, bmpToJson, formatBmp } from './text.ts';
