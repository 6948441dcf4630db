import type { Family } from '../context.ts';

/** A prefix in packed form: one unsigned word for IPv4, four for IPv6; host bits are zero. `pathId` is 0 without ADD-PATH. */
export interface PrefixNlri {
  readonly pathId: number;
  readonly words: readonly number[];
  readonly length: number;
}

/** RFC 8277: labels of 20 bits, outermost first. A withdrawal may have none. */
export interface LabeledNlri extends PrefixNlri {
  readonly labels: readonly number[];
}

/** RFC 4364 §4.3.4, RFC 4659 §3.2: eight octets that tell one customer's prefix from another's. */
export interface VpnNlri extends LabeledNlri {
  readonly routeDistinguisher: Uint8Array;
}

/** RFC 8955: what a packet must match, one component per field. */
export interface FlowNlri {
  readonly pathId: number;
  /** FlowSpec for VPNs, SAFI 134. */
  readonly routeDistinguisher?: Uint8Array;
  readonly components: readonly FlowComponent[];
  /** From the first component that is malformed or unknown, RFC 8955 §4.2: an UPDATE that announces such a rule is treat-as-withdraw. */
  readonly rest?: Uint8Array;
}

export type FlowComponent = FlowPrefix | FlowMatches;

/** Type 1 destination, 2 source. IPv6: only the bits from `offset` to `length` count, RFC 8956 §3.1. */
export interface FlowPrefix {
  readonly type: number;
  readonly words: readonly number[];
  readonly length: number;
  readonly offset: number;
}

/** Types 3 to 13: a field of the packet against values. */
export interface FlowMatches {
  readonly type: number;
  readonly matches: readonly FlowMatch[];
}

export interface FlowMatch {
  /** Joined with the match before by AND, else by OR. */
  readonly and: boolean;
  /** The comparison's bits. Numbers: 4 less, 2 greater, 1 equal. Bit masks: 2 not, 1 all of the bits instead of any. */
  readonly operator: number;
  /** How wide `value` is on the wire. */
  readonly octets: number;
  readonly value: bigint;
}

/** What each kind of family has for NLRI. */
export interface NlriByKind {
  readonly prefix: PrefixNlri;
  readonly labeled: LabeledNlri;
  readonly vpn: VpnNlri;
  readonly flow: FlowNlri;
}

export type NlriKind = keyof NlriByKind;

/** The NLRI of one family in one message. Those of a family that nobody here decodes are `bytes`. */
export type FamilyNlri =
  { readonly [K in NlriKind]: Group<K, readonly NlriByKind[K][]> }[NlriKind] | Group<'bytes', Uint8Array>;

interface Group<K, N> {
  readonly kind: K;
  readonly family: Family;
  readonly nlri: N;
  /** IPv4 unicast that stands in MP_REACH or MP_UNREACH and not in the message's own fields. */
  readonly multiprotocol?: true;
}

/** How NLRI are written: the family, and whether each has a path identifier in front (RFC 7911). */
export interface NlriShape {
  readonly family: Family;
  readonly addPath: boolean;
  /** From a field of withdrawn routes, where a label field may be empty. RFC 8277 §2.4. */
  readonly withdrawn?: boolean;
  /** Several labels were negotiated for the family, RFC 8277 §2.1. */
  readonly multipleLabels?: boolean;
}
