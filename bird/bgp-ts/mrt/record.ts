import type { NextHopBytes, PathAttributes } from '../attribute/path-attributes.ts';
import type { AttributeFault } from '../error.ts';
import type { FamilyNlri } from '../nlri/nlri.ts';

/** RFC 6396 §2. */
export interface Timed {
  /** Since 1970-01-01 UTC. */
  readonly timestampSeconds: number;
}

/** RFC 6396 §3: with `microseconds` the record is one of the _ET types, which have a field for them. */
export interface FinelyTimed extends Timed {
  readonly microseconds?: number;
}

/** RFC 6396 §4.3.1: the peers that RIB entries mean by their index. */
export interface PeerIndexTable extends Timed {
  readonly type: 'peer-index-table';
  readonly collectorBgpIdentifier: number;
  /** May be empty. */
  readonly viewName: string;
  readonly peers: readonly IndexedPeer[];
}

export interface IndexedPeer {
  readonly bgpIdentifier: number;
  /** 4 or 16 octets. */
  readonly address: Uint8Array;
  readonly asn: number;
  /** `asn` has four octets on the wire, whatever its value. */
  readonly fourOctetAs: boolean;
}

/** One prefix and the routes to it, RFC 6396 §4.3.2 and §4.3.3, RFC 8050 §4. */
export interface Rib extends Timed {
  readonly type: 'rib';
  /** RIB_GENERIC: the record names its family. The others are IPv4 and IPv6, unicast and multicast. */
  readonly generic?: true;
  /** The ADDPATH subtypes: each entry has its path identifier, in RIB_GENERIC_ADDPATH the NLRI has the one of them all. */
  readonly addPath: boolean;
  readonly sequence: number;
  /** Exactly one. */
  readonly nlri: FamilyNlri;
  readonly entries: readonly RibEntry[];
}

/** RFC 6396 §4.3.4. */
export interface RibEntry {
  /** The place of the peer in the PEER_INDEX_TABLE before. */
  readonly peerIndex: number;
  /** Since 1970-01-01 UTC, in seconds. */
  readonly originatedTime: number;
  /** In the ADDPATH subtypes but for RIB_GENERIC_ADDPATH, and nowhere else. */
  readonly pathId?: number;
  readonly attributes: PathAttributes;
  /** The NEXT_HOP attribute, where `attributes.nextHop` is MP_REACH's and the entry has both. */
  readonly ipv4NextHop?: NextHopBytes;
  /** What was malformed in the attributes; that is then not in `attributes`, and not written. */
  readonly faults: readonly AttributeFault[];
}

/** RFC 6397 §4: where the peers of the PEER_INDEX_TABLE are, in its order. Degrees; NaN, both of a pair: not told. */
export interface GeoPeerTable extends Timed {
  readonly type: 'geo-peer-table';
  readonly collectorBgpIdentifier: number;
  readonly latitude: number;
  readonly longitude: number;
  readonly peers: readonly LocatedPeer[];
}

export interface LocatedPeer {
  /** The octet as in PEER_INDEX_TABLE, though neither the address nor the AS that it tells of is here. */
  readonly peerType: number;
  readonly bgpIdentifier: number;
  readonly latitude: number;
  readonly longitude: number;
}

/** The session that a BGP4MP record is about, RFC 6396 §4.4. */
export interface RecordedSession extends FinelyTimed {
  readonly peerAsn: number;
  readonly localAsn: number;
  /** 0: unknown. */
  readonly interfaceIndex: number;
  /** Both 4 octets or both 16. */
  readonly peerAddress: Uint8Array;
  readonly localAddress: Uint8Array;
  /** The _AS4 subtypes. */
  readonly fourOctetAs: boolean;
}

/** RFC 6396 §4.4.2, §4.4.3, RFC 8050 §3. */
export interface Bgp4mpMessage extends RecordedSession {
  readonly type: 'bgp4mp-message';
  /** The _LOCAL subtypes: the message is one that the recorder sent, and not one that it received. */
  readonly local: boolean;
  /** The ADDPATH subtypes: NLRI in the message carry path identifiers. */
  readonly addPath: boolean;
  /** One BGP message with its header, as recorded and not judged: `decodeBgp4mpMessage`. */
  readonly bgp: Uint8Array;
}

/** RFC 4271 §8.2.2, in the numbers of RFC 6396 §4.4.1 from 1. */
export const bgpStates = ['Idle', 'Connect', 'Active', 'OpenSent', 'OpenConfirm', 'Established'] as const;

/** A number that has no name stays one: some daemons record states of their own. */
export type RecordedState = (typeof bgpStates)[number] | number;

/** RFC 6396 §4.4.1, §4.4.4. */
export interface Bgp4mpStateChange extends RecordedSession {
  readonly type: 'bgp4mp-state-change';
  readonly oldState: RecordedState;
  readonly newState: RecordedState;
}

/** A record that nobody here reads: TABLE_DUMP, OSPF, IS-IS, a RIB of a family without a codec. Kept as it is. */
export interface UnknownRecord extends FinelyTimed {
  readonly type: 'unknown';
  readonly mrtType: number;
  readonly subtype: number;
  /** Without the microseconds of an _ET type. */
  readonly body: Uint8Array;
}

/** A record that somebody here reads. */
export type KnownRecord = PeerIndexTable | Rib | GeoPeerTable | Bgp4mpMessage | Bgp4mpStateChange;

export type MrtRecord = KnownRecord | UnknownRecord;
