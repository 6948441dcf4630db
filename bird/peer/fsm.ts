/**
 * The BGP finite state machine of one connection, RFC 4271 §8: `step(state, event, local)` gives the next state and
 * what the driver is to do. Every transition is in this file, state by state; vocabulary.ts has the words, effects.ts and
 * ending.ts what several transitions share. No clock, no socket, no log.
 * The two connections of one peer that may exist for a moment are two states; collision.ts judges between them.
 */
import type { Fault, Open } from '../wire.ts';
import {
  confirm,
  dial,
  greet,
  hangUp,
  holdAgain,
  keepalive,
  OPEN_HOLD_SECONDS,
  retry,
  SILENCE_SECONDS,
  start,
  stop,
  up,
} from './effects.ts';
import { endedByUs, failed, gaveWay, lossBy, notified, report, retryLater, stopped } from './ending.ts';
import type { Failure } from './ending.ts';
import { fault, isCease } from './fault.ts';
import type { FaultName } from './fault.ts';
import { negotiate } from './negotiate.ts';
import type { LocalSettings } from './negotiate.ts';
import {
  administrative,
  byBfd,
  hungUpOn,
  lost,
  noOpen,
  notConnected,
  received,
  settingsChanged,
  silence,
} from './reason.ts';
import { EVENT_NUMBERS, isStart } from './vocabulary.ts';
import type { Event, State, Step } from './vocabulary.ts';

export type { Effect, Event, Loss, LossCause, State, Step, Timer } from './vocabulary.ts';
export { IDLE } from './vocabulary.ts';

type In<Name extends State['name']> = Extract<State, { readonly name: Name }>;

/** After a session was lost without an error on either side: long enough not to spin, short enough for a restart. */
const RECONNECT_SECONDS = 1;

export function step(state: State, event: Event, local: LocalSettings): Step {
  if (event.type === 'ErrorForgetTimer_Expires') return [{ ...state, connectRetryCounter: 0 }, []];
  // Events 1 and 3 to 7 are ignored wherever something is under way, in each state by name.
  if (isStart(event) && state.name !== 'Idle') return [state, []];
  switch (state.name) {
    case 'Idle':
      return idle(state, event, local);
    case 'Connect':
      return connect(state, event, local);
    case 'Active':
      return active(state, event, local);
    case 'OpenSent':
      return openSent(state, event, local);
    case 'OpenConfirm':
      return openConfirm(state, event, local);
    case 'Established':
      return established(state, event, local);
  }
}

/** Nothing is under way. An incoming connection finds a closed door, so that a damped peer stays damped. */
function idle(state: In<'Idle'>, event: Event, local: LocalSettings): Step {
  switch (event.type) {
    case 'ManualStart':
      return begin(0, false, local);
    case 'AutomaticStart':
      return beginLater(0, local);
    case 'ManualStart_with_PassiveTcpEstablishment':
    case 'AutomaticStart_with_PassiveTcpEstablishment':
      return begin(0, true, local);
    case 'AutomaticStart_with_DampPeerOscillations':
      return state.isHeld ? [state, []] : beginLater(state.connectRetryCounter, local);
    case 'AutomaticStart_with_DampPeerOscillations_and_PassiveTcpEstablishment':
      return state.isHeld ? [state, []] : begin(state.connectRetryCounter, true, local);
    case 'IdleHoldTimer_Expires':
      return begin(state.connectRetryCounter, local.passive, local);
    case 'SettingsChanged':
      return begin(0, local.passive, local);
    case 'ManualStop':
      return stopped(state, event.farewell);
    case 'Tcp_CR_Acked':
    case 'TcpConnectionConfirmed':
      return [state, [{ do: 'disconnect' }]];
    default: // Events 8 to 12, 14, 15, 18 to 28
      return [state, []];
  }
}

