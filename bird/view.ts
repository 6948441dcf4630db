import type { IpAddress, Prefix } from '../src/model/ip.ts';
import type { PeerSettings } from './settings.ts';

export type SessionState = 'Idle' | 'Connect' | 'Active' | 'OpenSent' | 'OpenConfirm' | 'Established';

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
  };
  readonly received: number;
  readonly accepted: number;
  readonly advertised: number;
  /** How often the session was Established and then lost. */
  readonly flaps: number;
}

/** One path of one prefix, best first, each loser with the rule that removed it. */
export interface RouteView {
  readonly prefix: Prefix;
  readonly best: boolean;
  /** `best path`, `lost by: b) lower ORIGIN`, `rejected on import: AS_PATH holds our own AS 64512`. */
  readonly reason: string;
  readonly from: string;
  readonly nextHop?: IpAddress;
  readonly asPath: string;
  readonly origin: string;
  readonly localPref?: number;
  readonly med?: number;
  readonly communities: readonly string[];
  readonly stale: boolean;
}
