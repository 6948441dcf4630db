import type { IpAddress, IpFamily, Prefix } from '../src/model/ip.ts';
import type { RouteFilter } from './policy/filter.ts';

/** The speaker as a whole. Changing one of these takes a new speaker, but for the cluster id: see `setClusterId`. */
export interface SpeakerSettings {
  readonly asn: number;
  /** Unsigned 32 bits, not zero; RFC 6286. */
  readonly bgpIdentifier: number;
  /** An empty list: no listener, active sessions only. */
  readonly listen: readonly ListenSettings[];
  /** Set on a route reflector: its cluster id, RFC 4456. */
  readonly clusterId?: number;
  /**
   * Pass on to every peer what others sent, as a switch does. Default false: a node tells its own routes,
   * and as a route reflector the reflected ones.
   */
  readonly transit?: boolean;
  readonly decision?: DecisionSettings;
  readonly gracefulRestart: {
    /** This process takes over from an earlier one whose kernel routes still forward: R bit in the first OPENs. */
    readonly restarting: boolean;
    /** The longest that selection waits for End-of-RIB of the peers after a restart, RFC 4724 §4.1. */
    readonly deferralSeconds: number;
  };
}

export interface ListenSettings {
  readonly address: string;
  readonly port: number;
  /** Only what comes in through this interface. */
  readonly interface?: string;
}

/** Settings of best path selection, RFC 4271 §9.1.2.2; all default to false, as in BIRD. */
export interface DecisionSettings {
  /** Compare MED between paths of different neighboring ASes, too. */
  readonly alwaysCompareMed?: boolean;
  /** Let AIGP decide after LOCAL_PREF, RFC 7311 §4, and take it from peers that are set up for it. */
  readonly aigp?: boolean;
}

/** How many prefixes of a family a peer may announce. RFC 4271 §8.2.2, RFC 4486 §3. */
export interface PrefixLimit {
  readonly maximum: number;
  /** A warning from here on, in percent of `maximum`. */
  readonly warnPercent: number;
  /** Beyond it: only say so, keep what is beyond out of selection, or end the session with Cease 6/1. */
  readonly action: 'warn' | 'drop' | 'shutdown';
  /** After `shutdown`, try again this much later; absent: not until an operator says so. */
  readonly restartSeconds?: number;
}

/** RFC 5880 with one peer; milliseconds are turned into microseconds on the wire. */
export interface BfdSettings {
  readonly transmitMs: number;
  readonly receiveMs: number;
  readonly multiplier: number;
  /** RFC 5883, port 4784; default: single hop, port 3784 and TTL 255. */
  readonly multihop?: boolean;
}

/** Whoever connects from `prefix` becomes a peer with these settings; we never dial. */
export interface DynamicPeers {
  readonly prefix: Prefix;
  /** So many at a time, the rest is refused. */
  readonly limit: number;
  /** Only these AS numbers; `remoteAsn` of the template does not count then. Absent: `remoteAsn` alone. */
  readonly remoteAsns?: readonly number[] | undefined;
  readonly template: Omit<PeerSettings, 'address' | 'passive' | 'remoteAsns'>;
}

/** One neighbor. Two peers never share an address and port. */
export interface PeerSettings {
  readonly address: IpAddress;
  readonly port: number;
  /** In words for people, shown with every route: `node-to-node mesh`, `node specific`, `global`. */
  readonly kind: string;
  /** The resource that asks for this peer: `BGPPeer(tor-a)`, `BGPConfiguration(default)`. */
  readonly origin: string;
  readonly remoteAsn: number;
  readonly localAsn: number;
  /** Source address of the TCP connection. */
  readonly localAddress?: IpAddress;
  readonly families: readonly IpFamily[];
  readonly passive: boolean;
  readonly holdSeconds: number;
  /** Default: a third of the negotiated hold time. */
  readonly keepaliveSeconds?: number;
  readonly connectRetrySeconds: number;
  /** Wait after an error before the next try: from the first to the second number, doubling. */
  readonly errorWaitSeconds: readonly [number, number];
  readonly gracefulRestartSeconds: number;
  readonly nextHop: 'auto' | 'self' | 'keep';
  readonly routeReflectorClient: boolean;
  /** How often our own AS may stand in an AS_PATH that is still accepted. */
  readonly allowOwnAsn: number;
  /** Of a dynamic peer that has not said its AS yet: any of these; then `remoteAsn` is that AS, and this is absent. */
  readonly remoteAsns?: readonly number[];

