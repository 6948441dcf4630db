import type { NextHopBytes, PathAttributes } from '../attribute/path-attributes.ts';
import type { Capability } from '../capability/capability.ts';
import type { Family } from '../context.ts';
import type { AttributeFault, Remedy } from '../error.ts';
import type { FamilyNlri } from '../nlri/nlri.ts';

/** RFC 4271 §4.2. */
export interface Open {
  readonly type: 'open';
  readonly version: number;
  /** The two-octet field; AS_TRANS 23456 where the AS needs four (the capability has the true one). */
  readonly asn: number;
  readonly holdSeconds: number;
  readonly bgpIdentifier: number;
  readonly capabilities: readonly Capability[];
  /** How many capabilities each optional parameter holds, where that is not one each. */
  readonly parameters?: readonly number[];
  /** RFC 9072's lengths of two octets, where one would do. */
  readonly extendedParameters?: true;
}

/** The readable form of an UPDATE, for tools and tests; the speaker itself walks the bytes (scan.ts). RFC 4271 §4.3. */
export interface Update {
  readonly type: 'update';
  readonly attributes: PathAttributes;
  /** Per family: IPv4 unicast from the message's own fields, others from MP_REACH. */
  readonly announced: readonly FamilyNlri[];
  readonly withdrawn: readonly FamilyNlri[];
  /** The NEXT_HOP attribute, where `attributes.nextHop` is MP_REACH's and the message has both. */
  readonly ipv4NextHop?: NextHopBytes;
  readonly endOfRib?: Family;
  /**
   * What was malformed and what RFC 7606 makes of it; absent where all was well. The strongest remedy rules: with
   * afi-safi-disable the UPDATE's other prefixes are withdrawn too. Never session-reset from decodeMessage: that is its
   * `fault`.
   */
  readonly remedy?: Remedy;
  /** With afi-safi-disable: whose routes are to be deleted, and ignored from now on. */
  readonly disabled?: readonly Family[];
  readonly faults: readonly AttributeFault[];
  /** Order and lengths of the attributes as received, where we write them otherwise; with it the copy is exact. */
  readonly form?: UpdateForm;
}

/** How the attributes of an UPDATE stood on the wire, by their codes. The RFCs leave both to the sender: RFC 4271 §4.3 and §5, RFC 7606 §5.1. */
export interface UpdateForm {
  /** All attributes in their order. */
  readonly order: readonly number[];
  /** Those with a length of two octets where one would do. */
  readonly extended: readonly number[];
}

/** RFC 4271 §4.5. */
export interface Notification {
  readonly type: 'notification';
  readonly code: number;
  readonly subcode: number;
  readonly data: Uint8Array;
}

export interface Keepalive {
  readonly type: 'keepalive';
}

/** RFC 2918; the subtypes of RFC 7313. */
export interface RouteRefresh {
  readonly type: 'route-refresh';
  readonly family: Family;
  /** A number that has no name must be ignored, RFC 7313 §5. */
  readonly subtype: 'request' | 'begin' | 'end' | number;
  /** Outbound route filters behind a request (RFC 5291), or what belongs to a subtype that has no name. */
  readonly data?: Uint8Array;
}

export type Message = Open | Update | Notification | Keepalive | RouteRefresh;
