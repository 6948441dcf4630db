/** How long a restarted speaker defers its selection. A pure machine. RFC 4724 §4.1. */
import type { IpFamily } from '../../src/model/ip.ts';
import type { PeerRestart } from './peer-restart.ts';

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
  /** `awaited`: whose End-of-RIB must come; see `awaitedFrom`. */
  | { readonly type: 'peerUp'; readonly peer: string; readonly awaited: readonly IpFamily[] }
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
      return settled(withPeer(state, event.peer, event.awaited));
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
 * The families whose End-of-RIB we wait for. A peer that only helps others sends it for every family of the session
 * (RFC 4724 §3), and has no state of its own to restart with; FRR sets its R bit all the same for two minutes after its
 * start, and RFC 4724 §4.1 would have us not wait for it.
 */
export function awaitedFrom(restart: PeerRestart | undefined, patience: Patience): readonly IpFamily[] {
  // Nobody waits for a peer without graceful restart, which never says End-of-RIB. RFC 4724 §4.1.
  if (restart === undefined) return [];
  if (restart.restarting && !restart.helpsOnly && patience === 'RFC 4724') return [];
  return restart.families.map(({ family }) => family);
}

type Deferring = Exclude<DeferralState, { readonly name: 'converged' }>;

function withPeer(state: Deferring, peer: string, waits: 'session' | readonly IpFamily[]): Deferring {
  if (state.waiting?.has(peer) !== true) return state;
  return { ...state, waiting: new Map(state.waiting).set(peer, waits) };
}

function settled(state: Deferring): DeferralState {
  if (!state.hasOriginated || state.waiting === undefined) return state;
  const done = [...state.waiting.values()].every((waits) => waits !== 'session' && waits.length === 0);
  return done ? CONVERGED : state;
}
