/**
 * Graceful restart, RFC 4724, as two pure machines: what a helper does with the routes of a peer that went away (§4.2),
 * and how long a restarted speaker defers its selection (§4.1).
 */
import type { IpFamily } from '../src/model/ip.ts';
import type { LossCause } from './peer/fsm.ts';

/** What the peer's OPEN says of one family: the F bit. */
export interface PreservedFamily {
  readonly family: IpFamily;
  readonly forwardingPreserved: boolean;
}

export interface PeerRestart {
  /** The R bit: the peer has just restarted. */
  readonly restarting: boolean;
  readonly restartSeconds: number;
  readonly families: readonly PreservedFamily[];
}

/** `waiting`: the session is gone and routes are stale. `syncing`: it is back, End-of-RIB of `families` is awaited. */
export type HelperState =
  { readonly name: 'fresh' } | { readonly name: 'waiting' | 'syncing'; readonly families: readonly IpFamily[] };

export type HelperEvent =
  | { readonly type: 'sessionLost'; readonly cause: LossCause; readonly restart: PeerRestart | undefined }
  | { readonly type: 'sessionUp'; readonly restart: PeerRestart | undefined }
  | { readonly type: 'endOfRib'; readonly family: IpFamily }
  | { readonly type: 'timerExpires' };

export type HelperEffect =
  /** All routes but those of `except` go at once. */
  | { readonly do: 'flush'; readonly except: readonly IpFamily[] }
  | { readonly do: 'markStale' | 'sweepStale'; readonly families: readonly IpFamily[] }
  | { readonly do: 'startTimer'; readonly seconds: number }
  | { readonly do: 'stopTimer' };

export const FRESH: HelperState = { name: 'fresh' };

/** The longest that stale routes wait for the End-of-RIB of a peer that is back. RFC 4724 §4.2 asks for a bound. */
const STALE_SECONDS = 360;

export function helperStep(state: HelperState, event: HelperEvent): readonly [HelperState, readonly HelperEffect[]] {
  switch (event.type) {
    case 'sessionLost':
      return lost(event.cause, event.restart);
    case 'sessionUp':
      return back(state, event.restart);
    case 'endOfRib': {
      if (state.name !== 'syncing' || !state.families.includes(event.family)) return [state, []];
      const left = state.families.filter((family) => family !== event.family);
      const sweep = { do: 'sweepStale', families: [event.family] } as const;
      if (left.length > 0) return [{ name: 'syncing', families: left }, [sweep]];
      return [FRESH, [sweep, { do: 'stopTimer' }]];
    }
    case 'timerExpires':
      if (state.name === 'fresh') return [state, []];
      return [FRESH, [{ do: 'sweepStale', families: state.families }]];
  }
}

/**
 * Only a connection that broke means a restart. After a NOTIFICATION, or silence until the hold timer, the peer cannot
 * be trusted to forward; nor after our own stop. A second loss while syncing keeps what the first one kept.
 */
function lost(cause: LossCause, restart: PeerRestart | undefined): readonly [HelperState, readonly HelperEffect[]] {
  const families = cause === 'connection' ? (restart?.families ?? []).map(({ family }) => family) : [];
  const flush = { do: 'flush', except: families } as const;
  if (restart === undefined || families.length === 0) return [FRESH, [flush, { do: 'stopTimer' }]];
  const wait = { do: 'startTimer', seconds: restart.restartSeconds } as const;
  return [{ name: 'waiting', families }, [flush, { do: 'markStale', families }, wait]];
}

/** Where the new OPEN has no such family, or says that forwarding was lost, its routes go at once. RFC 4724 §4.2. */
function back(state: HelperState, restart: PeerRestart | undefined): readonly [HelperState, readonly HelperEffect[]] {
  if (state.name === 'fresh') return [state, []];
  const preserved = (restart?.families ?? []).filter((f) => f.forwardingPreserved).map(({ family }) => family);
  const kept = state.families.filter((family) => preserved.includes(family));
  const dropped = state.families.filter((family) => !preserved.includes(family));
  const sweep: readonly HelperEffect[] = dropped.length === 0 ? [] : [{ do: 'sweepStale', families: dropped }];
  if (kept.length === 0) return [FRESH, [...sweep, { do: 'stopTimer' }]];
  return [{ name: 'syncing', families: kept }, [...sweep, { do: 'startTimer', seconds: STALE_SECONDS }]];
}

