/** One segment of an AS_PATH, RFC 4271 §4.3 and RFC 5065 §3. */
export interface AsSegment {
  readonly type: 'set' | 'sequence' | 'confed-sequence' | 'confed-set';
  readonly asns: readonly number[];
}

export type Origin = 'igp' | 'egp' | 'incomplete';

/**
 * A next hop as bytes: 4 octets for IPv4, 16 for IPv6, 32 for IPv6 with its link-local address; of a VPN family the same
 * behind 8 octets of route distinguisher (each address has its own); of a family kept as bytes anything.
 */
export type NextHopBytes = Uint8Array;

/** `flags`: 0x80 optional, 0x40 transitive, 0x20 partial, RFC 4271 §4.3; the value as it is on the wire. */
export interface UnknownAttribute {
  readonly code: number;
  readonly flags: number;
  readonly value: Uint8Array;
}

/** RFC 8092: global administrator, two data parts. */
export type LargeCommunity = readonly [number, number, number];

/** The value without type and length. Type 1 is the metric in eight octets. */
export interface AigpTlv {
  readonly type: number;
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
  /** RFC 6514, as bytes. */
  readonly pmsiTunnel?: Uint8Array;
  /** RFC 9012, as bytes. */
  readonly tunnelEncapsulation?: Uint8Array;
  /** RFC 5701: twenty octets each. */
  readonly ipv6ExtendedCommunities?: readonly Uint8Array[];
  /** RFC 7311; the metric itself: `aigpMetric`. */
  readonly aigp?: readonly AigpTlv[];
  readonly largeCommunities?: readonly LargeCommunity[];
  /** Only to Customer, RFC 9234: the AS that the route must not climb from. */
  readonly onlyToCustomer?: number;
  /** Attributes that nobody here understands, flags and octets as received. What of them goes on: `passOn`. */
  readonly unknown?: readonly UnknownAttribute[];
  /** Codes of the attributes above that came with the partial bit: somebody on the way did not understand them. */
  readonly partial?: readonly number[];
}
