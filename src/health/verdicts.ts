/** What the agent's parts say of themselves, as verdicts: functions of what is known now. */
import type { DataplaneHealth } from '../../felix/index.ts';
import type { SyncView } from '../datastore/syncer.ts';
import { duration, notLive, notReady, ready } from './report.ts';
import type { Verdict } from './report.ts';

/** A view that old hides pods and nodes. No restart brings the datastore back, so it is never a matter of liveness. */
const STALE_MS = 60_000;

export interface DatastoreAt {
  readonly now: number;
  /** For a migration: nothing may be written, so no pods can be added. */
  readonly isLocked?: boolean;
}

export function datastoreVerdict(
  view: Omit<SyncView, 'entries'> | undefined,
  { now, isLocked = false }: DatastoreAt,
): Verdict {
  if (isLocked) return notReady('locked for a migration: what it said before is kept, and no pods can be added');
  if (view === undefined) return notReady('not asked yet: the node registers first');
  const { inSync, revision, stale, staleSince = now } = view;
  if (!inSync) return notReady(`has not been read yet${stale === undefined ? '' : `: ${stale}`}`);
  if (stale === undefined) return ready(`in sync at revision ${revision}`);
  const text = `stale for ${duration(now - staleSince)}, what was known is kept: ${stale}`;
  return now - staleSince > STALE_MS ? notReady(text) : ready(text);
}

/** Felix's DataplaneWatchdogTimeout. */
const PASS_MS = 90_000;

export interface RouteCounts {
  readonly routes: number;
  readonly pending: number;
  readonly failed: number;
}

/** Routes that the kernel refuses leave the node ready: the others are there, and no restart would help. */
export function dataplaneVerdict(health: DataplaneHealth, counts: RouteCounts, now: number): Verdict {
  const { passSince = now, error, hasReconciled } = health;
  if (now - passSince > PASS_MS) return notLive(`a pass over the kernel has run for ${duration(now - passSince)}`);
  if (error !== undefined) return notReady(`the kernel could not be read: ${error}`);
  if (!hasReconciled) return notReady('the first reconcile has not ended yet');
  const { routes, pending, failed } = counts;
  const trouble = [
    ...(pending > 0 ? [`${pending} pending`] : []),
    ...(failed > 0 ? [`${failed} refused by the kernel: calicoctl-ts routes`] : []),
  ];
  return ready([`${routes} routes`, ...trouble].join(', '));
}

export interface BgpPeerState {
  readonly address: string;
  readonly isUp: boolean;
}

export interface BgpState {
  readonly converged: boolean;
  /** Those that are held down on purpose are left out. */
  readonly peers: readonly BgpPeerState[];
}

export interface BgpReadiness {
  /** Peers that are down count as calico-node's `--bird-ready` has it. */
  readonly asBirdReady: boolean;
  /** How long the agent runs. */
  readonly upForMs: number;
}

/** calico-node's `--threshold-time`: so long every peer is waited for, later one is enough. */
const ALL_PEERS_MS = 30_000;

/** A cluster may have thousands of peers, and the table is read by people. */
const MAX_NAMED = 5;

/**
 * `speaker`: absent until it listens. Peers that are down make a node unready only where the operator says so: one dead node would
 * otherwise make every other one unready.
 */
export function bgpVerdict(speaker: BgpState | undefined, { asBirdReady, upForMs }: BgpReadiness): Verdict {
  if (speaker === undefined) return notReady('does not listen yet');
  const { peers, converged } = speaker;
  const down = peers.filter(({ isUp }) => !isUp);
  const count = `${peers.length - down.length} of ${peers.length} peers Established`;
  if (!converged) return notReady(`listens, but waits for the peers' End-of-RIB after a restart; ${count}`);
  const isEnough = down.length === 0 || (upForMs > ALL_PEERS_MS && down.length < peers.length);
  if (!asBirdReady || isEnough) return ready(`listens, ${count}`);
  const more = down.length > MAX_NAMED ? ` and ${down.length - MAX_NAMED} more` : '';
  const named = down.slice(0, MAX_NAMED).map(({ address }) => address);
  return notReady(`listens, ${count}; BGP not established with ${named.join(', ')}${more}`);
}