/** How a restarted speaker waits: `session` for a peer that is not back yet, else the families without End-of-RIB. */
export type DeferralState =
  | { readonly name: 'converged' }
  | {
      readonly name: 'deferring';
      /** Undefined until the owner told us the peers, for until then nobody knows whom to wait for. */
      readonly waiting: ReadonlyMap<string, 'session' | readonly IpFamily[]> | undefined;
      /** Our own routes are known, so that End-of-RIB after them would tell the truth. */
      readonly hasOriginated: boolean;
    };

export type DeferralEvent =
  | { readonly type: 'peersSet'; readonly peers: readonly string[] }
  | { readonly type: 'originatedSet' }
  | { readonly type: 'peerUp'; readonly peer: string; readonly restart: PeerRestart | undefined }
  | { readonly type: 'peerLost'; readonly peer: string }
  | { readonly type: 'endOfRib'; readonly peer: string; readonly family: IpFamily }
  | { readonly type: 'timerExpires' };

export const CONVERGED: DeferralState = { name: 'converged' };
export const DEFERRING: DeferralState = { name: 'deferring', waiting: undefined, hasOriginated: false };

export function deferralStep(state: DeferralState, event: DeferralEvent): DeferralState {
  if (state.name === 'converged') return state;
  switch (event.type) {
    case 'timerExpires':
      return CONVERGED;
    case 'originatedSet':
      return settled({ ...state, hasOriginated: true });
    case 'peersSet':
      return settled({
        ...state,
        waiting: new Map(event.peers.map((peer) => [peer, state.waiting?.get(peer) ?? 'session'] as const)),
      });
    case 'peerUp':
      return settled(withPeer(state, event.peer, awaited(event.restart)));
    case 'peerLost':
      return settled(withPeer(state, event.peer, 'session'));
    case 'endOfRib': {
      const left = state.waiting?.get(event.peer);
      if (left === undefined || left === 'session') return state;
      return settled(
        withPeer(
          state,
          event.peer,
          left.filter((family) => family !== event.family),
        ),
      );
    }
  }
}

/**
 * Whom a restarted speaker waits for. `RFC 4724`: nobody that restarts itself (§4.1), for two that wait for each other's
 * selection before they say End-of-RIB would wait for ever. `everybody`: a speaker whose own End-of-RIB waits for no
 * selection owes nobody that caution.
 */
export type Patience = 'RFC 4724' | 'everybody';

/**
 * What a peer's capability means for our wait. One that lists no family only helps others: it sends End-of-RIB for every
 * family of the session (RFC 4724 §3), and has no state of its own to restart with; FRR sets its R bit all the same for
 * two minutes after its start, and RFC 4724 §4.1 would have us not wait for it.
 */
export function awaitedFrom(
  restart: PeerRestart | undefined,
  families: readonly IpFamily[],
  patience: Patience,
): PeerRestart | undefined {
  if (restart === undefined) return undefined;
  return {
    ...restart,
    restarting: restart.restarting && restart.families.length > 0 && patience === 'RFC 4724',
    families: families.map((family) => ({ family, forwardingPreserved: false })),
  };
}

type Deferring = Exclude<DeferralState, { readonly name: 'converged' }>;

/** Nobody waits for a peer without graceful restart, which never says End-of-RIB. RFC 4724 §4.1. */
const awaited = (restart: PeerRestart | undefined): readonly IpFamily[] =>
  restart === undefined || restart.restarting ? [] : restart.families.map(({ family }) => family);

function withPeer(state: Deferring, peer: string, waits: 'session' | readonly IpFamily[]): Deferring {
  if (state.waiting?.has(peer) !== true) return state;
  return { ...state, waiting: new Map(state.waiting).set(peer, waits) };
}

function settled(state: Deferring): DeferralState {
  if (!state.hasOriginated || state.waiting === undefined) return state;
  const done = [...state.waiting.values()].every((waits) => waits !== 'session' && waits.length === 0);
  return done ? CONVERGED : state;
}
