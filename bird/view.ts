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
    | 'notification sent'
    | 'notification received'
    | 'silence'
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
  /** An OPEN of the peer arrived at least once. */
  readonly hasSeenOpen: boolean;
}

/** A snapshot of one peer, for the API and the CLI. */
export interface PeerView {
  readonly settings: PeerSettings;
  readonly state: SessionState;
  /** Milliseconds since 1970 of the last change of state. */
  readonly since: number;
  /** Why the session is not up, or why it last went down, in one sentence; also where it is Established now. */
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
  };
  /** Of the OPENs of the session that is under way, or of the last one: `4-octet AS 64512`, `ADD-PATH IPv4 unicast receive`. */
  readonly capabilities?: { readonly sent: readonly string[]; readonly received: readonly string[] };
  /** Made for a caller from a prefix of dynamic peers. */
  readonly isDynamic?: boolean;
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

/** One path of one prefix, best first, each loser with the rule that removed it. */
export interface RouteView {
  readonly prefix: Prefix;
  readonly best: boolean;
  /** `best path`, `lost by: b) lower ORIGIN`, `rejected on import: AS_PATH holds our own AS 64512`. */
  readonly reason: string;
  readonly from: string;
  /** RFC 7911; absent where the peer told the path without one. */
  readonly pathId?: number;
  readonly nextHop?: IpAddress;
  readonly asPath: string;
  readonly origin: string;
  readonly localPref?: number;
  readonly med?: number;
  readonly communities: readonly string[];
  readonly stale: boolean;
}
