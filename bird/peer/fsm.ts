/**
 * The BGP finite state machine of one connection, RFC 4271 §8: `step(state, event, local)` gives the next state and
 * what the driver is to do. All that decides about a session's life is in this file; no clock, no socket, no log.
 * The two connections of one peer that may exist for a moment are two states; collision.ts judges between them.
 */
import type { SessionLoss } from '../graceful-restart/loss.ts';
import type { ErrorCode, Fault, Open, RouteRefresh } from '../wire.ts';
import { fault, isCease } from './fault.ts';
import type { FaultName } from './fault.ts';
import { negotiate } from './negotiate.ts';
import type { LocalSettings, Negotiated } from './negotiate.ts';

/** `failures`: errors in a row, which set the wait before the next try (DampPeerOscillations). */
export type State = Early | Agreed;

interface Early {
  readonly name: 'Idle' | 'Connect' | 'Active' | 'OpenSent';
  readonly failures: number;
}

interface Agreed {
  readonly name: 'OpenConfirm' | 'Established';
  readonly failures: number;
  readonly session: Negotiated;
}

/** RFC 4271 §8.1, under the RFC's own names. `passive` is a setting here and not an event of its own (Events 4, 5). */
export type Event =
  | { readonly type: 'ManualStart' } // Event 1
  | { readonly type: 'ManualStop'; readonly farewell?: Fault } // Events 2, 8; without a farewell the connection is just dropped
  | { readonly type: 'ConnectRetryTimer_Expires' } // Event 9
  | { readonly type: 'HoldTimer_Expires' } // Event 10
  | { readonly type: 'KeepaliveTimer_Expires' } // Event 11
  | { readonly type: 'IdleHoldTimer_Expires' } // Event 13
  | { readonly type: 'Tcp_CR_Acked' } // Event 16: our own connection stands
  | { readonly type: 'TcpConnectionConfirmed' } // Event 17: the peer's connection stands
  | { readonly type: 'TcpConnectionFails'; readonly reason: string } // Event 18
  | { readonly type: 'BGPOpen'; readonly open: Open } // Event 19
  | { readonly type: 'BGPHeaderErr' | 'BGPOpenMsgErr' | 'UpdateMsgErr'; readonly fault: Fault } // Events 21, 22, 28
  | { readonly type: 'OpenCollisionDump' } // Event 23
  | { readonly type: 'NotifMsg'; readonly text: string; readonly fault: Fault } // Events 24, 25
  | { readonly type: 'KeepAliveMsg' } // Event 26
  | { readonly type: 'UpdateMsg'; readonly frame: Uint8Array } // Event 27
  | { readonly type: 'SendHoldTimer_Expires' } // Event 29, RFC 9687
  | { readonly type: 'RouteRefreshMsg'; readonly refresh: RouteRefresh } // RFC 2918
  | { readonly type: 'ErrorForgetTimer_Expires' }; // ours: errors of long ago no longer lengthen the wait

export type Timer =
  'ConnectRetryTimer' | 'HoldTimer' | 'KeepaliveTimer' | 'IdleHoldTimer' | 'SendHoldTimer' | 'ErrorForgetTimer';

/** What the driver is to do, in this order. */
export type Effect =
  | { readonly do: 'connect' | 'disconnect' | 'sendOpen' | 'sendKeepalive' }
  | { readonly do: 'sendNotification'; readonly fault: Fault }
  | { readonly do: 'startTimer'; readonly timer: Timer; readonly seconds: number; readonly jitter: boolean }
  | { readonly do: 'stopTimer'; readonly timer: Timer }
  | { readonly do: 'report'; readonly text: string }
  | { readonly do: 'sessionUp'; readonly session: Negotiated }
  | ({ readonly do: 'sessionDown' } & SessionLoss)
  | { readonly do: 'deliverUpdate'; readonly frame: Uint8Array }
  | { readonly do: 'deliverRefresh'; readonly refresh: RouteRefresh };

export type Step = readonly [State, readonly Effect[]];