/** Our TCP connection is being made; or it stands, and waits for the peer to speak first (DelayOpen). */
function connect(state: In<'Connect'>, event: Event, local: LocalSettings): Step {
  switch (event.type) {
    case 'ConnectRetryTimer_Expires': {
      const timedOut = silence('the connection timed out');
      if (local.passive) return retryLater(state, local, { reason: timedOut, loss: { cause: 'connection' } });
      const again = [stop('DelayOpenTimer'), { do: 'disconnect' } as const, ...dial(local)];
      return [{ ...state, isDelayingOpen: false }, [report(state, 'Connect', timedOut), ...again]];
    }
    case 'SilenceTimer_Expires': {
      if (state.isDelayingOpen) return [state, []];
      const text = `no answer to our connection attempt within ${SILENCE_SECONDS} s`;
      return [state, [report(state, 'Connect', silence(text))]];
    }
    default:
      return waiting(state, event, local);
  }
}

/** We wait: for the peer to connect, or for the ConnectRetryTimer; or for the peer to speak first (DelayOpen). */
function active(state: In<'Active'>, event: Event, local: LocalSettings): Step {
  switch (event.type) {
    case 'ConnectRetryTimer_Expires': // A connection that stands is not given up for one that may not come.
      if (local.passive || state.isDelayingOpen) return [state, []];
      return [{ ...state, name: 'Connect' }, dial(local)];
    case 'SilenceTimer_Expires':
      return [state, []];
    default:
      return waiting(state, event, local);
  }
}

/** What Connect and Active have in common: no OPEN has gone either way. */
function waiting(state: In<'Connect' | 'Active'>, event: Event, local: LocalSettings): Step {
  const { connectRetryCounter, isDelayingOpen } = state;
  switch (event.type) {
    case 'Tcp_CR_Acked':
    case 'TcpConnectionConfirmed': {
      if (isDelayingOpen) return [state, []];
      const delay = local.delayOpenSeconds ?? 0;
      if (delay === 0) return [{ name: 'OpenSent', connectRetryCounter }, greet()];
      const patience = [stop('ConnectRetryTimer'), stop('SilenceTimer'), start('DelayOpenTimer', delay, true)];
      return [{ ...state, isDelayingOpen: true }, patience];
    }
    case 'DelayOpenTimer_Expires':
      return isDelayingOpen ? [{ name: 'OpenSent', connectRetryCounter }, greet()] : [state, []];
    case 'BGPOpen_with_DelayOpenTimer_running':
      return isDelayingOpen ? answerOpen(state, event.open, local) : failed(state, local, unexpected(state, event));
    case 'TcpConnectionFails': {
      const reason = isDelayingOpen || state.name === 'Active' ? lost(event.reason) : notConnected(event.reason);
      return retryLater(state, local, { reason, loss: { cause: 'connection' } });
    }
    case 'BGPHeaderErr':
    case 'BGPOpenMsgErr':
      return failed(state, local, { reason: hungUpOn(event.fault), loss: { cause: 'error' } });
    case 'NotifMsgVerErr':
    case 'NotifMsg':
      return told(state, event, local);
    case 'TcpConnection_Valid':
    case 'Tcp_CR_Invalid':
    case 'BfdDown':
      return [state, []];
    default:
      return ended(state, event, local);
  }
}

/** Our OPEN is out, theirs is awaited. */
function openSent(state: In<'OpenSent'>, event: Event, local: LocalSettings): Step {
  switch (event.type) {
    case 'BGPOpen':
      return judgeOpen(state, event.open, local);
    case 'SilenceTimer_Expires': {
      const text = `TCP stands, but no OPEN came within ${SILENCE_SECONDS} s`;
      return [state, [report(state, 'OpenSent', noOpen(text))]];
    }
    default:
      return conversing(state, event, local);
  }
}

