import { describe, expect, test } from 'vitest';
import { fault } from '../../../bird/peer/fault.ts';
import { IDLE, step } from '../../../bird/peer/fsm.ts';
import type { Effect, Event, State } from '../../../bird/peer/fsm.ts';
import type { LocalSettings } from '../../../bird/peer/negotiate.ts';
import { EVENT_NUMBERS, startEvent } from '../../../bird/peer/vocabulary.ts';
import { openOf } from '../../support/bgp.ts';
import { EVENTS, local, session, STATES } from '../../support/fsm-cases.ts';

/** The next state, `…` where it is still waiting for the peer's OPEN first, and the NOTIFICATION that is sent: `Idle 5/1`. */
function outcome(state: State, event: Event, settings: LocalSettings = local): string {
  const [next, effects] = step(state, event, settings);
  const sent = effects.find((effect) => effect.do === 'sendNotification');
  const delays = 'isDelayingOpen' in next && next.isDelayingOpen ? '…' : '';
  return `${next.name}${delays}${sent === undefined ? '' : ` ${sent.fault.code.join('/')}`}`;
}

const doing = (effects: readonly Effect[]): readonly string[] => effects.map((effect) => effect.do);

const starting = (effects: readonly Effect[], timer: string): readonly number[] =>
  effects.flatMap((effect) => (effect.do === 'startTimer' && effect.timer === timer ? [effect.seconds] : []));

const reports = (effects: readonly Effect[]): readonly string[] =>
  effects.flatMap((effect) => (effect.do === 'report' ? [`${effect.reason.kind}: ${effect.reason.text}`] : []));

type Row = readonly [string, string, string, string, string, string, string, string, string];

const started: Row = [
  'Connect',
  'Connect',
  'Connect',
  'Connect…',
  'Active',
  'Active…',
  'OpenSent',
  'OpenConfirm',
  'Established',
];
const ignored: Row = [
  'Idle',
  'Idle',
  ...(started.slice(2) as [string, string, string, string, string, string, string]),
];
const passively: Row = [
  'Active',
  'Active',
  ...(ignored.slice(2) as [string, string, string, string, string, string, string]),
];
const fsmError: Row = ['Idle', 'Idle', 'Idle', 'Idle', 'Idle', 'Idle', 'Idle 5/1', 'Idle 5/2', 'Idle 5/3'];
const heard: Row = ['Idle', 'Idle', 'Idle', 'Idle', 'Idle', 'Idle', 'Idle', 'Idle', 'Idle'];
const ending = (code: string): Row => ['Idle', 'Idle', 'Idle', 'Idle', 'Idle', 'Idle', code, code, code];
/** Different from `row` in these places. */
const but = (row: Row, places: Readonly<Record<number, string>>): Row =>
  row.map((name, i) => places[i] ?? name) as unknown as Row;

/**
 * RFC 4271 §8.2.2 with RFC 6608 and RFC 9687; the rows that depart from it say so in fsm.ts.
 * 0 Idle, 1 Idle and held, 2 Connect, 3 Connect and DelayOpen, 4 Active, 5 Active and DelayOpen, 6 OpenSent,
 * 7 OpenConfirm, 8 Established.
 */
