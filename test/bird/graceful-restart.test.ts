import { describe, expect, test } from 'vitest';
import { awaitedFrom, CONVERGED, DEFERRING, deferralStep, FRESH, helperStep } from '../../bird/graceful-restart.ts';
import type {
  DeferralEvent,
  HelperEffect,
  HelperEvent,
  HelperState,
  PeerRestart,
} from '../../bird/graceful-restart.ts';

const restart = (changes: Partial<PeerRestart> = {}): PeerRestart => ({
  restarting: false,
  restartSeconds: 120,
  families: [{ family: 4, forwardingPreserved: true }],
  sessionFamilies: [4],
  ...changes,
});

function play(
  events: readonly HelperEvent[],
  from: HelperState = FRESH,
): readonly [HelperState, readonly HelperEffect[]] {
  let state = from;
  let effects: readonly HelperEffect[] = [];
  for (const event of events) [state, effects] = helperStep(state, event);
  return [state, effects];
}

const LOST: HelperEvent = { type: 'sessionLost', cause: 'connection', restart: restart() };
const BACK: HelperEvent = { type: 'sessionUp', restart: restart({ restarting: true }) };
const END: HelperEvent = { type: 'endOfRib', family: 4 };
const NO_END: HelperEvent = { type: 'timerExpires', timer: 'endOfRib' };
const LATE: HelperEvent = { type: 'timerExpires', timer: 'window' };
const SWEEP: HelperEffect = { do: 'sweepStale', families: [4] };
const kinds = (effects: readonly HelperEffect[]): readonly string[] =>
  effects.map((effect) => ('timer' in effect ? `${effect.do} ${effect.timer}` : effect.do));

describe('a helper', () => {
  test('keeps routes as stale for the peer’s restart time when the connection broke', () => {
    expect(play([LOST])).toEqual([
      { name: 'waiting', families: [4], isAgain: false, byUs: false },
      [
        { do: 'flush', except: [4] },
        { do: 'markStale', families: [4] },
        { do: 'startTimer', timer: 'window', seconds: 120 },
      ],
    ]);
  });
  test.each(['error', 'stop'] as const)('drops everything at once after %s', (cause) => {
    const [state, effects] = play([{ type: 'sessionLost', cause, restart: restart() }]);
    expect(state).toEqual(FRESH);
    expect(effects).toContainEqual({ do: 'flush', except: [] });
  });
  test('drops everything of a peer without graceful restart, or with an empty list of families', () => {
    for (const none of [undefined, restart({ families: [] })]) {
      const [state, effects] = play([{ type: 'sessionLost', cause: 'connection', restart: none }]);
      expect(state).toEqual(FRESH);
      expect(effects).toContainEqual({ do: 'flush', except: [] });
    }
  });
  test('sweeps what is still stale at End-of-RIB', () => {
    expect(play([LOST, BACK, END])).toEqual([FRESH, [SWEEP, { do: 'stopTimers' }]]);
  });
  test('sweeps when the peer does not come back, or never says End-of-RIB', () => {
    expect(play([LOST, LATE])).toEqual([FRESH, [SWEEP, { do: 'stopTimers' }]]);
    expect(play([LOST, BACK, NO_END])).toEqual([FRESH, [SWEEP, { do: 'stopTimers' }]]);
  });
  test('gives a peer that is back more time for its End-of-RIB than its restart time', () => {
    expect(play([LOST, BACK])[1]).toEqual([{ do: 'startTimer', timer: 'endOfRib', seconds: 360 }]);
    const [state, effects] = play([LOST, BACK, LATE]);
    expect([state.name, effects]).toEqual(['syncing', []]);
  });
  test('drops at once what the new OPEN does not name, or names without F', () => {
    const lost = { family: 4, forwardingPreserved: false } as const;
    for (const families of [[], [lost]]) {
      const [state, effects] = play([LOST, { type: 'sessionUp', restart: restart({ families }) }]);
      expect(state).toEqual(FRESH);
      expect(effects).toContainEqual({ do: 'sweepStale', families: [4] });
    }
    expect(play([LOST, { type: 'sessionUp', restart: undefined }])[0]).toEqual(FRESH);
  });
  test('loses nothing when the peer restarts again before it is done', () => {
    const [state, effects] = play([LOST, BACK, LOST]);
    expect(state).toEqual({ name: 'waiting', families: [4], isAgain: true, byUs: false });
    expect(effects).toContainEqual({ do: 'flush', except: [4] });
    expect(kinds(effects)).not.toContain('sweepStale');
  });
  test('counts from the first loss: a peer that flaps without End-of-RIB wins no time', () => {
    const flaps = Array.from({ length: 10 }, () => [LOST, BACK]).flat();
    let state: HelperState = FRESH;
    const all: string[] = [];
    for (const event of flaps) {
      const [next, effects] = helperStep(state, event);
      state = next;
      all.push(...kinds(effects));
    }
    expect(all.filter((kind) => kind.startsWith('startTimer'))).toEqual(['startTimer window', 'startTimer endOfRib']);
    expect(play([LATE], state)).toEqual([FRESH, [SWEEP, { do: 'stopTimers' }]]);
    expect(play([LOST, LATE], state)).toEqual([FRESH, [SWEEP, { do: 'stopTimers' }]]);
  });
  test('sweeps what the second restart finds stale once the first one’s time is over, and counts anew for the rest', () => {
    const [state, effects] = play([LOST, BACK, LATE, LOST]);
    expect(state).toEqual({ name: 'waiting', families: [4], isAgain: false, byUs: false });
    expect(kinds(effects)).toEqual(['sweepStale', 'flush', 'markStale', 'stopTimer endOfRib', 'startTimer window']);
  });
  test('begins anew after an End-of-RIB', () => {
    expect(kinds(play([LOST, BACK, LOST, BACK, END, LOST])[1])).toContain('startTimer window');
  });
  test('treats families one by one', () => {
    const both = restart({
      families: [
        { family: 4, forwardingPreserved: true },
        { family: 6, forwardingPreserved: true },
      ],
    });
    const [state, effects] = play([{ ...LOST, restart: both }, { type: 'sessionUp', restart: both }, END]);
    expect(state).toMatchObject({ name: 'syncing', families: [6] });
    expect(effects).toEqual([{ do: 'sweepStale', families: [4] }]);
  });
  describe('whose own side hung up for a change of settings', () => {
    const helper = restart({ families: [], restartSeconds: 0 });
    const RESET: HelperEvent = { type: 'weReset', restart: helper, ourSeconds: 90 };
    test('keeps the routes of a peer that only helps too, for our restart time: it lost nothing', () => {
      const [state, effects] = play([RESET]);
      expect(effects).toContainEqual({ do: 'startTimer', timer: 'window', seconds: 90 });
      expect(play([{ type: 'sessionUp', restart: helper }], state)[0]).toMatchObject({
        name: 'syncing',
        families: [4],
      });
      expect(play([{ type: 'sessionUp', restart: helper }, END], state)[1]).toEqual([SWEEP, { do: 'stopTimers' }]);
    });
    test('drops them where the peer restarted meanwhile, or speaks no graceful restart any more', () => {
      for (const now of [restart({ families: [], restarting: true }), undefined]) {
        expect(play([RESET, { type: 'sessionUp', restart: now }])[1]).toEqual([SWEEP, { do: 'stopTimers' }]);
      }
    });
    test('gives a peer with a restart time of its own that time', () => {
      const [, effects] = play([{ type: 'weReset', restart: restart(), ourSeconds: 90 }]);
      expect(effects).toContainEqual({ do: 'startTimer', timer: 'window', seconds: 120 });
    });
  });
  test('thinks nothing of an End-of-RIB that it does not wait for', () => {
    expect(play([END])).toEqual([FRESH, []]);
  });
});