/** Both OPENs agree; the peer's KEEPALIVE is awaited. */
function openConfirm(state: In<'OpenConfirm'>, event: Event, local: LocalSettings): Step {
  switch (event.type) {
    case 'KeepAliveMsg':
      return [{ ...state, name: 'Established' }, up(state.session, local)];
    case 'KeepaliveTimer_Expires':
      return [state, keepalive(state.session)];
    case 'BGPOpen': // Collision detection alone asks for it, §8.2.2; OpenBGPD 7.7 says it twice where both sides dial.
      return [state, []];
    default: // TcpConnectionFails departs from §8.2.2 (Idle): Active is Idle and AutomaticStart in one step.
      return conversing(state, event, local);
  }
}

/** The session is up. */
function established(state: In<'Established'>, event: Event, local: LocalSettings): Step {
  const { session } = state;
  switch (event.type) {
    case 'KeepAliveMsg':
      return [state, holdAgain(session)];
    case 'UpdateMsg':
      return [state, [...holdAgain(session), { do: 'deliverUpdate', frame: event.frame }]];
    case 'RouteRefreshMsg': // Not named by RFC 4271, but any whole message shows that the peer lives.
      return [state, [...holdAgain(session), { do: 'deliverRefresh', refresh: event.refresh }]];
    case 'KeepaliveTimer_Expires':
      return [state, keepalive(session)];
    case 'UpdateMsgErr':
      return failed(state, local, notified(event.fault));
    case 'TcpConnectionFails': // Departs from §8.2.2 (Idle): a peer that restarts must be let in at once. RFC 4724 §4.2.
      return retryLater(state, local, {
        reason: lost(event.reason),
        loss: { cause: 'connection' },
        seconds: RECONNECT_SECONDS,
      });
    case 'SettingsChanged':
      return retryLater(state, local, {
        reason: settingsChanged(event.text),
        loss: { cause: 'connection' },
        seconds: RECONNECT_SECONDS,
      });
    case 'BfdDown': {
      const { farewell } = event;
      return retryLater(state, local, { reason: byBfd(farewell), loss: lossBy(farewell, 'bfd'), farewell });
    }
    default:
      return conversing(state, event, local);
  }
}

/** What OpenSent, OpenConfirm and Established have in common: our OPEN has gone out. */
function conversing(state: In<'OpenSent' | 'OpenConfirm' | 'Established'>, event: Event, local: LocalSettings): Step {
  switch (event.type) {
    case 'TcpConnectionFails':
      return retryLater(state, local, { reason: lost(event.reason), loss: { cause: 'connection' } });
    case 'HoldTimer_Expires':
      return failed(state, local, notified(fault('holdTimerExpired', holdText(state)), 'hold'));
    case 'SendHoldTimer_Expires': {
      // RFC 9687 §3.3: the NOTIFICATION goes out if it can, but nobody waits for a peer that reads nothing.
      const text = 'the peer reads nothing: send hold timer expired';
      return failed(state, local, { ...notified(fault('sendHoldTimerExpired', text), 'error'), how: 'drop' });
    }
    case 'BGPHeaderErr': // Departs from §8.2.2, which has an FSM error for these two in Established; §6.1 and §6.2 hold.
    case 'BGPOpenMsgErr':
      return failed(state, local, notified(event.fault));
    case 'NotifMsgVerErr':
    case 'NotifMsg':
      return told(state, event, local);
    case 'TcpConnection_Valid':
    case 'Tcp_CR_Invalid':
    case 'Tcp_CR_Acked': // A second connection is a second machine, until collision.ts has judged.
    case 'TcpConnectionConfirmed':
    case 'SilenceTimer_Expires':
    case 'BfdDown': // It takes down what was up. RFC 5882 §4.1.
      return [state, []];
    default:
      return ended(state, event, local);
  }
}

/** What ends every state but Idle in the same way; and last, all that has no business there. */
function ended(state: Exclude<State, In<'Idle'>>, event: Event, local: LocalSettings): Step {
  switch (event.type) {
    case 'ManualStop':
      return stopped(state, event.farewell);
    case 'AutomaticStop':
      return failed(state, local, { ...endedByUs(state, event.farewell), ...waitOf(event) });
    case 'SettingsChanged': {
      const [next, effects] = begin(0, local.passive, local);
      return [next, [report(state, next.name, settingsChanged(event.text)), ...hangUp(), ...effects]];
    }
    case 'OpenCollisionDump':
      return gaveWay(state, fault('collisionResolution', 'another connection of this peer won'));
    default:
      return failed(state, local, unexpected(state, event));
  }
}

