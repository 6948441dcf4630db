/** Which of a peer's routes selection may use. Pure; a rejection is a small number that Adj-RIB-In keeps with the route. */
import type { PeerRole, PeerSettings } from '../settings.ts';
import type { PathAttributes } from '../wire.ts';
import { countAsn, countAsns, firstAsnOf } from './as-path.ts';
import { isHostAddress, nextHopAddresses, sameAddressOctets } from './next-hop.ts';
import { isLeak, mustComeMarked } from './only-to-customer.ts';
import { carries } from './well-known.ts';

/** What import asks of us and of the session. `importContext` fills it in. */
export interface ImportContext {
  /** Our AS towards this peer. */
  readonly localAsn: number;
  readonly bgpIdentifier: number;
  readonly clusterId: number | undefined;
  readonly allowOwnAsn: number;
  readonly external: boolean;
  /** Our end of the TCP connection, as next hop octets. */
  readonly localAddress: Uint8Array;
  /** The AS that every AS_PATH must begin with; absent: any. */
  readonly firstAsn?: number | undefined;
  /** Where roles are set, RFC 9234: ours towards the peer, and the peer's AS. */
  readonly role?: { readonly own: PeerRole; readonly peerAsn: number } | undefined;
  /** RFC 8212: an external peer that must have import filters has none. */
  readonly isWithoutPolicy?: boolean | undefined;
}

/** The session as import needs it beside the settings. */
export interface ImportSession {
  readonly bgpIdentifier: number;
  readonly clusterId: number | undefined;
  readonly peerAsn: number;
  readonly external: boolean;
  /** Our end of the TCP connection: 4 or 16 octets. */
  readonly localAddress: Uint8Array;
}

export function importContext(settings: PeerSettings, session: ImportSession): ImportContext {
  const { localAsn, allowOwnAsn, role, importFilters = [] } = settings;
  const { bgpIdentifier, clusterId, peerAsn, external, localAddress } = session;
  return {
    localAsn,
    bgpIdentifier,
    clusterId,
    allowOwnAsn,
    external,
    localAddress,
    firstAsn: external && settings.enforceFirstAs === true ? peerAsn : undefined,
    role: external && role !== undefined ? { own: role, peerAsn } : undefined,
    isWithoutPolicy: external && settings.requirePolicy === true && importFilters.length === 0,
  };
}

export const ACCEPTED = 0;

/** The number is the place: it is stored with routes and shown by name. Below 100, for numbers from there on are the filters'. */
const REJECTIONS = [
  'accepted',
  'AS_PATH holds our own AS',
  'ORIGINATOR_ID is our own BGP Identifier',
  'CLUSTER_LIST holds our own cluster id',
  'the next hop is our own address',
  'the next hop is no host address',
  'the prefix lies inside a block of this node',
  "AS_PATH does not begin with the peer's AS",
  'route leak: Only to Customer says that it must not come from this peer (RFC 9234)',
  'the peer is external and has no import policy (RFC 8212)',
  'rejected by an import filter',
  'AS_PATH is longer than 1000 ASes',
] as const;

const OWN_ASN = 1;
const OWN_ORIGINATOR = 2;
const OWN_CLUSTER = 3;
const OWN_NEXT_HOP = 4;
const NO_HOST_NEXT_HOP = 5;
export const REJECTED_OWN_BLOCK = 6;
const FOREIGN_FIRST_ASN = 7;
const ROUTE_LEAK = 8;
const WITHOUT_POLICY = 9;
export const REJECTED_BY_FILTER = 10;
const AS_PATH_TOO_LONG = 11;

/** Longer ones have only ever been accidents and attacks, and speakers out there fall over them. */
const MAX_AS_PATH_ASNS = 1000;

/** Values that a reason names where the caller has them; `rule`: the filter's, as `CompiledPolicy.nameOf` calls it. */
export interface RejectionValues {
  readonly localAsn: number;
  readonly remoteAsn?: number;
  readonly rule?: string;
}

export function rejectionText(rejection: number, { localAsn, remoteAsn, rule }: RejectionValues): string {
  const text = REJECTIONS[rejection] ?? `rule ${rejection}`;
  if (rejection === OWN_ASN) return `${text} ${localAsn}`;
  if (rejection === FOREIGN_FIRST_ASN && remoteAsn !== undefined) return `${text} ${remoteAsn}`;
  return rejection === REJECTED_BY_FILTER && rule !== undefined ? `rejected by ${rule}` : text;
}

/** What the attributes alone decide, for all prefixes of an UPDATE at once: ACCEPTED or the number of a rejection. */
export function judgeAttributes(attributes: PathAttributes, context: ImportContext): number {
  if (context.isWithoutPolicy === true) return WITHOUT_POLICY; // RFC 8212 §3
  return judgePath(attributes, context) || judgeReflection(attributes, context) || judgeNextHop(attributes, context);
}

function judgePath(attributes: PathAttributes, { localAsn, allowOwnAsn, firstAsn, role }: ImportContext): number {
  const { asPath = [] } = attributes;
  if (countAsns(asPath) > MAX_AS_PATH_ASNS) return AS_PATH_TOO_LONG;
  if (countAsn(asPath, localAsn) > allowOwnAsn) return OWN_ASN; // RFC 4271 §9.1.2
  if (firstAsn !== undefined && firstAsnOf(asPath) !== firstAsn) return FOREIGN_FIRST_ASN; // RFC 4271 §6.3
  return role !== undefined && isLeak(attributes.onlyToCustomer, role) ? ROUTE_LEAK : ACCEPTED;
}

/** RFC 4456 §8. */
function judgeReflection(attributes: PathAttributes, { external, bgpIdentifier, clusterId }: ImportContext): number {
  if (!external && attributes.originatorId === bgpIdentifier) return OWN_ORIGINATOR;
  return clusterId !== undefined && attributes.clusterList?.includes(clusterId) === true ? OWN_CLUSTER : ACCEPTED;
}

/** IPv4, IPv6, or IPv6 with its link-local address, whatever the family of the routes: RFC 8950 §4. */
function judgeNextHop({ nextHop }: PathAttributes, { localAddress }: ImportContext): number {
  const [first, ...others] = nextHop === undefined ? [] : nextHopAddresses(nextHop);
  if (first === undefined || !isHostAddress(first)) return NO_HOST_NEXT_HOP;
  // RFC 4271 §6.3: logged and ignored, the session stays.
  return [first, ...others].some((address) => sameAddressOctets(address, localAddress)) ? OWN_NEXT_HOP : ACCEPTED;
}

/** The attributes as they go into Adj-RIB-In, before any filter; the same object where nothing is to be changed. */
export function rewriteOnImport(attributes: PathAttributes, { external, role }: ImportContext): PathAttributes {
  if (!external) return attributes;
  const isLeaving = carries(attributes, 'GRACEFUL_SHUTDOWN') && attributes.localPref !== 0;
  const depreferred = isLeaving ? { ...attributes, localPref: 0 } : attributes; // RFC 8326 §4
  if (role === undefined || attributes.onlyToCustomer !== undefined || !mustComeMarked(role.own)) return depreferred;
  return { ...depreferred, onlyToCustomer: role.peerAsn };
}