export const IDLE: State = { name: 'Idle', failures: 0 };

/** RFC 4271 §8.2.2: "a large value", 4 minutes, until the OPEN tells better. */
const OPEN_HOLD_SECONDS = 240;
/** After a session was lost without an error on either side: long enough not to spin, short enough for a restart. */
const RECONNECT_SECONDS = 1;
/** RFC 9687 §4: eight minutes or twice the hold time; two minutes are enough among machines of one data centre. */
const MIN_SEND_HOLD_SECONDS = 120;

export function step(state: State, event: Event, local: LocalSettings): Step {
  if (event.type === 'ErrorForgetTimer_Expires') return [{ ...state, failures: 0 }, []];
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
function idle(state: Early, event: Event, local: LocalSettings): Step {
  switch (event.type) {
    case 'ManualStart':
    case 'IdleHoldTimer_Expires':
      if (local.passive) return [{ name: 'Active', failures: state.failures }, []];
      return [{ name: 'Connect', failures: state.failures }, dial(local)];
    case 'ManualStop':
      return [state, stopAll()];
    case 'Tcp_CR_Acked':
    case 'TcpConnectionConfirmed':
      return [state, [{ do: 'disconnect' }]];
    default:
      return [state, []];
  }
}

/** Our TCP connection is being made. */
function connect(state: Early, event: Event, local: LocalSettings): Step {
  switch (event.type) {
    case 'ManualStart':
      return [state, []];
    case 'Tcp_CR_Acked':
    case 'TcpConnectionConfirmed':
      return connected(state);
    case 'TcpConnectionFails':
      return retryLater(state, local, event.reason);
    case 'ConnectRetryTimer_Expires':
      return [state, [{ do: 'report', text: 'the connection timed out' }, { do: 'disconnect' }, ...dial(local)]];
    default:
      return stopped(state);
  }
}

/** We wait: for the peer to connect, or for the ConnectRetryTimer. */
function active(state: Early, event: Event, local: LocalSettings): Step {
  switch (event.type) {
    case 'ManualStart':
      return [state, []];
    case 'Tcp_CR_Acked':
    case 'TcpConnectionConfirmed':
      return connected(state);
    case 'ConnectRetryTimer_Expires':
      return local.passive ? [state, []] : [{ name: 'Connect', failures: state.failures }, dial(local)];
    case 'TcpConnectionFails':
      return retryLater(state, local, event.reason);
    default:
      return stopped(state);
  }
}

/** Our OPEN is out, theirs is awaited. */
function openSent(state: Early, event: Event, local: LocalSettings): Step {
  switch (event.type) {
    case 'ManualStart':
      return [state, []];
    case 'BGPOpen': {
      const outcome = negotiate(event.open, local);
      if (outcome.kind === 'refused') return failed(state, local, { fault: outcome.fault });
      const { session } = outcome;
      const timers = sessionTimers(session);
      return [{ name: 'OpenConfirm', failures: state.failures, session }, [{ do: 'sendKeepalive' }, ...timers]];
    }
    case 'TcpConnectionFails':
      return retryLater(state, local, event.reason);
    default:
      return inSession(state, event, local);
  }
}

/** Both OPENs agree; the peer's KEEPALIVE is awaited. */
function openConfirm(state: Agreed, event: Event, local: LocalSettings): Step {
  const { session, failures } = state;
  switch (event.type) {
    case 'ManualStart':
      return [state, []];
    case 'KeepAliveMsg':
      return [
        { name: 'Established', failures, session },
        [...holdAgain(session), ...establishedEffects(session, local)],
      ];
    case 'KeepaliveTimer_Expires':
      return [state, keepaliveEffects(session)];
    case 'TcpConnectionFails': // Departs from §8.2.2 (Idle): Active is Idle and AutomaticStart in one step.
      return retryLater(state, local, event.reason);
    default:
      return inSession(state, event, local);
  }
}

/** The session is up. */
function established(state: Agreed, event: Event, local: LocalSettings): Step {
  const { session } = state;
  switch (event.type) {
    case 'ManualStart':
      return [state, []];
    case 'KeepAliveMsg':
      return [state, holdAgain(session)];
    case 'UpdateMsg':
      return [state, [...holdAgain(session), { do: 'deliverUpdate', frame: event.frame }]];
    case 'RouteRefreshMsg': // Not named by RFC 4271, but any whole message shows that the peer lives.
      return [state, [...holdAgain(session), { do: 'deliverRefresh', refresh: event.refresh }]];
    case 'KeepaliveTimer_Expires':
      return [state, keepaliveEffects(session)];
    case 'TcpConnectionFails': {
      // Departs from §8.2.2 (Idle): a peer that restarts must be let in at once. RFC 4724 §4.2.
      const [next, effects] = retryLater(state, { ...local, connectRetrySeconds: RECONNECT_SECONDS }, event.reason);
      return [next, [...effects, { do: 'sessionDown', cause: 'connection' }]];
    }
    default:
      return inSession(state, event, local);
  }
}

/** What ends every state that has a connection in the same way. */
function inSession(state: State, event: Event, local: LocalSettings): Step {
  switch (event.type) {
    case 'ManualStop':
      return stopped(state, event.farewell);
    case 'OpenCollisionDump':
      return stopped(state, fault('collisionResolution', 'another connection of this peer won'));
    case 'HoldTimer_Expires':
      return failed(state, local, { fault: fault('holdTimerExpired', holdText(state)), loss: { cause: 'hold' } });
    case 'SendHoldTimer_Expires':
      return failed(state, local, {
        fault: fault('sendHoldTimerExpired', 'the peer reads nothing: send hold timer expired'),
      });
    case 'BGPHeaderErr':
    case 'BGPOpenMsgErr':
    case 'UpdateMsgErr':
      return failed(state, local, { fault: event.fault });
    case 'NotifMsg': // Departs from §8.2.2, which answers a NOTIFICATION with another in some states; RFC 4271 §6.4 forbids it.
      if (!isCease(event.fault.code)) return failed(state, local, { received: event });
      return withLoss(state, told('received', event.fault.code), retryLater(state, local, event.text));
    case 'IdleHoldTimer_Expires':
    case 'TcpConnectionConfirmed':
    case 'Tcp_CR_Acked':
      return [state, []];
    default:
      return failed(state, local, {
        fault: fault(UNEXPECTED[state.name], `${event.type} is not expected in ${state.name}`),
      });
  }
}

/** RFC 6608 §3. Earlier states have no connection that could bring a message. */
const UNEXPECTED: Readonly<Record<State['name'], FaultName>> = {
  Idle: 'unexpectedInOpenSent',
  Connect: 'unexpectedInOpenSent',
  Active: 'unexpectedInOpenSent',
  OpenSent: 'unexpectedInOpenSent',
  OpenConfirm: 'unexpectedInOpenConfirm',
  Established: 'unexpectedInEstablished',
};

const holdText = (state: State): string =>
  'session' in state
    ? `hold timer expired: nothing heard for ${state.session.holdSeconds} s`
    : `hold timer expired: no OPEN within ${OPEN_HOLD_SECONDS} s`;

function connected({ failures }: State): Step {
  const effects = [stop('ConnectRetryTimer'), { do: 'sendOpen' } as const, start('HoldTimer', OPEN_HOLD_SECONDS)];
  return [{ name: 'OpenSent', failures }, effects];
}

/** Hang up and wait in Active, without a penalty: nobody broke the protocol. */
function retryLater({ failures }: State, local: LocalSettings, reason: string): Step {
  const retry = local.passive ? [] : [start('ConnectRetryTimer', local.connectRetrySeconds, true)];
  return [{ name: 'Active', failures }, [{ do: 'report', text: reason }, ...stopAll(), ...retry]];
}

/** An error, theirs or ours: say so unless they did, hang up, and wait longer each time. RFC 4271 §8.1.1. */
function failed(
  state: State,
  local: LocalSettings,
  why:
    | { readonly fault: Fault; readonly loss?: SessionLoss }
    | { readonly received: Extract<Event, { type: 'NotifMsg' }> },
): Step {
  const [first, most] = local.errorWaitSeconds;
  const wait = Math.min(most, first * 2 ** Math.min(state.failures, 30));
  const isOurs = 'fault' in why;
  const farewell: readonly Effect[] = isOurs ? [{ do: 'sendNotification', fault: why.fault }] : [];
  const text = isOurs ? why.fault.text : why.received.text;
  const loss = isOurs ? (why.loss ?? told('sent', why.fault.code)) : told('received', why.received.fault.code);
  const effects = [...farewell, { do: 'report', text } as const, ...stopAll(), start('IdleHoldTimer', wait, true)];
  return withLoss(state, loss, [{ name: 'Idle', failures: state.failures + 1 }, effects]);
}

const told = (direction: 'sent' | 'received', [code, subcode]: ErrorCode): SessionLoss => ({
  cause: 'notification',
  direction,
  code,
  subcode,
});

/** To Idle for good, or until the next ManualStart. */
function stopped(state: State, farewell?: Fault): Step {
  const hasSaidOpen = state.name === 'OpenSent' || state.name === 'OpenConfirm' || state.name === 'Established';
  const goodbye: readonly Effect[] =
    farewell === undefined || !hasSaidOpen ? [] : [{ do: 'sendNotification', fault: farewell }];
  const lost: readonly Effect[] = state.name === 'Established' ? [{ do: 'sessionDown', cause: 'stop' }] : [];
  return [{ name: 'Idle', failures: state.failures }, [...goodbye, ...stopAll(), ...lost]];
}

function withLoss(before: State, loss: SessionLoss, [state, effects]: Step): Step {
  return before.name === 'Established' ? [state, [...effects, { do: 'sessionDown', ...loss }]] : [state, effects];
}

function establishedEffects(session: Negotiated, local: LocalSettings): readonly Effect[] {
  const sendHold = Math.max(MIN_SEND_HOLD_SECONDS, session.holdSeconds * 2);
  return [
    ...(session.holdSeconds === 0 ? [] : [start('SendHoldTimer', sendHold)]),
    start('ErrorForgetTimer', local.errorWaitSeconds[1]),
    { do: 'sessionUp', session },
  ];
}

/** A negotiated hold time of zero means that neither timer runs. RFC 4271 §4.2, §4.4. */
function sessionTimers(session: Negotiated): readonly Effect[] {
  if (session.holdSeconds === 0) return [stop('HoldTimer')];
  return [start('HoldTimer', session.holdSeconds), start('KeepaliveTimer', session.keepaliveSeconds, true)];
}

const holdAgain = ({ holdSeconds }: Negotiated): readonly Effect[] =>
  holdSeconds === 0 ? [] : [start('HoldTimer', holdSeconds)];

const keepaliveEffects = ({ keepaliveSeconds }: Negotiated): readonly Effect[] => [
  { do: 'sendKeepalive' },
  start('KeepaliveTimer', keepaliveSeconds, true),
];

const dial = ({ connectRetrySeconds }: LocalSettings): readonly Effect[] => [
  start('ConnectRetryTimer', connectRetrySeconds, true),
  { do: 'connect' },
];

const stopAll = (): readonly Effect[] => [
  stop('ConnectRetryTimer'),
  stop('HoldTimer'),
  stop('KeepaliveTimer'),
  stop('IdleHoldTimer'),
  stop('SendHoldTimer'),
  stop('ErrorForgetTimer'),
  { do: 'disconnect' },
];

/** Jitter only where RFC 4271 §10 asks for it, and on the error wait, so that a rack does not come back in step. */
const start = (timer: Timer, seconds: number, jitter = false): Effect => ({ do: 'startTimer', timer, seconds, jitter });
const stop = (timer: Timer): Effect => ({ do: 'stopTimer', timer });
