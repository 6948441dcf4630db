/**
 * A foreign router as the trials describe it. The file of each daemon (bird.ts, frr.ts) writes it in that daemon's words,
 * and reads what the daemon shows.
 */
import type { SpeakerLab } from '../support/speaker-lab.ts';
import type { Family } from './families.ts';

export interface Router {
  /** Its BGP Identifier. */
  readonly id: string;
  readonly asn: number;
  readonly announce?: readonly Announced[];
  readonly sessions: readonly RouterSession[];
  /** What it learns goes into its kernel, too. */
  readonly kernel?: boolean;
}

export interface Announced {
  readonly prefix: string;
  /** Already in the path before its own AS is put in front. */
  readonly asPath?: readonly number[];
  /** `65001:1` */
  readonly communities?: readonly string[];
  /** `65001:1:2` */
  readonly largeCommunities?: readonly string[];
  /** `65001:1` */
  readonly routeTargets?: readonly string[];
  /** One more path of a prefix that stands before; the rest counts for BIRD alone, FRR makes an aggregate. */
  readonly again?: boolean;
}

export interface RouterSession {
  readonly local: string;
  readonly neighbor: string;
  /** The neighbor's AS. */
  readonly asn: number;
  readonly families: readonly Family[];
  /** The link of link-local addresses. */
  readonly interface?: string;
  readonly password?: string;
  /** GTSM: the neighbor is so many hops away at most. */
  readonly hops?: number;
  readonly addPath?: boolean;
  readonly gracefulRestart?: boolean;
  /** More prefixes than so many end the session. */
  readonly limit?: number;
  readonly bfd?: boolean;
  /** Prefixes that its own import policy does not let in; nothing of them is kept. */
  readonly refuse?: readonly string[];
}

/** One path that a neighbor told it. */
export interface ForeignPath {
  readonly asPath: string;
  readonly nextHop: string;
  readonly communities: readonly string[];
  readonly largeCommunities: readonly string[];
  /** `rt 65001:1` */
  readonly extendedCommunities: readonly string[];
  readonly originatorId?: string;
  readonly clusterList?: string;
}

/** A daemon that can play a router. */
export interface ForeignKind {
  start(lab: SpeakerLab, host: string, router: Router): Promise<Foreign>;
}

/** A daemon that runs as a router. Neighbors are named by their address. */
export interface Foreign {
  isEstablished(neighbor: string): boolean;
  /** Prefixes that neighbors told it, sorted as text. */
  prefixes(family: Family): readonly string[];
  /** Paths of a prefix that neighbors told it. */
  paths(prefix: string): readonly ForeignPath[];
  /** Whether it has the prefix with just these, told by a neighbor; for what is too long to be shown. */
  carries(prefix: string, asPath: readonly number[], communities: readonly string[]): boolean;
  /** All that it shows of the neighbor, its last error included. */
  shows(neighbor: string): string;
  /** How many routes or UPDATEs have come from the neighbor. */
  received(neighbor: string): number;
  withdraw(prefix: string): void;
  /** Ends the session, with a text for the neighbor. */
  shutdown(neighbor: string, text: string): void;
  /** Takes `refuse` out of the session to the neighbor, which makes it ask for what it has not kept. */
  acceptAll(neighbor: string): void;
  /** The state of the BFD session. */
  bfd(neighbor: string): string;
  /** kill -9 of what speaks BGP. */
  kill(): Promise<void>;
  /** Once more after `kill`, with graceful restart. */
  restart(router: Router): Promise<void>;
}