const TABLE: Readonly<Record<Event['type'], Row>> = {
  ManualStart: started,
  ManualStop: ending('Idle 6/3'),
  AutomaticStart: started,
  ManualStart_with_PassiveTcpEstablishment: passively,
  AutomaticStart_with_PassiveTcpEstablishment: passively,
  AutomaticStart_with_DampPeerOscillations: but(started, { 1: 'Idle' }),
  AutomaticStart_with_DampPeerOscillations_and_PassiveTcpEstablishment: but(passively, { 1: 'Idle' }),
  AutomaticStop: ending('Idle 6/1'),
  ConnectRetryTimer_Expires: but(fsmError, { 2: 'Connect', 3: 'Connect', 4: 'Connect', 5: 'Active…' }),
  HoldTimer_Expires: ending('Idle 4/0'),
  KeepaliveTimer_Expires: but(fsmError, { 7: 'OpenConfirm', 8: 'Established' }),
  DelayOpenTimer_Expires: but(fsmError, { 2: 'Connect', 3: 'OpenSent', 4: 'Active', 5: 'OpenSent' }),
  IdleHoldTimer_Expires: but(fsmError, { 0: 'Connect', 1: 'Connect' }),
  TcpConnection_Valid: ignored,
  Tcp_CR_Invalid: ignored,
  Tcp_CR_Acked: but(ignored, { 2: 'OpenSent', 4: 'OpenSent' }),
  TcpConnectionConfirmed: but(ignored, { 2: 'OpenSent', 4: 'OpenSent' }),
  TcpConnectionFails: ['Idle', 'Idle', 'Active', 'Active', 'Active', 'Active', 'Active', 'Active', 'Active'],
  BGPOpen: but(fsmError, { 6: 'OpenConfirm', 7: 'OpenConfirm' }),
  BGPOpen_with_DelayOpenTimer_running: but(fsmError, { 3: 'OpenConfirm', 5: 'OpenConfirm' }),
  BGPHeaderErr: ending('Idle 1/1'),
  BGPOpenMsgErr: ending('Idle 2/4'),
  OpenCollisionDump: ending('Idle 6/7'),
  NotifMsgVerErr: heard,
  NotifMsg: heard,
  KeepAliveMsg: but(fsmError, { 7: 'Established', 8: 'Established' }),
  UpdateMsg: but(fsmError, { 8: 'Established' }),
  UpdateMsgErr: but(fsmError, { 8: 'Idle 3/1' }),
  SendHoldTimer_Expires: ending('Idle 8/0'),
  RouteRefreshMsg: but(fsmError, { 8: 'Established' }),
  ErrorForgetTimer_Expires: ignored,
  SilenceTimer_Expires: ignored,
  SettingsChanged: but(started, { 3: 'Connect', 4: 'Connect', 5: 'Connect', 6: 'Connect', 7: 'Connect', 8: 'Active' }),
  BfdDown: but(ignored, { 8: 'Active 6/10' }),
};

describe('every event in every state', () => {
  for (const [type, row] of Object.entries(TABLE)) {
    test(`${type}: ${row.join(', ')}`, () => {
      const event = EVENTS[type as Event['type']];
      expect(Object.values(STATES).map((state) => outcome(state, event))).toEqual(row);
    });
  }
  test('are all 28 of RFC 4271 §8.1, and the 29th of RFC 9687, each once', () => {
    const numbers = Object.values(EVENT_NUMBERS).filter((number) => number > 0);
    expect(numbers.sort((a, b) => a - b)).toEqual(Array.from({ length: 29 }, (_, i) => i + 1));
  });
});

describe('whatever happens wherever', () => {
  const all = Object.values(STATES).flatMap((state) => Object.values(EVENTS).map((event) => ({ state, event })));

  test('in Idle no connection and no timer is left but the IdleHoldTimer', () => {
    for (const { state, event } of all) {
      const [next, effects] = step(state, event, local);
      if (next.name !== 'Idle' || state.name === 'Idle') continue;
      expect(doing(effects).filter((what) => what === 'disconnect' || what === 'drop')).toHaveLength(1);
      const stopped = effects.flatMap((effect) => (effect.do === 'stopTimer' ? [effect.timer] : []));
      expect(new Set(stopped).size).toBe(8);
      expect(effects.flatMap((effect) => (effect.do === 'startTimer' ? [effect.timer] : []))).toEqual(
        next.isHeld ? ['IdleHoldTimer'] : [],
      );
    }
  });

  test('Established is told of when it begins and when it ends, and at no other time', () => {
    for (const { state, event } of all) {
      const [next, effects] = step(state, event, local);
      const told = doing(effects).filter((what) => what === 'sessionUp' || what === 'sessionDown');
      const was = state.name === 'Established';
      const is = next.name === 'Established';
      expect([state.name, event.type, told]).toEqual([
        state.name,
        event.type,
        was === is ? [] : [is ? 'sessionUp' : 'sessionDown'],
      ]);
    }
  });

  test('the end of a session is reported once, with the state that it left', () => {
    for (const { event } of all) {
      const [next, effects] = step(STATES.Established, event, local);
      const ends = effects.filter((effect) => effect.do === 'report');
      if (next.name === 'Established') expect(ends).toEqual([]);
      else expect(ends).toMatchObject([{ from: 'Established', to: next.name }]);
    }
  });
});

