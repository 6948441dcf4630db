/** AFI and SAFI as registered with IANA: IPv4 unicast is `{ afi: 1, safi: 1 }`. */
export interface Family {
  readonly afi: number;
  readonly safi: number;
}

/** `1/1` for IPv4 unicast: a family as a set element or a key. */
export type FamilyKey = `${number}/${number}`;

/** The key of a family; its name for people is `familyName`. */
export const familyKey = ({ afi, safi }: Family): FamilyKey => `${afi}/${safi}`;

/** What the two OPENs settled and the bytes alone do not tell. */
export interface CodecContext {
  /** AS numbers in AS_PATH and AGGREGATOR have four octets: both sides sent RFC 6793's capability. */
  readonly fourOctetAs: boolean;
  /** Families whose NLRI carry a path identifier in this direction, RFC 7911. */
  readonly addPath: ReadonlySet<FamilyKey>;
  /** Families in which IPv4 NLRI may have an IPv6 next hop, RFC 8950. */
  readonly extendedNextHop: ReadonlySet<FamilyKey>;
  /** Families whose prefixes may have several labels: both sides sent RFC 8277's capability. Absent: none. */
  readonly multipleLabels?: ReadonlySet<FamilyKey>;
  /** Messages up to 65,535 octets: their receiver sent RFC 8654's capability. */
  readonly extendedMessage: boolean;
  /**
   * The peer is external: LOCAL_PREF, ORIGINATOR_ID and CLUSTER_LIST from it are discarded (RFC 7606 §7.5, §7.9, §7.10),
   * and confederation segments in AS_PATH are malformed (RFC 5065 §5).
   */
  readonly external: boolean;
  /** What is read holds a router's own routes too, as MRT and BMP do: NEXT_HOP may be 0.0.0.0. */
  readonly ownRoutes?: true;
  /**
   * What a malformed MP_REACH_NLRI or MP_UNREACH_NLRI costs: the session (default), or its family alone, whose routes are
   * then to be deleted and ignored until the session ends. RFC 7606 §2 leaves the choice, RFC 4760 §7.
   */
  readonly mpFaults?: 'session-reset' | 'afi-safi-disable';
}

/** A session with four-octet AS numbers and nothing else; take it and change what differs. */
export const plainContext: CodecContext = {
  fourOctetAs: true,
  addPath: new Set(),
  extendedNextHop: new Set(),
  extendedMessage: false,
  external: true,
};
