/**
 * What a helper does with the routes of one family of a peer whose session ended: keeps them stale for the restart time
 * (RFC 4724 §4.2, RFC 8538 §4), then long-lived stale (RFC 9494 §4.2), until the peer has told them again. A pure machine.
 */
import type { FamilyRestart } from './peer-restart.ts';

/**
 * `fresh`: nothing is stale. `waiting`: the session is gone, the restart time runs. `syncing`: it is back, End-of-RIB is
 * awaited. `longLived`: the long-lived stale time runs, with the session or without. `overdue`: that time ended before
 * End-of-RIB; nothing is stale, but another loss takes everything (RFC 9494 §4.2).
 */
export type HelperState =
  | { readonly name: 'fresh' | 'overdue' }
  | {
      readonly name: 'waiting';
      /** Not for the first time since the last End-of-RIB. */
      readonly isAgain: boolean;
      /** It was we who hung up, so the peer has lost nothing. */
      readonly byUs: boolean;
      readonly longLivedSeconds: number;
    }
  | {
      readonly name: 'syncing';
      readonly isAgain: boolean;
      /** The restart time that began with the first loss has passed. */
      readonly isWindowOver: boolean;
      readonly longLivedSeconds: number;
    }
  | { readonly name: 'longLived'; readonly isBack: boolean };

/**
 * `restart`: the peer's restart time. `endOfRib`: how long a peer that is back may take to tell all. `longLived`: its
 * long-lived stale time.
 */
export type HelperTimer = 'restart' | 'endOfRib' | 'longLived';

/** How long the routes may stay without their peer; both zero: they go. */
export interface Keep {
  readonly restartSeconds: number;
  readonly longLivedSeconds: number;
  readonly byUs: boolean;
}

export type HelperEvent =
  /** The session ended; without `keep` the routes go with it. */
  | { readonly type: 'lost'; readonly keep?: Keep }
  /** A session is up. `now` is absent where it does not have the family, or no graceful restart. */
  | { readonly type: 'back'; readonly restarting: boolean; readonly now?: FamilyRestart }
  | { readonly type: 'endOfRib' }
  | { readonly type: 'timerExpires'; readonly timer: HelperTimer };

export type HelperEffect =
  /** `flush`: all routes of the family go. `sweepStale`: those that are still stale. */
  | { readonly do: 'flush' | 'markStale' | 'sweepStale' | 'stopTimers' }
  /** What is stale becomes long-lived stale; what is so already stays so. */
  | { readonly do: 'startLongLived' }
  | { readonly do: 'startTimer'; readonly timer: HelperTimer; readonly seconds: number }
  | { readonly do: 'stopTimer'; readonly timer: HelperTimer };

type HelperStep = readonly [HelperState, readonly HelperEffect[]];
type Named<N extends HelperState['name']> = Extract<HelperState, { readonly name: N }>;

export const FRESH: HelperState = { name: 'fresh' };
const OVERDUE: HelperState = { name: 'overdue' };

/** The longest that stale routes wait for the End-of-RIB of a peer that is back. RFC 4724 §4.2 asks for a bound. */
const END_OF_RIB_SECONDS = 360;

export function helperStep(state: HelperState, event: HelperEvent): HelperStep {
  switch (event.type) {
    case 'lost':
      return lost(state, event.keep);
    case 'back':
      return back(state, event);
    case 'endOfRib':
      return synchronized(state);
    case 'timerExpires':
      return expired(state, event.timer);
  }
}

function lost(state: HelperState, keep: Keep | undefined): HelperStep {
  const isKept = keep !== undefined && (keep.restartSeconds > 0 || keep.longLivedSeconds > 0);
  switch (state.name) {
    case 'fresh':
      return isKept ? begin(keep, false) : [FRESH, [{ do: 'flush' }]];
    case 'overdue':
      return [FRESH, [{ do: 'flush' }]];
    case 'waiting':
    case 'syncing':
      return isKept ? lostAgain(state, keep) : over('flush');
    case 'longLived':
      return keep === undefined ? over('flush') : lostLongLived(keep);
  }
}

/** `isAgain`: something is stale since an earlier loss, so no second restart time follows this one. */
function begin({ restartSeconds, longLivedSeconds, byUs }: Keep, isAgain: boolean): HelperStep {
  if (restartSeconds === 0) {
    return [
      { name: 'longLived', isBack: false },
      [{ do: 'markStale' }, { do: 'startLongLived' }, start('longLived', longLivedSeconds)],
    ];
  }
  return [
    { name: 'waiting', isAgain, byUs, longLivedSeconds },
    [{ do: 'markStale' }, start('restart', restartSeconds)],
  ];
}