describe('a start', () => {
  test('of a passive peer waits in Active and never dials', () => {
    const passive = { ...local, passive: true };
    const [next, effects] = step(IDLE, startEvent('automatic', true), passive);
    expect(next).toEqual(STATES.Active);
    expect(doing(effects)).toEqual(['stopTimer']);
    expect(outcome(STATES.Active, EVENTS.ConnectRetryTimer_Expires, passive)).toBe('Active');
    const [, failing] = step(STATES.Active, EVENTS.TcpConnectionFails, passive);
    expect(doing(failing)).not.toContain('startTimer');
    expect(outcome(STATES['Idle, held'], EVENTS.IdleHoldTimer_Expires, passive)).toBe('Active');
  });

  test('with a connect delay waits for it in Active, where the peer may come first', () => {
    const delayed = { ...local, connectDelaySeconds: 2 };
    const [next, effects] = step(IDLE, startEvent('automatic', false), delayed);
    expect([next.name, starting(effects, 'ConnectRetryTimer')]).toEqual(['Active', [2]]);
    expect(outcome(next, EVENTS.ConnectRetryTimer_Expires, delayed)).toBe('Connect');
    expect(outcome(next, EVENTS.TcpConnectionConfirmed, delayed)).toBe('OpenSent');
  });

  test('by an operator does not wait: neither for the connect delay nor after errors, which it forgets', () => {
    const [next, effects] = step(STATES['Idle, held'], startEvent('manual', false), {
      ...local,
      connectDelaySeconds: 2,
    });
    expect(next).toEqual(STATES.Connect);
    expect(effects[0]).toEqual({ do: 'stopTimer', timer: 'IdleHoldTimer' });
  });
});

test('a connection that stands is greeted with OPEN and a hold time of four minutes', () => {
  const [, effects] = step(STATES.Connect, EVENTS.Tcp_CR_Acked, local);
  expect(effects).toContainEqual({ do: 'sendOpen' });
  expect(effects).toContainEqual({ do: 'startTimer', timer: 'HoldTimer', seconds: 240, jitter: false });
});

describe('DelayOpen', () => {
  const delaying = { ...local, delayOpenSeconds: 10 };

  test.each(['Connect', 'Active'] as const)(
    'in %s a connection that stands waits for the peer to speak first',
    (name) => {
      const [next, effects] = step(STATES[name], EVENTS.Tcp_CR_Acked, delaying);
      expect(next).toEqual(STATES[`${name}, DelayOpen`]);
      expect(starting(effects, 'DelayOpenTimer')).toEqual([10]);
      expect(doing(effects)).not.toContain('sendOpen');
      expect(effects).toContainEqual({ do: 'stopTimer', timer: 'ConnectRetryTimer' });
    },
  );

  test('is over when its timer expires: our OPEN goes out', () => {
    const [next, effects] = step(STATES['Connect, DelayOpen'], EVENTS.DelayOpenTimer_Expires, delaying);
    expect([next.name, starting(effects, 'HoldTimer')]).toEqual(['OpenSent', [240]]);
    expect(doing(effects)).toContain('sendOpen');
  });

  test('is over when the peer’s OPEN comes: ours goes out with the KEEPALIVE, and the negotiated hold time holds', () => {
    const [next, effects] = step(STATES['Active, DelayOpen'], EVENTS.BGPOpen_with_DelayOpenTimer_running, delaying);
    expect(next).toEqual(STATES.OpenConfirm);
    expect(doing(effects).filter((what) => what.startsWith('send'))).toEqual(['sendOpen', 'sendKeepalive']);
    expect(starting(effects, 'HoldTimer').at(-1)).toBe(90);
    expect(effects).toContainEqual({ do: 'stopTimer', timer: 'DelayOpenTimer' });
  });

  test('an OPEN that is refused is answered: first ours, then the NOTIFICATION', () => {
    const open = { ...openOf(local), holdSeconds: 2 };
    const event: Event = { type: 'BGPOpen_with_DelayOpenTimer_running', open };
    expect(outcome(STATES['Connect, DelayOpen'], event, delaying)).toBe('Idle 2/6');
    const [, effects] = step(STATES['Connect, DelayOpen'], event, delaying);
    expect(doing(effects).filter((what) => what.startsWith('send'))).toEqual(['sendOpen', 'sendNotification']);
  });

  test('a connection that is lost meanwhile is tried again after the connect retry time', () => {
    const [next, effects] = step(STATES['Connect, DelayOpen'], EVENTS.TcpConnectionFails, delaying);
    expect([next, starting(effects, 'ConnectRetryTimer')]).toEqual([STATES.Active, [5]]);
    expect(reports(effects)).toEqual(['connection lost: connection refused']);
  });

  test('a version error that comes meanwhile is no reason to wait longer each time', () => {
    const [next] = step(STATES['Connect, DelayOpen'], EVENTS.NotifMsgVerErr, delaying);
    expect(next).toEqual({ name: 'Idle', connectRetryCounter: 0, isHeld: true });
  });

  test('silence is no news while we ourselves wait', () => {
    expect(reports(step(STATES['Connect, DelayOpen'], EVENTS.SilenceTimer_Expires, delaying)[1])).toEqual([]);
  });
});

