import type { BfdSessionView } from './bfd/index.ts';
import type { IpAddress, IpFamily, Prefix } from '../src/model/ip.ts';
import type { PeerSettings } from './settings.ts';

export type SessionState = 'Idle' | 'Connect' | 'Active' | 'OpenSent' | 'OpenConfirm' | 'Established';

/** Something that happened to a session, kept for those who ask why. */
export interface PeerIncident {
  /** Milliseconds since 1970; of the last time, where it happened more than once. */
  readonly at: number;
  /** How often it happened just like this, and when first; absent: once. */
  readonly count?: number;
  readonly firstAt?: number;
  readonly kind:
    | 'connection failed'
    | 'connection lost'
    | 'connection refused by us'
    /** It dialled us from farther away than TTL security lets in. */
    | 'too far away'
    | 'notification sent'
    | 'notification received'
    /** Nobody answered when we dialled. */
    | 'silence'
    /** TCP stands, and the peer says nothing. */
    | 'no OPEN'
    | 'administrative'
    | 'bfd';
  /** One sentence. */
  readonly text: string;
  /** The session was Established until then. */
  readonly isFlap: boolean;
  /** The kernel's word, where it was the kernel that said no: `ECONNREFUSED`. */
  readonly errno?: string;
  /** Of a NOTIFICATION: code, subcode, their names, and its data in hex, 128 octets at most. */
  readonly notification?: {
    readonly code: number;
    readonly subcode: number;
    readonly name: string;
    readonly data: string;
    /** RFC 9003. */
    readonly shutdownText?: string;
  };
}

/** How many messages of each type went each way since the peer is configured. */
export interface MessageCounts {
  readonly open: number;
  readonly update: number;
  readonly notification: number;
  readonly keepalive: number;
  readonly routeRefresh: number;
}

/** What a peer did to reach us and we to reach it, in this configuration. */
export interface ReachView {
  /** How often we dialled, and when last. */
  readonly dialled: number;
  readonly lastDialledAt?: number;
  /** How often TCP stood, whoever made it. */
  readonly connected: number;
  /** How often the peer dialled us, and when last. */
  readonly incoming: number;
  readonly lastIncomingAt?: number;
  /** Our end of the TCP connection that stood last. */
  readonly localAddress?: IpAddress;
  /** An OPEN of the peer arrived at least once. */
  readonly hasSeenOpen: boolean;
}

/** A snapshot of one peer, for the API and the CLI. */
export interface PeerView {
  readonly settings: PeerSettings;
  readonly state: SessionState;
  /** Milliseconds since 1970 of the last change of state. */
  readonly since: number;
  /**
   * Why the session is not up, or why it last went down, in one sentence; also where it is Established now. Not just what
   * came last: a dial that is refused meanwhile tells less than the NOTIFICATION before it.
   */
  readonly lastError?: string;
  readonly bgpIdentifier?: number;
  readonly holdSeconds?: number;
  readonly gracefulRestart?: {
    readonly negotiated: boolean;
    readonly peerRestarting: boolean;
    readonly staleRoutes: number;
    /** Families whose stale routes have outlived the restart time, RFC 9494; absent where none has. */
    readonly longLived?: readonly IpFamily[];
  };
  readonly received: number;
  readonly accepted: number;
  readonly advertised: number;
  /** The same by family, of the families that the peer is set up for. */
  readonly prefixes: readonly PrefixCounts[];
  /** How often the session was Established and then lost. */
  readonly flaps: number;
  /** The newest last; bounded. */
  readonly incidents: readonly PeerIncident[];
  readonly reach: ReachView;
  readonly messages: { readonly sent: MessageCounts; readonly received: MessageCounts };
  /** Both ends of the TCP connection that stands. */
  readonly connection?: {
    readonly localAddress: IpAddress;
    readonly localPort?: number;
    readonly remotePort?: number;
    /** How often in a row the kernel has sent again what the peer does not acknowledge; absent where it does not tell. */
    readonly retransmits?: number;
  };
  /** Of the OPENs of the session that is under way, or of the last one: `4-octet AS 64512`, `ADD-PATH IPv4 unicast receive`. */
  readonly capabilities?: { readonly sent: readonly string[]; readonly received: readonly string[] };
  /** Made for a caller from a prefix of dynamic peers. */
  readonly isDynamic?: boolean;
  /** Where BFD watches the path. */
  readonly bfd?: BfdSessionView;
}

export interface PrefixCounts {
  readonly family: IpFamily;
  readonly received: number;
  readonly accepted: number;
  readonly advertised: number;
}

/** How much the tables of one family hold. */
export interface TableCounts {
  readonly family: IpFamily;
  /** Prefixes that anybody offers. */
  readonly prefixes: number;
  /** Prefixes with a best route. */
  readonly best: number;
}

/** Somebody who connected and was not let in, for those who look for a peer that does not come up. */
export interface RefusedCaller {
  readonly address: IpAddress;
  /** Of a link-local address. */
  readonly interface?: string;
  /** How often, since we remember. */
  readonly count: number;
  /** Milliseconds since 1970. */
  readonly lastAt: number;
  /** One sentence. */
  readonly why: string;
}

/** The attributes of a route that people look at. */
export interface RouteAttributes {
  readonly nextHop?: IpAddress;
  readonly asPath: string;
  readonly origin: string;
  readonly localPref?: number;
  readonly med?: number;
  readonly communities: readonly string[];
}

/** One path of one prefix, best first, each loser with the rule that removed it. */
export interface RouteView extends RouteAttributes {
  readonly prefix: Prefix;
  readonly best: boolean;
  /** `best path`, `lost by: b) lower ORIGIN`, `rejected on import: AS_PATH holds our own AS 64512`. */
  readonly reason: string;
  readonly from: string;
  /** RFC 7911; absent where the peer told the path without one. */
  readonly pathId?: number;
  readonly stale: boolean;
}

/**
 * Which routes: `received` as peers told them, `accepted` as import left them, `best` those selected. `all`: every path as
 * import left it, refused ones too.
 */
export interface RouteQuestion {
  readonly which: 'all' | 'received' | 'accepted' | 'best';
  /** Of this peer alone. */
  readonly peer?: IpAddress;
}

/** What one peer hears of one path of a prefix. */
export interface AdvertisementView {
  readonly prefix: Prefix;
  /** `10.0.0.5 (global)` */
  readonly to: string;
  /** Whose path it is. */
  readonly from: string;
  readonly outcome: 'sent' | 'waiting' | 'kept back';
  /** Why it is kept back, or which rule of a filter let it pass; one sentence. */
  readonly reason?: string;
  /** RFC 7911; absent where the peer takes one path alone. */
  readonly pathId?: number;
  /** As the peer shall have them, or of a route to be withdrawn as it has them; absent where it is kept back. */
  readonly attributes?: RouteAttributes;
}

/** All that is known of one prefix. */
export interface RouteExplanation {
  /** As asked, or the longest one that holds it. */
  readonly prefix: Prefix;
  /** One sentence: who wins, or why nobody does. */
  readonly verdict: string;
  /** Who brought it into the world, as far as its attributes tell. */
  readonly originator?: string;
  /** The best first. */
  readonly paths: readonly ExplainedPath[];
  readonly advertised: readonly AdvertisementView[];
}

export interface ExplainedPath extends RouteView {
  /** What import changed, where it changed something: `LOCAL_PREF 100 → 0`. */
  readonly changes: readonly string[];
  /** The rule of an import filter that decided, where one did. */
  readonly rule?: string;
}
