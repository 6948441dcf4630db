import { describe, expect, test } from 'vitest';
import { IDLE, step } from '../../../bird/peer/fsm.ts';
import type { Effect, Event, State } from '../../../bird/peer/fsm.ts';
import type { LocalSettings } from '../../../bird/peer/negotiate.ts';
import { openOf } from '../../support/bgp.ts';
import { EVENTS, local, session, STATES } from '../../support/fsm-cases.ts';

/** The next state, and the NOTIFICATION that is sent, if any: `Idle 5/1`. */
function outcome(state: State, event: Event, settings: LocalSettings = local): string {
  const [next, effects] = step(state, event, settings);
  const sent = effects.find((effect) => effect.do === 'sendNotification');
  return sent === undefined ? next.name : `${next.name} ${sent.fault.code.join('/')}`;
}

const doing = (effects: readonly Effect[]): readonly string[] => effects.map((effect) => effect.do);

/** RFC 4271 §8.2.2 with RFC 6608 and RFC 9687; the rows that depart from it say so in fsm.ts. */
const TABLE: Readonly<Record<Event['type'], readonly [string, string, string, string, string, string]>> = {
  //                          Idle      Connect    Active     OpenSent       OpenConfirm    Established
  ManualStart: ['Connect', 'Connect', 'Active', 'OpenSent', 'OpenConfirm', 'Established'],
  ManualStop: ['Idle', 'Idle', 'Idle', 'Idle 6/3', 'Idle 6/3', 'Idle 6/3'],
  ConnectRetryTimer_Expires: ['Idle', 'Connect', 'Connect', 'Idle 5/1', 'Idle 5/2', 'Idle 5/3'],
  HoldTimer_Expires: ['Idle', 'Idle', 'Idle', 'Idle 4/0', 'Idle 4/0', 'Idle 4/0'],
  KeepaliveTimer_Expires: ['Idle', 'Idle', 'Idle', 'Idle 5/1', 'OpenConfirm', 'Established'],
  IdleHoldTimer_Expires: ['Connect', 'Idle', 'Idle', 'OpenSent', 'OpenConfirm', 'Established'],
  SendHoldTimer_Expires: ['Idle', 'Idle', 'Idle', 'Idle 8/0', 'Idle 8/0', 'Idle 8/0'],
  ErrorForgetTimer_Expires: ['Idle', 'Connect', 'Active', 'OpenSent', 'OpenConfirm', 'Established'],
  Tcp_CR_Acked: ['Idle', 'OpenSent', 'OpenSent', 'OpenSent', 'OpenConfirm', 'Established'],
  TcpConnectionConfirmed: ['Idle', 'OpenSent', 'OpenSent', 'OpenSent', 'OpenConfirm', 'Established'],
  TcpConnectionFails: ['Idle', 'Active', 'Active', 'Active', 'Active', 'Active'],
  BGPOpen: ['Idle', 'Idle', 'Idle', 'OpenConfirm', 'Idle 5/2', 'Idle 5/3'],
  BGPHeaderErr: ['Idle', 'Idle', 'Idle', 'Idle 1/1', 'Idle 1/1', 'Idle 1/1'],
  BGPOpenMsgErr: ['Idle', 'Idle', 'Idle', 'Idle 2/4', 'Idle 2/4', 'Idle 2/4'],
  UpdateMsgErr: ['Idle', 'Idle', 'Idle', 'Idle 3/1', 'Idle 3/1', 'Idle 3/1'],
  OpenCollisionDump: ['Idle', 'Idle', 'Idle', 'Idle 6/7', 'Idle 6/7', 'Idle 6/7'],
  NotifMsg: ['Idle', 'Idle', 'Idle', 'Idle', 'Idle', 'Idle'],
  KeepAliveMsg: ['Idle', 'Idle', 'Idle', 'Idle 5/1', 'Established', 'Established'],
  UpdateMsg: ['Idle', 'Idle', 'Idle', 'Idle 5/1', 'Idle 5/2', 'Established'],
  RouteRefreshMsg: ['Idle', 'Idle', 'Idle', 'Idle 5/1', 'Idle 5/2', 'Established'],
};

describe('every event in every state', () => {
  for (const [type, row] of Object.entries(TABLE)) {
    test(`${type}: ${row.join(', ')}`, () => {
      const event = EVENTS[type as Event['type']];
      expect(Object.values(STATES).map((state) => outcome(state, event))).toEqual(row);
    });
  }
});