describe('silence is reported once, and nothing else happens', () => {
  test('of a host that does not answer our connection attempt', () => {
    const [, dialling] = step(IDLE, EVENTS.ManualStart, local);
    expect(starting(dialling, 'SilenceTimer')).toEqual([3]);
    const [next, effects] = step(STATES.Connect, EVENTS.SilenceTimer_Expires, local);
    expect([next, reports(effects)]).toEqual([
      STATES.Connect,
      ['silence: no answer to our connection attempt within 3 s'],
    ]);
    expect(effects).toHaveLength(1);
  });
  test('of a peer that says no OPEN', () => {
    const [, greeting] = step(STATES.Connect, EVENTS.Tcp_CR_Acked, local);
    expect(starting(greeting, 'SilenceTimer')).toEqual([3]);
    const [next, effects] = step(STATES.OpenSent, EVENTS.SilenceTimer_Expires, local);
    expect([next, reports(effects)]).toEqual([STATES.OpenSent, ['no OPEN: TCP stands, but no OPEN came within 3 s']]);
  });
  test('and its timer stops when the OPEN comes', () => {
    const [, effects] = step(STATES.OpenSent, EVENTS.BGPOpen, local);
    expect(effects).toContainEqual({ do: 'stopTimer', timer: 'SilenceTimer' });
  });
});

test('OpenSent: an OPEN that is refused falls to Idle with its own code', () => {
  const open = { ...openOf(local), holdSeconds: 2 };
  expect(outcome(STATES.OpenSent, { type: 'BGPOpen', open })).toBe('Idle 2/6');
});

test('a negotiated hold time of zero starts neither the hold timer nor keepalives nor the send hold timer', () => {
  const settings = { ...local, sendHoldSeconds: 300 };
  const open = { ...openOf(local), holdSeconds: 0 };
  const [confirm, first] = step(STATES.OpenSent, { type: 'BGPOpen', open }, settings);
  const [up, second] = step(confirm, EVENTS.KeepAliveMsg, settings);
  const [, third] = step(up, EVENTS.UpdateMsg, settings);
  expect(up.name).toBe('Established');
  const timers = [...first, ...second, ...third].flatMap((effect) =>
    effect.do === 'startTimer' ? [effect.timer] : [],
  );
  expect(timers).toEqual(['ErrorForgetTimer']);
  expect(first).toContainEqual({ do: 'stopTimer', timer: 'HoldTimer' });
});

describe('the send hold timer', () => {
  const seconds = (settings: LocalSettings): readonly number[] =>
    starting(step(STATES.OpenConfirm, EVENTS.KeepAliveMsg, settings)[1], 'SendHoldTimer');

  test('is twice the hold time and at least two minutes', () => {
    expect(seconds(local)).toEqual([180]);
    const short = { ...STATES.OpenConfirm, session: { ...session, holdSeconds: 9 } };
    expect(starting(step(short, EVENTS.KeepAliveMsg, local)[1], 'SendHoldTimer')).toEqual([120]);
  });
  test('is what was set, but longer than the hold time', () => {
    expect(seconds({ ...local, sendHoldSeconds: 100 })).toEqual([100]);
    expect(seconds({ ...local, sendHoldSeconds: 10 })).toEqual([91]);
  });
  test('on expiry drops TCP and waits for nothing', () => {
    const [, effects] = step(STATES.Established, EVENTS.SendHoldTimer_Expires, local);
    expect(doing(effects)).toContain('drop');
    expect(doing(effects)).not.toContain('disconnect');
  });
});

