/** The words of the state machine in fsm.ts: states, events, timers, effects. RFC 4271 §8.1, RFC 9687. */
import type { ErrorCode, Fault, Open, RouteRefresh } from '../wire.ts';
import type { Negotiated } from './negotiate.ts';
import type { Reason } from './reason.ts';
import type { CloseReason } from './transport.ts';

/** `connectRetryCounter`: errors in a row, which set the wait before the next try (DampPeerOscillations). */
export type State =
  Idle | Waiting<'Connect'> | Waiting<'Active'> | OpenSent | Agreed<'OpenConfirm'> | Agreed<'Established'>;

interface Idle {
  readonly name: 'Idle';
  readonly connectRetryCounter: number;
  /** A start that minds peer oscillations (Events 6, 7) must wait: for the IdleHoldTimer, or for an operator. */
  readonly isHeld: boolean;
}

interface Waiting<Name> {
  readonly name: Name;
  readonly connectRetryCounter: number;
  /** TCP stands, and the DelayOpenTimer runs. */
  readonly isDelayingOpen: boolean;
}

interface OpenSent {
  readonly name: 'OpenSent';
  readonly connectRetryCounter: number;
}

interface Agreed<Name> {
  readonly name: Name;
  readonly connectRetryCounter: number;
  readonly session: Negotiated;
}

/** All events of RFC 4271 §8.1 and Event 29 of RFC 9687 by number; 0: our own. */
export const EVENT_NUMBERS = {
  ManualStart: 1,
  ManualStop: 2,
  AutomaticStart: 3,
  ManualStart_with_PassiveTcpEstablishment: 4,
  AutomaticStart_with_PassiveTcpEstablishment: 5,
  AutomaticStart_with_DampPeerOscillations: 6,
  AutomaticStart_with_DampPeerOscillations_and_PassiveTcpEstablishment: 7,
  AutomaticStop: 8,
  ConnectRetryTimer_Expires: 9,
  HoldTimer_Expires: 10,
  KeepaliveTimer_Expires: 11,
  DelayOpenTimer_Expires: 12,
  IdleHoldTimer_Expires: 13,
  TcpConnection_Valid: 14,
  Tcp_CR_Invalid: 15,
  Tcp_CR_Acked: 16,
  TcpConnectionConfirmed: 17,
  TcpConnectionFails: 18,
  BGPOpen: 19,
  BGPOpen_with_DelayOpenTimer_running: 20,
  BGPHeaderErr: 21,
  BGPOpenMsgErr: 22,
  OpenCollisionDump: 23,
  NotifMsgVerErr: 24,
  NotifMsg: 25,
  KeepAliveMsg: 26,
  UpdateMsg: 27,
  UpdateMsgErr: 28,
  SendHoldTimer_Expires: 29,
  RouteRefreshMsg: 0,
  ErrorForgetTimer_Expires: 0,
  SilenceTimer_Expires: 0,
  SettingsChanged: 0,
  BfdDown: 0,
} as const satisfies Record<Event['type'], number>;

/** Events 1 and 3 to 7. */
export type StartEvent =
  | 'ManualStart'
  | 'AutomaticStart'
  | 'ManualStart_with_PassiveTcpEstablishment'
  | 'AutomaticStart_with_PassiveTcpEstablishment'
  | 'AutomaticStart_with_DampPeerOscillations'
  | 'AutomaticStart_with_DampPeerOscillations_and_PassiveTcpEstablishment';

