import { fault } from '../../bird/peer/fault.ts';
import { IDLE } from '../../bird/peer/fsm.ts';
import type { Event, State } from '../../bird/peer/fsm.ts';
import { agreed, localSettings, openOf } from './bgp.ts';

export const local = localSettings();
export const session = agreed(local, openOf(local));

/** One of each state, with graceful restart agreed on; and those whose data makes a difference. */
export const STATES = {
  Idle: IDLE,
  'Idle, held': { name: 'Idle', connectRetryCounter: 1, isHeld: true },
  Connect: { name: 'Connect', connectRetryCounter: 0, isDelayingOpen: false },
  'Connect, DelayOpen': { name: 'Connect', connectRetryCounter: 0, isDelayingOpen: true },
  Active: { name: 'Active', connectRetryCounter: 0, isDelayingOpen: false },
  'Active, DelayOpen': { name: 'Active', connectRetryCounter: 0, isDelayingOpen: true },
  OpenSent: { name: 'OpenSent', connectRetryCounter: 0 },
  OpenConfirm: { name: 'OpenConfirm', connectRetryCounter: 0, session },
  Established: { name: 'Established', connectRetryCounter: 0, session },
} as const satisfies Readonly<Record<string, State>>;

const NOTHING = new Uint8Array();

/** One of each event, in the order of their numbers. */
export const EVENTS: Readonly<{ [Type in Event['type']]: Event }> = {
  ManualStart: { type: 'ManualStart' },
  ManualStop: { type: 'ManualStop', farewell: fault('peerDeconfigured', 'gone') },
  AutomaticStart: { type: 'AutomaticStart' },
  ManualStart_with_PassiveTcpEstablishment: { type: 'ManualStart_with_PassiveTcpEstablishment' },
  AutomaticStart_with_PassiveTcpEstablishment: { type: 'AutomaticStart_with_PassiveTcpEstablishment' },
  AutomaticStart_with_DampPeerOscillations: { type: 'AutomaticStart_with_DampPeerOscillations' },
  AutomaticStart_with_DampPeerOscillations_and_PassiveTcpEstablishment: {
    type: 'AutomaticStart_with_DampPeerOscillations_and_PassiveTcpEstablishment',
  },
  AutomaticStop: { type: 'AutomaticStop', farewell: fault('maximumPrefixes', 'too many') },
  ConnectRetryTimer_Expires: { type: 'ConnectRetryTimer_Expires' },
  HoldTimer_Expires: { type: 'HoldTimer_Expires' },
  KeepaliveTimer_Expires: { type: 'KeepaliveTimer_Expires' },
  DelayOpenTimer_Expires: { type: 'DelayOpenTimer_Expires' },
  IdleHoldTimer_Expires: { type: 'IdleHoldTimer_Expires' },
  TcpConnection_Valid: { type: 'TcpConnection_Valid' },
  Tcp_CR_Invalid: { type: 'Tcp_CR_Invalid' },
  Tcp_CR_Acked: { type: 'Tcp_CR_Acked' },
  TcpConnectionConfirmed: { type: 'TcpConnectionConfirmed' },
  TcpConnectionFails: { type: 'TcpConnectionFails', reason: { text: 'connection refused', errno: 'ECONNREFUSED' } },
  BGPOpen: { type: 'BGPOpen', open: openOf(local) },
  BGPOpen_with_DelayOpenTimer_running: { type: 'BGPOpen_with_DelayOpenTimer_running', open: openOf(local) },
  BGPHeaderErr: { type: 'BGPHeaderErr', fault: { text: 'bad marker', code: [1, 1], data: NOTHING } },
  BGPOpenMsgErr: { type: 'BGPOpenMsgErr', fault: { text: 'bad option', code: [2, 4], data: NOTHING } },
  OpenCollisionDump: { type: 'OpenCollisionDump' },
  NotifMsgVerErr: { type: 'NotifMsgVerErr', fault: { text: 'told', code: [2, 1], data: NOTHING } },
  NotifMsg: { type: 'NotifMsg', fault: { text: 'told', code: [3, 1], data: NOTHING } },
  KeepAliveMsg: { type: 'KeepAliveMsg' },
  UpdateMsg: { type: 'UpdateMsg', frame: new Uint8Array(23) },
  UpdateMsgErr: { type: 'UpdateMsgErr', fault: { text: 'bad list', code: [3, 1], data: NOTHING } },
  SendHoldTimer_Expires: { type: 'SendHoldTimer_Expires' },
  RouteRefreshMsg: {
    type: 'RouteRefreshMsg',
    refresh: { type: 'route-refresh', family: { afi: 1, safi: 1 }, subtype: 'request' },
  },
  ErrorForgetTimer_Expires: { type: 'ErrorForgetTimer_Expires' },
  SilenceTimer_Expires: { type: 'SilenceTimer_Expires' },
  SettingsChanged: { type: 'SettingsChanged', text: 'the settings of the peer changed' },
  BfdDown: { type: 'BfdDown', farewell: fault('bfdDown', 'BFD is down') },
};