test('a passive peer waits in Active and never dials', () => {
  const passive = { ...local, passive: true };
  expect(step(IDLE, EVENTS.ManualStart, passive)).toEqual([{ name: 'Active', failures: 0 }, []]);
  expect(outcome(STATES.Active, EVENTS.ConnectRetryTimer_Expires, passive)).toBe('Active');
  const [, effects] = step(STATES.Active, EVENTS.TcpConnectionFails, passive);
  expect(doing(effects)).not.toContain('startTimer');
});

test('a connection that stands is greeted with OPEN and a hold time of four minutes', () => {
  const [, effects] = step(STATES.Connect, EVENTS.Tcp_CR_Acked, local);
  expect(effects).toContainEqual({ do: 'sendOpen' });
  expect(effects).toContainEqual({ do: 'startTimer', timer: 'HoldTimer', seconds: 240, jitter: false });
});

test('OpenSent: an OPEN that is refused falls to Idle with its own code', () => {
  const open = { ...openOf(local), holdSeconds: 2 };
  expect(outcome(STATES.OpenSent, { type: 'BGPOpen', open })).toBe('Idle 2/6');
});

test('a negotiated hold time of zero starts neither the hold timer nor keepalives nor the send hold timer', () => {
  const open = { ...openOf(local), holdSeconds: 0 };
  const [confirm, first] = step(STATES.OpenSent, { type: 'BGPOpen', open }, local);
  const [up, second] = step(confirm, EVENTS.KeepAliveMsg, local);
  const [, third] = step(up, EVENTS.UpdateMsg, local);
  expect(up.name).toBe('Established');
  const timers = [...first, ...second, ...third].flatMap((effect) =>
    effect.do === 'startTimer' ? [effect.timer] : [],
  );
  expect(timers).toEqual(['ErrorForgetTimer']);
  expect(first).toContainEqual({ do: 'stopTimer', timer: 'HoldTimer' });
});

test('errors lengthen the wait by doubling up to the limit, and are forgotten after a quiet while', () => {
  const settings = { ...local, errorWaitSeconds: [5, 30] as const };
  const waits: number[] = [];
  let failures = 0;
  for (let round = 0; round < 5; round++) {
    const [next, effects] = step({ name: 'OpenSent', failures }, EVENTS.HoldTimer_Expires, settings);
    failures = next.failures;
    waits.push(...effects.flatMap((e) => (e.do === 'startTimer' && e.timer === 'IdleHoldTimer' ? [e.seconds] : [])));
  }
  expect(waits).toEqual([5, 10, 20, 30, 30]);
  const [quiet] = step({ name: 'Established', failures, session }, EVENTS.ErrorForgetTimer_Expires, settings);
  expect(quiet.failures).toBe(0);
});

test('a Cease that came is no error: the peer is tried again after the connect retry time', () => {
  const cease: Event = {
    type: 'NotifMsg',
    text: 'Cease',
    fault: { text: 'Cease', code: [6, 2], data: new Uint8Array() },
  };
  const [next, effects] = step(STATES.Established, cease, local);
  expect(next).toEqual({ name: 'Active', failures: 0 });
  expect(effects.at(-1)).toEqual({
    do: 'sessionDown',
    cause: 'notification',
    direction: 'received',
    code: 6,
    subcode: 2,
  });
});

describe('leaving Established says why, so that restarts can be told from the rest', () => {
  const lossOf = (event: Event): Effect | undefined => step(STATES.Established, event, local)[1].at(-1);
  const told = (direction: string, code: number, subcode: number) => ({
    do: 'sessionDown',
    cause: 'notification',
    direction,
    code,
    subcode,
  });
  test('TCP lost: connection', () =>
    expect(lossOf(EVENTS.TcpConnectionFails)).toEqual({ do: 'sessionDown', cause: 'connection' }));
  test('hold timer: hold', () =>
    expect(lossOf(EVENTS.HoldTimer_Expires)).toEqual({ do: 'sessionDown', cause: 'hold' }));
  test('a NOTIFICATION of theirs', () => expect(lossOf(EVENTS.NotifMsg)).toEqual(told('received', 3, 1)));
  test('a NOTIFICATION of ours', () => expect(lossOf(EVENTS.UpdateMsgErr)).toEqual(told('sent', 3, 1)));
  test('our own stop: stop', () => expect(lossOf(EVENTS.ManualStop)).toEqual({ do: 'sessionDown', cause: 'stop' }));
});

test('a NOTIFICATION is never answered with a NOTIFICATION', () => {
  for (const state of Object.values(STATES)) expect(outcome(state, EVENTS.NotifMsg)).not.toContain('/');
});

test('a stop without farewell hangs up without a word', () => {
  const [next, effects] = step(STATES.Established, { type: 'ManualStop' }, local);
  expect(next.name).toBe('Idle');
  expect(doing(effects)).toContain('disconnect');
  expect(doing(effects)).not.toContain('sendNotification');
});
