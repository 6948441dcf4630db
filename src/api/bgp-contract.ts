/** What the API says of BGP when it is asked for more than status: peers in full, routes, and why. JSON; addresses are text. */
import type { PathReport, PeerStatus, RouteReport } from './contract.ts';

/** GET /v1/bgp/routes?which=&peer= : which routes. */
export type RouteChoice = 'all' | 'received' | 'accepted' | 'best';

/** GET /v1/bgp/peers, and /v1/bgp/peers/{address} */
export interface PeerReport extends PeerStatus {
  readonly description?: string;
  readonly isDynamic?: boolean;
  readonly bgpIdentifier?: string;
  readonly holdSeconds?: number;
  readonly connection?: { readonly local: string; readonly remote: string };
  readonly capabilities?: { readonly sent: readonly string[]; readonly received: readonly string[] };
  readonly messages: { readonly sent: MessageReport; readonly received: MessageReport };
  /** `received`, `accepted` and `advertised` by family. */
  readonly prefixes: readonly {
    readonly family: string;
    readonly received: number;
    readonly accepted: number;
    readonly advertised: number;
  }[];
  readonly reach: { readonly dialled: number; readonly connected: number; readonly incoming: number };
  /** The newest first. */
  readonly incidents: readonly IncidentReport[];
  readonly bfd?: BfdReport;
}

/** GET /v1/bgp/tables */
export interface TableReport {
  readonly family: string;
  /** Prefixes that anybody offers, and those with a best route. */
  readonly prefixes: number;
  readonly best: number;
}

export interface MessageReport {
  readonly open: number;
  readonly update: number;
  readonly notification: number;
  readonly keepalive: number;
  readonly routeRefresh: number;
}

export interface IncidentReport {
  /** ISO 8601. */
  readonly at: string;
  readonly kind: string;
  readonly text: string;
  readonly isFlap: boolean;
  /** How often in a row; absent: once. */
  readonly count?: number;
  readonly errno?: string;
  readonly notification?: {
    readonly code: number;
    readonly subcode: number;
    readonly name: string;
    readonly data: string;
  };
}

export interface BfdReport {
  readonly state: string;
  readonly remoteState?: string;
  readonly transmitMs: number;
  readonly detectionMs?: number;
  readonly flaps: number;
  readonly lastDiagnostic?: string;
  readonly problem?: string;
}

/** GET /v1/bgp/peers/{address}/explain */
export interface PeerExplainReport {
  readonly address: string;
  /** False: the address is no peer here. */
  readonly isConfigured: boolean;
  readonly type?: string;
  readonly origin?: string;
  readonly description?: string;
  readonly state?: string;
  /** ISO 8601, of the last change of state. */
  readonly since?: string;
  /** A word for programs: `wrong AS`, `nobody listens`. */
  readonly cause: string;
  /** One sentence; where `isConfigured` is false, why it is no peer. */
  readonly verdict: string;
  readonly evidence: readonly string[];
  /** What to look at, the likeliest first. */
  readonly next: readonly string[];
}

/** GET /v1/bgp/advertised?peer= */
export interface AdvertisementReport {
  readonly prefix: string;
  readonly to: string;
  readonly from: string;
  readonly outcome: string;
  readonly reason?: string;
  readonly pathId?: number;
  readonly attributes?: {
    readonly nextHop?: string;
    readonly asPath: string;
    readonly origin: string;
    readonly localPref?: number;
    readonly med?: number;
    readonly communities: readonly string[];
  };
}

/** GET /v1/bgp/explain?prefix= */
export interface RouteExplainReport {
  readonly asked: string;
  /** As asked, or the longest one that holds it. */
  readonly prefix: string;
  readonly verdict: string;
  readonly originator?: string;
  /** What this node itself has to do with it: `tells 10.48.0.0/26: block of ippool p1`, `does not tell …`. */
  readonly own?: string;
  readonly paths: readonly (PathReport & { readonly changes: readonly string[]; readonly rule?: string })[];
  readonly advertised: readonly AdvertisementReport[];
  /** What felix has programmed for it, or for the longest prefix around it; absent where there is no felix, or nothing. */
  readonly kernel?: RouteReport;
}