/**
 * A peer lost again before its End-of-RIB departs from RFC 4724 §4.2, which deletes at once what is stale from the
 * earlier loss: a node that crashes twice in a row would lose its routes everywhere, though it still forwards. They stay
 * until the restart time of the first loss is over, and not longer, however often the peer comes and goes. After it the
 * rule holds, but not for a long-lived family: there nothing is deleted before the long-lived time (RFC 9494 §4.2).
 */
function lostAgain(state: Named<'waiting' | 'syncing'>, keep: Keep): HelperStep {
  const { byUs, longLivedSeconds } = keep;
  if (state.name === 'waiting' || !state.isWindowOver) {
    return [{ name: 'waiting', isAgain: true, byUs, longLivedSeconds }, [{ do: 'markStale' }, stop('endOfRib')]];
  }
  const isLongLived = longLivedSeconds > 0;
  const [next, effects] = begin(keep, isLongLived);
  return [next, [...(isLongLived ? [] : [{ do: 'sweepStale' } as const]), stop('endOfRib'), ...effects]];
}

/** The long-lived time runs on. What the short session told has a restart time of its own before it counts as long-lived. */
function lostLongLived({ restartSeconds }: Keep): HelperStep {
  const next = restartSeconds > 0 ? start('restart', restartSeconds) : ({ do: 'startLongLived' } as const);
  return [{ name: 'longLived', isBack: false }, [{ do: 'markStale' }, stop('endOfRib'), next]];
}

/** Where the new OPEN has no such family, or says that forwarding was lost, its routes go at once. RFC 4724 §4.2, RFC 9494 §4.2. */
function back(state: HelperState, { restarting, now }: Extract<HelperEvent, { readonly type: 'back' }>): HelperStep {
  const wait = start('endOfRib', END_OF_RIB_SECONDS);
  switch (state.name) {
    case 'waiting': {
      // A peer that we hung up on ourselves, and that says nothing of a restart, has what it told us still.
      const isPreserved = now?.forwardingPreserved === true || (state.byUs && !restarting && now !== undefined);
      if (!isPreserved) return over('sweepStale');
      const longLivedSeconds = now.longLivedPreserved ? now.longLivedSeconds : 0;
      const { isAgain } = state;
      // Who flaps has only what is left of the restart time.
      return [{ name: 'syncing', isAgain, isWindowOver: false, longLivedSeconds }, isAgain ? [] : [wait]];
    }
    case 'longLived':
      return now?.longLivedPreserved === true ? [{ name: 'longLived', isBack: true }, [wait]] : over('sweepStale');
    case 'fresh':
    case 'syncing':
    case 'overdue':
      return [state, []];
  }
}

function synchronized(state: HelperState): HelperStep {
  switch (state.name) {
    case 'overdue':
      return [FRESH, []];
    case 'syncing':
      return over('sweepStale');
    case 'longLived':
      return state.isBack ? over('sweepStale') : [state, []];
    case 'fresh':
    case 'waiting':
      return [state, []];
  }
}

function expired(state: HelperState, timer: HelperTimer): HelperStep {
  switch (state.name) {
    case 'fresh':
    case 'overdue':
      return [state, []];
    case 'waiting':
      return state.longLivedSeconds > 0 ? turnLongLived(state) : over('sweepStale');
    case 'syncing':
      if (timer === 'restart' && !state.isAgain) return [{ ...state, isWindowOver: true }, []];
      return timer === 'restart' && state.longLivedSeconds > 0 ? turnLongLived(state) : over('sweepStale');
    case 'longLived':
      if (timer === 'restart') return [state, [{ do: 'startLongLived' }]];
      if (timer === 'longLived' && state.isBack) return [OVERDUE, [{ do: 'sweepStale' }, { do: 'stopTimers' }]];
      return over('sweepStale');
  }
}

/** RFC 9494 §4.2: once started, the time is not changed before the peer has told all. */
function turnLongLived({ name, longLivedSeconds }: Named<'waiting' | 'syncing'>): HelperStep {
  const isBack = name === 'syncing';
  const bound = isBack ? [start('endOfRib', END_OF_RIB_SECONDS)] : [];
  return [{ name: 'longLived', isBack }, [{ do: 'startLongLived' }, start('longLived', longLivedSeconds), ...bound]];
}

/** Nothing is left to wait for. */
const over = (how: 'flush' | 'sweepStale'): HelperStep => [FRESH, [{ do: how }, { do: 'stopTimers' }]];

const start = (timer: HelperTimer, seconds: number): HelperEffect => ({ do: 'startTimer', timer, seconds });
const stop = (timer: HelperTimer): HelperEffect => ({ do: 'stopTimer', timer });
