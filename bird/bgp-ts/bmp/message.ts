import type { Family } from '../context.ts';

interface PeerIdentity {
  /** 8 octets: a route distinguisher for an `rd` peer, else zeros or what tells instances apart. */
  readonly distinguisher: Uint8Array;
  readonly asn: number;
  readonly bgpIdentifier: number;
  /** When the routes were received or the event happened, since the epoch; 0 where the router does not know. */
  readonly seconds: number;
  readonly microseconds: number;
}

/** A BGP peer of the router, RFC 7854 §4.2; `adjRibOut` is RFC 8671's. */
export interface RouterPeer extends PeerIdentity {
  readonly peerType: 'global' | 'rd' | 'local';
  /** The V flag: addresses in this message are IPv6. */
  readonly ipv6: boolean;
  /** The L flag: the routes after policy. */
  readonly postPolicy: boolean;
  /** The A flag: AS_PATH and AGGREGATOR in the BGP messages have AS numbers of two octets. */
  readonly legacyAsPath: boolean;
  /** The O flag: what the router sends to the peer. Clear in Peer Up and Peer Down, which are about both directions. */
  readonly adjRibOut: boolean;
  /** 16 octets with `ipv6`, else 4. */
  readonly address: Uint8Array;
}

/** The router's own Loc-RIB as a peer, RFC 9069 §4. */
export interface LocRibPeer extends PeerIdentity {
  readonly peerType: 'loc-rib';
  /** The F flag: a filter decides what of the Loc-RIB is sent. */
  readonly filtered: boolean;
  /** 16 octets; the RFC wants zeros. */
  readonly address: Uint8Array;
}

/** A peer type without a name here: what its flags and address mean is not known. */
export interface UnknownPeer extends PeerIdentity {
  readonly peerType: 'unknown';
  readonly number: number;
  readonly flags: number;
  /** 16 octets. */
  readonly address: Uint8Array;
}

/** The per-peer header, RFC 7854 §4.2. */
export type PeerHeader = RouterPeer | LocRibPeer | UnknownPeer;

/** UTF-8 text under a name. */
export interface TextTlv<N extends string> {
  readonly name: N;
  readonly text: string;
}

/** A number of two octets under a name. */
export interface CodeTlv<N extends string> {
  readonly name: N;
  readonly code: number;
}

/** A TLV whose type has no name here, or whose value is not of its type's form (text that is not UTF-8). */
export interface UnknownTlv {
  readonly name: 'unknown';
  readonly type: number;
  readonly value: Uint8Array;
}

/** RFC 7854 §4.4. */
export type InitiationTlv = TextTlv<'string' | 'sys-descr' | 'sys-name'> | UnknownTlv;
/** RFC 7854 §4.5; the codes have names in termination.ts. */
export type TerminationTlv = TextTlv<'string'> | CodeTlv<'reason'> | UnknownTlv;
/** RFC 9736 §3, RFC 9069 §5.2.1, RFC 8671 §6.3.1. */
export type PeerTlv = TextTlv<'string' | 'vrf-table-name' | 'admin-label'> | UnknownTlv;
/** RFC 7854 §4.7. The BGP message is verbatim, and may be the malformed one that the router complains of. */
export type MirroringTlv =
  { readonly name: 'bgp-message'; readonly bgp: Uint8Array } | CodeTlv<'information'> | UnknownTlv;

/** One UPDATE, whole and raw; BmpSession decodes it. RFC 7854 §4.6. */
export interface RouteMonitoring {
  readonly type: 'route-monitoring';
  readonly peer: PeerHeader;
  readonly bgp: Uint8Array;
}

interface StatisticHead {
  readonly type: number;
  /** What IANA calls the type; for readers only, the encoder goes by `type`. */
  readonly name?: string;
}

/** RFC 7854 §4.8: the length of a value says what it is, whatever its type. */
export type Statistic =
  /** 4 octets. */
  | (StatisticHead & { readonly kind: 'counter'; readonly value: bigint })
  /** 8 octets. */
  | (StatisticHead & { readonly kind: 'gauge'; readonly value: bigint })
  /** 8 octets behind the AFI and the SAFI they are about. */
  | (StatisticHead & { readonly kind: 'family-gauge'; readonly family: Family; readonly value: bigint })
  /** Any other length: to be ignored. */
  | (StatisticHead & { readonly kind: 'bytes'; readonly data: Uint8Array });

export interface StatisticsReport {
  readonly type: 'statistics-report';
  readonly peer: PeerHeader;
  readonly statistics: readonly Statistic[];
}

interface PeerDownHead {
  readonly type: 'peer-down';
  readonly peer: PeerHeader;
}

/** RFC 7854 §4.9, reasons 1 to 5 in their order; RFC 9069 §5.3 for 6. */
export type PeerDown =
  /** A whole NOTIFICATION, sent or received. */
  | (PeerDownHead & { readonly reason: 'local-notification' | 'remote-notification'; readonly bgp: Uint8Array })
  /** The event of RFC 4271 §8.1 that closed the session; 0 where none did. */
  | (PeerDownHead & { readonly reason: 'local-no-notification'; readonly fsmEvent: number })
  | (PeerDownHead & { readonly reason: 'remote-no-notification' | 'de-configured' })
  /** The Loc-RIB is no longer monitored. */
  | (PeerDownHead & { readonly reason: 'loc-rib-closed'; readonly tlvs: readonly PeerTlv[] })
  | (PeerDownHead & { readonly reason: 'unknown'; readonly code: number; readonly data: Uint8Array });

/** RFC 7854 §4.10. */
export interface PeerUp {
  readonly type: 'peer-up';
  readonly peer: PeerHeader;
  /** As long as the peer's address. */
  readonly localAddress: Uint8Array;
  readonly localPort: number;
  readonly remotePort: number;
  /** Whole OPENs. */
  readonly sentOpen: Uint8Array;
  readonly receivedOpen: Uint8Array;
  readonly tlvs: readonly PeerTlv[];
}

export interface Initiation {
  readonly type: 'initiation';
  readonly tlvs: readonly InitiationTlv[];
}

export interface Termination {
  readonly type: 'termination';
  readonly tlvs: readonly TerminationTlv[];
}

export interface RouteMirroring {
  readonly type: 'route-mirroring';
  readonly peer: PeerHeader;
  readonly tlvs: readonly MirroringTlv[];
}

/** A message type without a name here, to be ignored. RFC 7854 §4.1. */
export interface UnknownMessage {
  readonly type: 'unknown';
  readonly number: number;
  readonly body: Uint8Array;
}

export type BmpMessage =
  RouteMonitoring | StatisticsReport | PeerDown | PeerUp | Initiation | Termination | RouteMirroring | UnknownMessage;