export type Event =
  | { readonly type: StartEvent }
  /** Without a farewell the connection is just dropped. */
  | { readonly type: 'ManualStop'; readonly farewell?: Fault }
  /** It comes back by itself: after `waitSeconds` (Infinity: not before ManualStart), or the wait after errors. */
  | { readonly type: 'AutomaticStop'; readonly farewell: Fault; readonly waitSeconds?: number }
  | { readonly type: `${Timer}_Expires` }
  | { readonly type: 'TcpConnection_Valid' | 'Tcp_CR_Invalid' }
  /** Our own connection stands. */
  | { readonly type: 'Tcp_CR_Acked' }
  /** The peer's connection stands. */
  | { readonly type: 'TcpConnectionConfirmed' }
  | { readonly type: 'TcpConnectionFails'; readonly reason: CloseReason }
  | { readonly type: 'BGPOpen' | 'BGPOpen_with_DelayOpenTimer_running'; readonly open: Open }
  | { readonly type: 'BGPHeaderErr' | 'BGPOpenMsgErr' | 'UpdateMsgErr'; readonly fault: Fault }
  | { readonly type: 'OpenCollisionDump' }
  /** `fault.text` tells the whole NOTIFICATION in words. */
  | { readonly type: 'NotifMsgVerErr' | 'NotifMsg'; readonly fault: Fault }
  | { readonly type: 'KeepAliveMsg' }
  | { readonly type: 'UpdateMsg'; readonly frame: Uint8Array }
  /** RFC 2918. */
  | { readonly type: 'RouteRefreshMsg'; readonly refresh: RouteRefresh }
  /** Ours: hang up without a word, so that the peer keeps our routes (RFC 4724), and begin anew. */
  | { readonly type: 'SettingsChanged'; readonly text: string }
  /** RFC 5882 §4, RFC 9384. */
  | { readonly type: 'BfdDown'; readonly farewell: Fault };

/** The last two are ours: errors of long ago no longer lengthen the wait; nothing came for long enough to say so. */
export const TIMERS = [
  'ConnectRetryTimer',
  'HoldTimer',
  'KeepaliveTimer',
  'DelayOpenTimer',
  'IdleHoldTimer',
  'SendHoldTimer',
  'ErrorForgetTimer',
  'SilenceTimer',
] as const;

export type Timer = (typeof TIMERS)[number];

/**
 * Why an Established session ended. `connection`: TCP was lost, or we hung up to begin anew; `stop`: our own end, for
 * good or until an operator wills; `hold`: nothing was heard; `error`: the send hold timer.
 */
export type LossCause = 'connection' | 'error' | 'stop' | 'notification' | 'hold' | 'bfd';

/** What graceful restart needs to know of the end of an Established session. RFC 4724 §4.2, RFC 8538 §4. */
export interface Loss {
  readonly cause: LossCause;
  /** The NOTIFICATION that ended it, whatever the cause; always there where the cause is `notification`. */
  readonly notification?: { readonly direction: 'sent' | 'received'; readonly code: ErrorCode };
}

/** What the driver is to do, in this order. */
export type Effect =
  | { readonly do: 'connect' | 'sendOpen' | 'sendKeepalive' }
  /** `disconnect` lets a NOTIFICATION through first; `drop` waits for nothing. */
  | { readonly do: 'disconnect' | 'drop' }
  | { readonly do: 'sendNotification'; readonly fault: Fault }
  | { readonly do: 'startTimer'; readonly timer: Timer; readonly seconds: number; readonly jitter: boolean }
  | { readonly do: 'stopTimer'; readonly timer: Timer }
  | { readonly do: 'report'; readonly reason: Reason; readonly from: State['name']; readonly to: State['name'] }
  | { readonly do: 'sessionUp'; readonly session: Negotiated }
  | { readonly do: 'sessionDown'; readonly loss: Loss }
  | { readonly do: 'deliverUpdate'; readonly frame: Uint8Array }
  | { readonly do: 'deliverRefresh'; readonly refresh: RouteRefresh };

export type Step = readonly [State, readonly Effect[]];

export const IDLE: State = { name: 'Idle', connectRetryCounter: 0, isHeld: false };

export const isStart = (event: Event): event is { readonly type: StartEvent } => STARTS.has(event.type);

const STARTS: ReadonlySet<string> = new Set<StartEvent>([
  'ManualStart',
  'AutomaticStart',
  'ManualStart_with_PassiveTcpEstablishment',
  'AutomaticStart_with_PassiveTcpEstablishment',
  'AutomaticStart_with_DampPeerOscillations',
  'AutomaticStart_with_DampPeerOscillations_and_PassiveTcpEstablishment',
]);

/** `automatic`: by configuration, and a peer that waits after errors goes on waiting; `manual`: an operator's word. */
export function startEvent(by: 'manual' | 'automatic', passive: boolean): Event {
  if (by === 'manual') return { type: passive ? 'ManualStart_with_PassiveTcpEstablishment' : 'ManualStart' };
  return {
    type: passive
      ? 'AutomaticStart_with_DampPeerOscillations_and_PassiveTcpEstablishment'
      : 'AutomaticStart_with_DampPeerOscillations',
  };
}