  /** A name that people gave it. */
  readonly description?: string;
  /** The link of a link-local address: `fe80::1%eth0`. */
  readonly interface?: string;
  /** Held down by the operator, with this text for the peer (RFC 9003). */
  readonly shutdown?: string;
  /** Wait before the first try of a peer that was just configured; an incoming connection is taken meanwhile. Default 0. */
  readonly connectDelaySeconds?: number;
  /**
   * When the speaker itself has just started it does not wait: the peer is dialled at once, and a passive one shortly after, if it
   * has not come. Who was away cannot count on being called soon: its peers have given up on it. Default false.
   */
  readonly dialAtStart?: boolean;
  /** RFC 4271 §8.1.1 DelayOpen: how long a connection that stands waits for the peer's OPEN first. Absent: not at all. */
  readonly delayOpenSeconds?: number;
  /** RFC 9687; default: twice the hold time, at least two minutes. */
  readonly sendHoldSeconds?: number;
  /** TCP MD5, RFC 2385. */
  readonly password?: string;
  /** GTSM, RFC 5082: the peer is at most so many hops away; we send with TTL 255. */
  readonly ttlSecurityHops?: number;
  /** RFC 8538: a NOTIFICATION costs no routes either. Default true where graceful restart is on. */
  readonly notificationRestart?: boolean;
  /** RFC 9494: how long the peer may keep our routes after the restart time, and the most we keep its own. Absent or 0: none. */
  readonly longLivedSeconds?: number;
  /** RFC 7911. Default: neither. */
  readonly addPath?: { readonly send: boolean; readonly receive: boolean };
  /** RFC 8950: IPv4 routes may have IPv6 next hops. */
  readonly extendedNextHop?: boolean;
  /** RFC 8654. */
  readonly extendedMessages?: boolean;
  /** RFC 9234: our own role towards the peer. */
  readonly role?: PeerRole;
  /** RFC 9234 §4.2: refuse a peer that names no role. */
  readonly isRoleStrict?: boolean;
  /** RFC 7947: neither our AS nor our address is put in, as a route server does. */
  readonly routeServerClient?: boolean;
  /** Put our AS in the place of the peer's in the AS_PATHs that it is told. */
  readonly asOverride?: boolean;
  /** Take private AS numbers (RFC 6996), but for the peer's own, out of the AS_PATHs that an external peer is told. */
  readonly removePrivateAs?: boolean;
  /** Refuse a path of an external peer that does not begin with its AS. RFC 4271 §6.3. */
  readonly enforceFirstAs?: boolean;
  /** RFC 7311 §3.3: AIGP goes to and comes from this peer, where the speaker uses it. Default: inside our AS alone. */
  readonly aigp?: boolean;
  readonly prefixLimits?: Readonly<Partial<Record<IpFamily, PrefixLimit>>>;
  /** RFC 8212: an external peer without filters is told nothing, and nothing of it is used. */
  readonly requirePolicy?: boolean;
  /** In order; the first rule that matches decides, and before any built-in rule on export. */
  readonly importFilters?: readonly RouteFilter[];
  readonly exportFilters?: readonly RouteFilter[];
  readonly bfd?: BfdSettings;
}

/** RFC 9234 §4.1. */
export type PeerRole = 'provider' | 'rs' | 'rs-client' | 'customer' | 'peer';

/** A route of this node's own that peers shall learn. */
export interface OriginatedRoute {
  readonly prefix: Prefix;
  /** In words for people: `block of ippool default-ipv4-ippool`. */
  readonly reason: string;
  readonly attributes?: OriginatedAttributes;
}

/** What an originated route carries beside ORIGIN IGP and an empty AS_PATH. */
export interface OriginatedAttributes {
  /** RFC 1997, high half AS. */
  readonly communities?: readonly number[];
  /** RFC 8092. */
  readonly largeCommunities?: readonly (readonly [number, number, number])[];
  readonly med?: number;
  readonly localPref?: number;
}
