/** A daemon that is told routes and asked while it runs, as GoBGP, OpenBGPD and ExaBGP are; the same for all of them. */
import type { SpeakerLab } from '../support/speaker-lab.ts';
import type { Family } from './families.ts';

/** A route that it shall announce. */
export interface LiveRoute {
  readonly prefix: string;
  readonly nextHop: string;
  /** `65010:1` */
  readonly communities?: readonly string[];
  /** `65010:1:2` */
  readonly largeCommunities?: readonly string[];
  /** Route targets: `65010:100`, `192.0.2.1:7`. */
  readonly routeTargets?: readonly string[];
  /** Behind its own AS; not every daemon can have one. */
  readonly asPath?: readonly number[];
}

/** A path that it was told. */
export interface LivePath {
  readonly prefix: string;
  /** Whom it is from. */
  readonly from: string;
  readonly nextHop: string;
  readonly asPath: readonly number[];
  readonly med?: number;
  readonly localPref?: number;
  readonly originatorId?: string;
  readonly clusterList?: readonly string[];
  /** Of all sizes: `65010:1`, `rt 65010:100`, `65010:1:2`. */
  readonly communities: readonly string[];
  /** Kept while its peer restarts. */
  readonly stale: boolean;
}

export interface LiveDaemon {
  announce(...routes: readonly LiveRoute[]): void;
  withdraw(...routes: readonly LiveRoute[]): void;
  /** All that it was told, usable or not. */
  paths(family: Family): readonly LivePath[];
  isEstablished(neighbor: string): boolean;
  /** How often a neighbor has asked it for everything again. */
  refreshesHeard(neighbor: string): number;
  /** What it tells of NOTIFICATIONs to and from a neighbor. */
  notified(neighbor: string): readonly Notified[];
  /** Ends a session as its operator does, with words for the neighbor. */
  shutDown(neighbor: string, words: string): void;
  /** As a crash ends it. */
  kill(): Promise<void>;
}

export interface LiveNeighbor {
  readonly address: string;
  readonly asn: number;
  /** TCP MD5. */
  readonly password?: string;
  /** Waits until the neighbor dials. */
  readonly passive?: boolean;
  /** The neighbor is one hop away at most. */
  readonly ttlSecurity?: boolean;
  /** So many prefixes are taken. */
  readonly maximum?: number;
}

/** A NOTIFICATION, as the one tells it who sent or received it. */
export interface Notified {
  readonly kind: 'sent' | 'received';
  readonly code: number;
  readonly subcode: number;
  /** RFC 9003. */
  readonly text?: string;
}

export interface LiveSetup {
  readonly asn: number;
  readonly neighbors: readonly LiveNeighbor[];
  /** It has these before its first session comes up. */
  readonly routes?: readonly LiveRoute[];
  /** It comes back after it was killed, and says so. */
  readonly isReturn?: boolean;
}

export interface LiveKind<D extends LiveDaemon = LiveDaemon> {
  start(lab: SpeakerLab, host: string, setup: LiveSetup): Promise<D>;
}

/** Sorted. */
export const prefixesFrom = (daemon: LiveDaemon, from: string): readonly string[] =>
  daemon
    .paths(from.includes(':') ? 'ipv6' : 'ipv4')
    .filter((path) => path.from === from)
    .map(({ prefix }) => prefix)
    .sort();

export const pathOf = (daemon: LiveDaemon, prefix: string): LivePath | undefined =>
  daemon.paths(prefix.includes(':') ? 'ipv6' : 'ipv4').find((path) => path.prefix === prefix);
