/** Long walks through the state machine, with a driver's bookkeeping of timers and connections beside it. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { IDLE, step } from '../../../bird/peer/fsm.ts';
import type { Effect, Event, State } from '../../../bird/peer/fsm.ts';
import type { LocalSettings } from '../../../bird/peer/negotiate.ts';
import { EVENTS, local } from '../../support/fsm-cases.ts';

interface World {
  readonly state: State;
  readonly timers: ReadonlySet<string>;
  readonly hasConnection: boolean;
  /** sessionUp minus sessionDown. */
  readonly ups: number;
}

const AT_REST: World = { state: IDLE, timers: new Set(), hasConnection: false, ups: 0 };

function walk(world: World, event: Event, settings: LocalSettings): World {
  const [, timer] = /^(.*)_Expires$/.exec(event.type) ?? [];
  if (timer !== undefined && !world.timers.has(timer)) return world; // it does not run, so it does not expire
  const [state, effects] = step(world.state, event, settings);
  const timers = new Set([...world.timers].filter((name) => name !== timer));
  const hasConnection = world.hasConnection || event.type === 'TcpConnectionConfirmed';
  return effects.reduce(perform, { state, timers, hasConnection, ups: world.ups });
}

function perform(world: World, effect: Effect): World {
  switch (effect.do) {
    case 'startTimer':
      return { ...world, timers: new Set([...world.timers, effect.timer]) };
    case 'stopTimer':
      return { ...world, timers: new Set([...world.timers].filter((name) => name !== effect.timer)) };
    case 'connect':
      expect(world.hasConnection).toBe(false);
      return { ...world, hasConnection: true };
    case 'disconnect':
    case 'drop':
      return { ...world, hasConnection: false };
    case 'sendOpen':
    case 'sendKeepalive':
    case 'sendNotification':
      expect(world.hasConnection).toBe(true);
      return world;
    case 'sessionUp':
      return { ...world, ups: world.ups + 1 };
    case 'sessionDown':
      return { ...world, ups: world.ups - 1 };
    default:
      return world;
  }
}

/** What keeps each state from lasting for ever; undefined where an operator or the peer must act. */
function wayOut({ state }: World, { passive }: LocalSettings): readonly string[] | undefined {
  switch (state.name) {
    case 'Idle':
      return state.isHeld ? ['IdleHoldTimer'] : undefined;
    case 'Connect':
      return [state.isDelayingOpen ? 'DelayOpenTimer' : 'ConnectRetryTimer'];
    case 'Active':
      if (state.isDelayingOpen) return ['DelayOpenTimer'];
      return passive ? undefined : ['ConnectRetryTimer'];
    case 'OpenSent':
      return ['HoldTimer'];
    case 'OpenConfirm':
    case 'Established':
      return ['HoldTimer', 'KeepaliveTimer'];
  }
}

/** The timers that may run in each state; one that was left behind would end the next state as an FSM error. */
const AT_HOME: Readonly<Record<State['name'], readonly string[]>> = {
  Idle: ['IdleHoldTimer'],
  Connect: ['ConnectRetryTimer', 'DelayOpenTimer', 'SilenceTimer'],
  Active: ['ConnectRetryTimer', 'DelayOpenTimer'],
  OpenSent: ['HoldTimer', 'SilenceTimer'],
  OpenConfirm: ['HoldTimer', 'KeepaliveTimer'],
  Established: ['HoldTimer', 'KeepaliveTimer', 'SendHoldTimer', 'ErrorForgetTimer'],
};

/** What a healthy peer does next. */
function upward(state: State): Event {
  switch (state.name) {
    case 'Idle':
      return EVENTS.ManualStart;
    case 'Connect':
      return state.isDelayingOpen ? EVENTS.BGPOpen_with_DelayOpenTimer_running : EVENTS.Tcp_CR_Acked;
    case 'Active':
      return state.isDelayingOpen ? EVENTS.BGPOpen_with_DelayOpenTimer_running : EVENTS.TcpConnectionConfirmed;
    case 'OpenSent':
      return EVENTS.BGPOpen;
    case 'OpenConfirm':
      return EVENTS.KeepAliveMsg;
    case 'Established':
      return EVENTS.UpdateMsg;
  }
}

const CONNECTED: ReadonlySet<string> = new Set(['OpenSent', 'OpenConfirm', 'Established']);

/** Events that a driver posts with what it has: a peer that connects finds Active, messages come over a connection. */
function isPossible({ state, hasConnection }: World, { type }: Event): boolean {
  if (type === 'TcpConnectionConfirmed') return state.name === 'Active' && !hasConnection;
  if (type === 'Tcp_CR_Acked') return state.name === 'Connect' && hasConnection;
  return true;
}

test('wherever a walk leads, something will end the wait, no timer is left behind, a session is up once at most, and nothing is said without a connection', () => {
  const settings = fc.constantFrom<LocalSettings>(
    local,
    { ...local, passive: true },
    { ...local, delayOpenSeconds: 4 },
    { ...local, passive: true, delayOpenSeconds: 4, connectDelaySeconds: 2 },
    { ...local, connectDelaySeconds: 2 },
  );
  // Every other step leads up on average, or a walk would rarely come far.
  const steps = fc.array(fc.option(fc.constantFrom(...Object.values(EVENTS)), { freq: 2 }), { maxLength: 60 });
  const reached = new Set<string>();
  fc.assert(
    fc.property(settings, steps, (given, sequence) => {
      let world = AT_REST;
      for (const step of sequence) {
        const event = step ?? upward(world.state);
        if (!isPossible(world, event)) continue;
        world = walk(world, event, given);
        reached.add(world.state.name);
        const out = wayOut(world, given);
        for (const timer of out ?? []) expect([world.state.name, event.type, ...world.timers]).toContain(timer);
        expect([...world.timers].filter((timer) => !AT_HOME[world.state.name].includes(timer))).toEqual([]);
        expect(world.ups).toBe(world.state.name === 'Established' ? 1 : 0);
        if (CONNECTED.has(world.state.name)) expect(world.hasConnection).toBe(true);
        if (world.state.name === 'Idle') expect(world.hasConnection).toBe(false);
      }
    }),
    { numRuns: 500 },
  );
  expect([...reached].sort()).toEqual(['Active', 'Connect', 'Established', 'Idle', 'OpenConfirm', 'OpenSent']);
});
