import { fault } from '../../bird/peer/fault.ts';
import { IDLE } from '../../bird/peer/fsm.ts';
import type { Event, State } from '../../bird/peer/fsm.ts';
import { agreed, localSettings, openOf } from './bgp.ts';

export const local = localSettings();
export const session = agreed(local, openOf(local));

/** One of each state, with graceful restart agreed on. */
export const STATES: Readonly<Record<State['name'], State>> = {
  Idle: IDLE,
  Connect: { name: 'Connect', failures: 0 },
  Active: { name: 'Active', failures: 0 },
  OpenSent: { name: 'OpenSent', failures: 0 },
  OpenConfirm: { name: 'OpenConfirm', failures: 0, session },
  Established: { name: 'Established', failures: 0, session },
};

/** One of each event. */
export const EVENTS: Readonly<Record<Event['type'], Event>> = {
  ManualStart: { type: 'ManualStart' },
  ManualStop: { type: 'ManualStop', farewell: fault('peerDeconfigured', 'gone') },
  ConnectRetryTimer_Expires: { type: 'ConnectRetryTimer_Expires' },
  HoldTimer_Expires: { type: 'HoldTimer_Expires' },
  KeepaliveTimer_Expires: { type: 'KeepaliveTimer_Expires' },
  IdleHoldTimer_Expires: { type: 'IdleHoldTimer_Expires' },
  SendHoldTimer_Expires: { type: 'SendHoldTimer_Expires' },
  ErrorForgetTimer_Expires: { type: 'ErrorForgetTimer_Expires' },
  Tcp_CR_Acked: { type: 'Tcp_CR_Acked' },
  TcpConnectionConfirmed: { type: 'TcpConnectionConfirmed' },
  TcpConnectionFails: { type: 'TcpConnectionFails', reason: 'connection refused' },
  BGPOpen: { type: 'BGPOpen', open: openOf(local) },
  BGPHeaderErr: { type: 'BGPHeaderErr', fault: { text: 'bad marker', code: [1, 1], data: new Uint8Array() } },
  BGPOpenMsgErr: { type: 'BGPOpenMsgErr', fault: { text: 'bad option', code: [2, 4], data: new Uint8Array() } },
  UpdateMsgErr: { type: 'UpdateMsgErr', fault: { text: 'bad list', code: [3, 1], data: new Uint8Array() } },
  OpenCollisionDump: { type: 'OpenCollisionDump' },
  NotifMsg: { type: 'NotifMsg', text: 'told', fault: { text: 'told', code: [3, 1], data: new Uint8Array() } },
  KeepAliveMsg: { type: 'KeepAliveMsg' },
  UpdateMsg: { type: 'UpdateMsg', frame: new Uint8Array(23) },
  RouteRefreshMsg: {
    type: 'RouteRefreshMsg',
    refresh: { type: 'route-refresh', family: { afi: 1, safi: 1 }, subtype: 'request' },
  },
};