describe('errors', () => {
  test('lengthen the wait by doubling up to the limit, and are forgotten after a quiet while', () => {
    const settings = { ...local, errorWaitSeconds: [5, 30] as const };
    const waits: number[] = [];
    let connectRetryCounter = 0;
    for (let round = 0; round < 5; round++) {
      const [next, effects] = step({ name: 'OpenSent', connectRetryCounter }, EVENTS.HoldTimer_Expires, settings);
      connectRetryCounter = next.connectRetryCounter;
      waits.push(...starting(effects, 'IdleHoldTimer'));
    }
    expect(waits).toEqual([5, 10, 20, 30, 30]);
    const up: State = { name: 'Established', connectRetryCounter, session };
    expect(step(up, EVENTS.ErrorForgetTimer_Expires, settings)[0].connectRetryCounter).toBe(0);
    expect(step(up, EVENTS.ManualStop, settings)[0].connectRetryCounter).toBe(0);
  });

  test('a Cease that came is none: the peer is tried again after the connect retry time', () => {
    const cease: Event = { type: 'NotifMsg', fault: { text: 'Cease', code: [6, 2], data: new Uint8Array() } };
    const [next, effects] = step(STATES.Established, cease, local);
    expect(next).toEqual(STATES.Active);
    expect(starting(effects, 'ConnectRetryTimer')).toEqual([5]);
  });

  test('a NOTIFICATION about the version waits, but not longer each time', () => {
    const [next, effects] = step(STATES.OpenSent, EVENTS.NotifMsgVerErr, local);
    expect([next.connectRetryCounter, starting(effects, 'IdleHoldTimer')]).toEqual([0, [5]]);
  });

  test('what has no business in a state is named with its number', () => {
    const [, effects] = step(STATES.OpenSent, EVENTS.KeepAliveMsg, local);
    expect(reports(effects)).toEqual(['notification sent: KeepAliveMsg (Event 26) is not expected in OpenSent']);
  });
});

describe('an automatic stop', () => {
  const farewell = fault('maximumPrefixes', 'too many');
  test('comes back after the wait that it names', () => {
    const [next, effects] = step(STATES.Established, { type: 'AutomaticStop', farewell, waitSeconds: 600 }, local);
    expect([next.name, starting(effects, 'IdleHoldTimer')]).toEqual(['Idle', [600]]);
  });
  test('with an endless wait does not come back before an operator says so', () => {
    const [next, effects] = step(STATES.Established, { type: 'AutomaticStop', farewell, waitSeconds: Infinity }, local);
    expect(starting(effects, 'IdleHoldTimer')).toEqual([]);
    expect(outcome(next, startEvent('automatic', false))).toBe('Idle');
    expect(outcome(next, startEvent('manual', false))).toBe('Connect');
  });
});

describe('leaving Established says why', () => {
  const lossBy = (event: Event): unknown => {
    const [, effects] = step(STATES.Established, event, local);
    return effects.find((effect) => effect.do === 'sessionDown')?.loss;
  };
  const by = (direction: string, ...code: readonly number[]) => ({ notification: { direction, code } });

  test('TCP lost, or settings changed', () => {
    expect(lossBy(EVENTS.TcpConnectionFails)).toEqual({ cause: 'connection' });
    expect(lossBy(EVENTS.SettingsChanged)).toEqual({ cause: 'connection' });
  });
  test('hold timer', () => expect(lossBy(EVENTS.HoldTimer_Expires)).toEqual({ cause: 'hold', ...by('sent', 4, 0) }));
  test('send hold timer', () =>
    expect(lossBy(EVENTS.SendHoldTimer_Expires)).toEqual({ cause: 'error', ...by('sent', 8, 0) }));
  test('NOTIFICATION received', () =>
    expect(lossBy(EVENTS.NotifMsg)).toEqual({ cause: 'notification', ...by('received', 3, 1) }));
  test('NOTIFICATION sent', () =>
    expect(lossBy(EVENTS.UpdateMsgErr)).toEqual({ cause: 'notification', ...by('sent', 3, 1) }));
  test('prefix limit', () =>
    expect(lossBy(EVENTS.AutomaticStop)).toEqual({ cause: 'notification', ...by('sent', 6, 1) }));
  test('BFD', () => expect(lossBy(EVENTS.BfdDown)).toEqual({ cause: 'bfd', ...by('sent', 6, 10) }));
  test('our own stop, with and without a word', () => {
    expect(lossBy(EVENTS.ManualStop)).toEqual({ cause: 'stop', ...by('sent', 6, 3) });
    expect(lossBy({ type: 'ManualStop' })).toEqual({ cause: 'stop' });
  });
});

test('a NOTIFICATION is never answered with a NOTIFICATION', () => {
  for (const state of Object.values(STATES)) {
    for (const event of [EVENTS.NotifMsg, EVENTS.NotifMsgVerErr]) expect(outcome(state, event)).not.toContain('/');
  }
});

test('a stop without farewell hangs up without a word', () => {
  const [next, effects] = step(STATES.Established, { type: 'ManualStop' }, local);
  expect(next.name).toBe('Idle');
  expect(doing(effects)).toContain('disconnect');
  expect(doing(effects)).not.toContain('sendNotification');
});
