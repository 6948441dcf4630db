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
  /** Those that the peer can keep forwarding for; none where it only helps others. */
  readonly families: readonly PreservedFamily[];
  readonly sessionFamilies: readonly IpFamily[];
}

/**
 * `waiting`: the session is gone and routes are stale. `syncing`: it is back, End-of-RIB of `families` is awaited.
 * `isAgain`: not for the first time since the last End-of-RIB. `isWindowOver`: the restart time that began with the
 * first loss has passed. `byUs`: it was we who hung up, so the peer has lost nothing.
 */
export type HelperState =
  | { readonly name: 'fresh' }
  | {
      readonly name: 'waiting';
      readonly families: readonly IpFamily[];
      readonly isAgain: boolean;
      readonly byUs: boolean;
    }
  | {
      readonly name: 'syncing';
      readonly families: readonly IpFamily[];
      readonly isAgain: boolean;
      readonly isWindowOver: boolean;
    };

/** `window`: the peer's restart time, from the first loss. `endOfRib`: how long a peer that is back may take to tell all. */
export type HelperTimer = 'window' | 'endOfRib';

export type HelperEvent =
  | { readonly type: 'sessionLost'; readonly cause: LossCause; readonly restart: PeerRestart | undefined }
  /** We hung up to begin anew with other settings; `ourSeconds` is the restart time that we told the peer. */
  | { readonly type: 'weReset'; readonly restart: PeerRestart; readonly ourSeconds: number }
  | { readonly type: 'sessionUp'; readonly restart: PeerRestart | undefined }
  | { readonly type: 'endOfRib'; readonly family: IpFamily }
  | { readonly type: 'timerExpires'; readonly timer: HelperTimer };

export type HelperEffect =
  /** All routes but those of `except` go at once. */
  | { readonly do: 'flush'; readonly except: readonly IpFamily[] }
  | { readonly do: 'markStale' | 'sweepStale'; readonly families: readonly IpFamily[] }
  | { readonly do: 'startTimer'; readonly timer: HelperTimer; readonly seconds: number }
  | { readonly do: 'stopTimer'; readonly timer: HelperTimer }
  | { readonly do: 'stopTimers' };

type HelperStep = readonly [HelperState, readonly HelperEffect[]];

export const FRESH: HelperState = { name: 'fresh' };

/** The longest that stale routes wait for the End-of-RIB of a peer that is back. RFC 4724 §4.2 asks for a bound. */
const STALE_SECONDS = 360;

export function helperStep(state: HelperState, event: HelperEvent): HelperStep {
  switch (event.type) {
    case 'sessionLost': {
      const { cause, restart } = event;
      const families = cause === 'connection' ? (restart?.families ?? []).map(({ family }) => family) : [];
      return lost(state, { families, seconds: restart?.restartSeconds ?? 0, byUs: false });
    }
    case 'weReset': {
      const { families, restartSeconds, sessionFamilies } = event.restart;
      const seconds = families.length > 0 ? restartSeconds : event.ourSeconds;
      return lost(state, { families: sessionFamilies, seconds, byUs: true });
    }
    case 'sessionUp':
      return state.name === 'fresh' ? [state, []] : back(state, event.restart);
    case 'endOfRib': {
      if (state.name !== 'syncing' || !state.families.includes(event.family)) return [state, []];
      const left = state.families.filter((family) => family !== event.family);
      const sweep = { do: 'sweepStale', families: [event.family] } as const;
      if (left.length > 0) return [{ ...state, families: left }, [sweep]];
      return [FRESH, [sweep, { do: 'stopTimers' }]];
    }
    case 'timerExpires':
      return expired(state, event.timer);
  }
}

/**
 * Only a connection that broke means a restart. After a NOTIFICATION, or silence until the hold timer, the peer cannot
 * be trusted to forward; nor after our own stop.
 *
 * A peer lost again before its End-of-RIB departs from RFC 4724 §4.2, which deletes at once what is stale from the
 * earlier loss: a node that crashes twice in a row would lose its routes everywhere, though it still forwards. They stay
 * until the restart time of the first loss is over, and not longer, however often the peer comes and goes.
 */
function lost(
  state: HelperState,
  kept: { readonly families: readonly IpFamily[]; readonly seconds: number; readonly byUs: boolean },
): HelperStep {
  const { families, seconds, byUs } = kept;
  const flush = { do: 'flush', except: families } as const;
  if (families.length === 0) return [FRESH, [flush, { do: 'stopTimers' }]];
  const stale: readonly HelperEffect[] = [flush, { do: 'markStale', families }];
  const window = { do: 'startTimer', timer: 'window', seconds } as const;
  const stop = { do: 'stopTimer', timer: 'endOfRib' } as const;
  if (state.name === 'fresh') return [{ name: 'waiting', families, isAgain: false, byUs }, [...stale, window]];
  if (state.name === 'waiting' || !state.isWindowOver) {
    return [{ name: 'waiting', families, isAgain: true, byUs }, [...stale, stop]];
  }
  const sweep = { do: 'sweepStale', families: state.families } as const;
  return [{ name: 'waiting', families, isAgain: false, byUs }, [sweep, ...stale, stop, window]];
}

/** Where the new OPEN has no such family, or says that forwarding was lost, its routes go at once. RFC 4724 §4.2. */
function back(state: Exclude<HelperState, { readonly name: 'fresh' }>, restart: PeerRestart | undefined): HelperStep {
  const { isAgain } = state;
  const preserved = preservedFamilies(state, restart);
  const kept = state.families.filter((family) => preserved.includes(family));
  const dropped = state.families.filter((family) => !preserved.includes(family));
  const sweep: readonly HelperEffect[] = dropped.length === 0 ? [] : [{ do: 'sweepStale', families: dropped }];
  if (kept.length === 0) return [FRESH, [...sweep, { do: 'stopTimers' }]];
  const wait = { do: 'startTimer', timer: 'endOfRib', seconds: STALE_SECONDS } as const;
  // Who flaps has only what is left of the window.
  return [{ name: 'syncing', families: kept, isAgain, isWindowOver: false }, isAgain ? sweep : [...sweep, wait]];
}

/** A peer that we hung up on ourselves, and that says nothing of a restart, has what it told us still. */
function preservedFamilies(state: HelperState, restart: PeerRestart | undefined): readonly IpFamily[] {
  if (restart === undefined) return [];
  if (state.name === 'waiting' && state.byUs && !restart.restarting) return restart.sessionFamilies;
  return restart.families.filter((f) => f.forwardingPreserved).map(({ family }) => family);
}

function expired(state: HelperState, timer: HelperTimer): HelperStep {
  if (state.name === 'fresh') return [state, []];
  if (state.name === 'syncing' && timer === 'window' && !state.isAgain) return [{ ...state, isWindowOver: true }, []];
  return [FRESH, [{ do: 'sweepStale', families: state.families }, { do: 'stopTimers' }]];
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
