/** One segment of an AS_PATH, RFC 4271 §4.3 and RFC 5065 §3. */
export interface AsSegment {
  readonly type: 'set' | 'sequence' | 'confed-sequence' | 'confed-set';
  readonly asns: readonly number[];
}

export type Origin = 'igp' | 'egp' | 'incomplete';

/** A next hop as bytes: 4 octets for IPv4, 16 for IPv6, 32 for IPv6 with its link-local address. */
export type NextHopBytes = Uint8Array;

export interface UnknownAttribute {
  readonly code: number;
  readonly flags: number;
  readonly value: Uint8Array;
}

/**
 * The path attributes of one UPDATE but for the NLRI that MP_REACH and MP_UNREACH carry.
 * AS_PATH is already merged with AS4_PATH, RFC 6793 §4.2.3.
 */
export interface PathAttributes {
  readonly origin?: Origin;
  readonly asPath?: readonly AsSegment[];
  /** From NEXT_HOP, or from MP_REACH where the UPDATE had one. */
  readonly nextHop?: NextHopBytes;
  readonly med?: number;
  readonly localPref?: number;
  readonly atomicAggregate?: true;
  readonly aggregator?: { readonly asn: number; readonly address: number };
  /** RFC 1997, as unsigned 32-bit values. */
  readonly communities?: readonly number[];
  /** BGP Identifier of the originator in this AS, RFC 4456. */
  readonly originatorId?: number;
  readonly clusterList?: readonly number[];
  /** RFC 4360: eight octets each. */
  readonly extendedCommunities?: readonly Uint8Array[];
  /** RFC 8092: global administrator, two data parts. */
  readonly largeCommunities?: readonly (readonly [number, number, number])[];
  /** Optional transitive attributes that nobody here understands; passed on with the partial bit, RFC 4271 §5. */
  readonly unknown?: readonly UnknownAttribute[];
}
