import type { IpAddress, IpFamily, Prefix } from '../src/model/ip.ts';

/** The speaker as a whole. Changing one of these restarts it. */
export interface SpeakerSettings {
  readonly asn: number;
  /** Unsigned 32 bits, not zero; RFC 6286. */
  readonly bgpIdentifier: number;
  /** An empty list: no listener, active sessions only. */
  readonly listen: readonly { readonly address: string; readonly port: number }[];
  /** Set on a route reflector: its cluster id, RFC 4456. */
  readonly clusterId?: number;
  /**
   * Pass on to every peer what others sent, as a switch does. Default false: a node tells its own routes,
   * and as a route reflector the reflected ones.
   */
  readonly transit?: boolean;
  readonly gracefulRestart: {
    /** This process takes over from an earlier one whose kernel routes still forward: R bit in the first OPENs. */
    readonly restarting: boolean;
    /** The longest that selection waits for End-of-RIB of the peers after a restart, RFC 4724 §4.1. */
    readonly deferralSeconds: number;
  };
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
}

/** A route of this node's own that peers shall learn. */
export interface OriginatedRoute {
  readonly prefix: Prefix;
  /** In words for people: `block of ippool default-ipv4-ippool`. */
  readonly reason: string;
}