describe('a restarted speaker', () => {
  const KNOWN: readonly DeferralEvent[] = [{ type: 'originatedSet' }, { type: 'peersSet', peers: ['a', 'b'] }];
  const after = (...events: readonly DeferralEvent[]): string => events.reduce(deferralStep, DEFERRING).name;
  const up = (peer: string, r: PeerRestart | undefined = restart()): DeferralEvent => ({
    type: 'peerUp',
    peer,
    restart: r,
  });
  const end = (peer: string): DeferralEvent => ({ type: 'endOfRib', peer, family: 4 });

  test('waits for End-of-RIB of every peer', () => {
    expect(after(...KNOWN, up('a'), end('a'), up('b'))).toBe('deferring');
    expect(after(...KNOWN, up('a'), end('a'), up('b'), end('b'))).toBe('converged');
  });
  test('waits for nobody without graceful restart, nor for a peer that restarts itself', () => {
    expect(
      after(...KNOWN, { type: 'peerUp', peer: 'a', restart: undefined }, up('b', restart({ restarting: true }))),
    ).toBe('converged');
  });
  test('waits for a peer that only helps, in every family of the session, R bit or not', () => {
    // FRR 8.4 as a helper: no family in its capability, and the R bit for two minutes after its start.
    const helper = awaitedFrom(restart({ restarting: true, families: [] }), [4], 'RFC 4724');
    expect(after(...KNOWN, up('a', helper), up('b', helper), end('a'))).toBe('deferring');
    expect(after(...KNOWN, up('a', helper), up('b', helper), end('a'), end('b'))).toBe('converged');
    expect(awaitedFrom(restart({ restarting: true }), [4], 'RFC 4724')?.restarting).toBe(true);
    expect(awaitedFrom(undefined, [4], 'RFC 4724')).toBeUndefined();
  });
  test('waits for a peer that restarts too where its own End-of-RIB waits for nobody', () => {
    const other = awaitedFrom(restart({ restarting: true }), [4], 'everybody');
    expect(after(...KNOWN, up('a', other), up('b', other), end('a'))).toBe('deferring');
    expect(after(...KNOWN, up('a', other), up('b', other), end('a'), end('b'))).toBe('converged');
  });
  test('waits again for a peer that it lost', () => {
    expect(after(...KNOWN, up('a'), end('a'), { type: 'peerLost', peer: 'a' }, up('b'), end('b'))).toBe('deferring');
  });
  test('waits no longer for a peer that was removed', () => {
    expect(after(...KNOWN, up('a'), end('a'), { type: 'peersSet', peers: ['a'] })).toBe('converged');
  });
  test('waits until it knows its peers and its own routes', () => {
    expect(after({ type: 'originatedSet' })).toBe('deferring');
    expect(after({ type: 'peersSet', peers: [] })).toBe('deferring');
    expect(after({ type: 'peersSet', peers: [] }, { type: 'originatedSet' })).toBe('converged');
  });
  test('waits no longer than the deferral time, and never again', () => {
    expect(after({ type: 'timerExpires' })).toBe('converged');
    expect(deferralStep(CONVERGED, { type: 'peersSet', peers: ['c'] })).toBe(CONVERGED);
  });
});