/** Dial, or wait for the peer to. Departs from §8.2.2, where a passive peer dials when the ConnectRetryTimer expires. */
function begin(connectRetryCounter: number, passive: boolean, local: LocalSettings): Step {
  const next = { connectRetryCounter, isDelayingOpen: false };
  if (!passive) return [{ ...next, name: 'Connect' }, [stop('IdleHoldTimer'), ...dial(local)]];
  return [{ ...next, name: 'Active' }, [stop('IdleHoldTimer'), ...retry(local, local.connectRetrySeconds)]];
}

/** After `connectDelaySeconds`; a connection of the peer is welcome meanwhile. */
function beginLater(connectRetryCounter: number, local: LocalSettings): Step {
  const delay = local.connectDelaySeconds ?? 0;
  if (delay === 0) return begin(connectRetryCounter, false, local);
  const effects = [stop('IdleHoldTimer'), ...retry(local, delay)];
  return [{ name: 'Active', connectRetryCounter, isDelayingOpen: false }, effects];
}

/** Event 20: the peer spoke first, so our OPEN goes out with the answer to its own. */
function answerOpen(state: In<'Connect' | 'Active'>, open: Open, local: LocalSettings): Step {
  const { connectRetryCounter } = state;
  const [next, effects] = judgeOpen({ name: 'OpenSent', connectRetryCounter }, open, local);
  return [next, [...greet(), ...effects]];
}

function judgeOpen(state: In<'OpenSent'>, open: Open, local: LocalSettings): Step {
  const outcome = negotiate(open, local);
  if (outcome.kind === 'refused') return failed(state, local, notified(outcome.fault));
  const { session } = outcome;
  return [{ name: 'OpenConfirm', connectRetryCounter: state.connectRetryCounter, session }, confirm(session)];
}

/**
 * A NOTIFICATION came. Departs from §8.2.2, which answers it with another in some states; §6.4 forbids it. A Cease is no
 * error, and one about the version is none that waiting longer would mend.
 */
function told(
  state: Exclude<State, In<'Idle'>>,
  event: { readonly type: 'NotifMsg' | 'NotifMsgVerErr'; readonly fault: Fault },
  local: LocalSettings,
): Step {
  const reason = received(event.fault);
  const loss = lossBy(event.fault, 'notification', 'received');
  if (isCease(event.fault.code)) return retryLater(state, local, { reason, loss });
  return failed(state, local, { reason, loss, counts: event.type === 'NotifMsg' || state.name === 'Established' });
}

/** RFC 6608 §3 where an OPEN was sent; else nothing can be said. */
function unexpected(state: State, event: Event): Failure {
  const number = EVENT_NUMBERS[event.type];
  const text = `${event.type}${number === 0 ? '' : ` (Event ${number})`} is not expected in ${state.name}`;
  const name = UNEXPECTED[state.name];
  if (name === undefined) return { reason: administrative(text), loss: { cause: 'error' } };
  return notified(fault(name, text));
}

const UNEXPECTED: Readonly<Partial<Record<State['name'], FaultName>>> = {
  OpenSent: 'unexpectedInOpenSent',
  OpenConfirm: 'unexpectedInOpenConfirm',
  Established: 'unexpectedInEstablished',
};

const holdText = (state: State): string =>
  'session' in state
    ? `hold timer expired: nothing heard for ${state.session.holdSeconds} s`
    : `hold timer expired: no OPEN within ${OPEN_HOLD_SECONDS} s`;

const waitOf = ({ waitSeconds }: { readonly waitSeconds?: number }): { readonly waitSeconds?: number } =>
  waitSeconds === undefined ? {} : { waitSeconds };
