import { describe, expect, test } from 'vitest';
import { FRESH, helperStep } from '../../../bird/graceful-restart/helper.ts';
import type { HelperEffect, HelperEvent, HelperState, Keep } from '../../../bird/graceful-restart/helper.ts';
import type { FamilyRestart } from '../../../bird/graceful-restart/peer-restart.ts';

const KEEP: Keep = { restartSeconds: 120, longLivedSeconds: 0, byUs: false };
const LONG: Keep = { ...KEEP, longLivedSeconds: 3600 };
const NOW: FamilyRestart = {
  family: 4,
  restartSeconds: 120,
  forwardingPreserved: true,
  longLivedSeconds: 0,
  longLivedPreserved: false,
};
const LONG_NOW: FamilyRestart = { ...NOW, longLivedSeconds: 3600, longLivedPreserved: true };

const LOST: HelperEvent = { type: 'lost', keep: KEEP };
const BACK: HelperEvent = { type: 'back', restarting: true, now: NOW };
const END: HelperEvent = { type: 'endOfRib' };
const LATE: HelperEvent = { type: 'timerExpires', timer: 'restart' };
const NO_END: HelperEvent = { type: 'timerExpires', timer: 'endOfRib' };
const LONG_LOST: HelperEvent = { type: 'lost', keep: LONG };
const LONG_BACK: HelperEvent = { type: 'back', restarting: true, now: LONG_NOW };
const LONG_LATE: HelperEvent = { type: 'timerExpires', timer: 'longLived' };

/** An effect in words: `start restart 120`, `sweepStale`. */
const words = (effects: readonly HelperEffect[]): readonly string[] =>
  effects.map((effect) => {
    if (effect.do === 'startTimer') return `start ${effect.timer} ${effect.seconds}`;
    return effect.do === 'stopTimer' ? `stop ${effect.timer}` : effect.do;
  });

/** The state after all, and what the last event did. */
function play(events: readonly HelperEvent[], from = FRESH): readonly [string, readonly string[], HelperState] {
  let state = from;
  let effects: readonly HelperEffect[] = [];
  for (const event of events) [state, effects] = helperStep(state, event);
  return [state.name, words(effects), state];
}

const GONE = ['fresh', ['sweepStale', 'stopTimers'], FRESH];

describe('a helper', () => {
  test('keeps routes as stale for the peer’s restart time', () => {
    expect(play([LOST]).slice(0, 2)).toEqual(['waiting', ['markStale', 'start restart 120']]);
  });
  test('drops everything at once where nothing may be kept, or for no time', () => {
    expect(play([{ type: 'lost' }])).toEqual(['fresh', ['flush'], FRESH]);
    expect(play([{ type: 'lost', keep: { ...KEEP, restartSeconds: 0 } }])).toEqual(['fresh', ['flush'], FRESH]);
    for (const before of [[LOST], [LOST, BACK], [LONG_LOST, LATE]]) {
      expect(play([...before, { type: 'lost' }])).toEqual(['fresh', ['flush', 'stopTimers'], FRESH]);
    }
  });
  test('sweeps what is still stale at End-of-RIB', () => {
    expect(play([LOST, BACK, END])).toEqual(GONE);
  });
  test('sweeps when the peer does not come back, or never says End-of-RIB', () => {
    expect(play([LOST, LATE])).toEqual(GONE);
    expect(play([LOST, BACK, NO_END])).toEqual(GONE);
  });
  test('gives a peer that is back more time for its End-of-RIB than its restart time', () => {
    expect(play([LOST, BACK]).slice(0, 2)).toEqual(['syncing', ['start endOfRib 360']]);
    expect(play([LOST, BACK, LATE]).slice(0, 2)).toEqual(['syncing', []]);
  });
  test('drops at once what the new OPEN does not name, or names without F', () => {
    expect(play([LOST, { type: 'back', restarting: true }])).toEqual(GONE);
    expect(play([LOST, { type: 'back', restarting: true, now: { ...NOW, forwardingPreserved: false } }])).toEqual(GONE);
  });
  test('loses nothing when the peer restarts again before it is done', () => {
    const [name, effects, state] = play([LOST, BACK, LOST]);
    expect([name, effects]).toEqual(['waiting', ['markStale', 'stop endOfRib']]);
    expect(state).toMatchObject({ isAgain: true });
  });
  test('counts from the first loss: a peer that flaps without End-of-RIB wins no time', () => {
    const flaps = Array.from({ length: 10 }, () => [LOST, BACK]).flat();
    const starts = flaps.flatMap((_, i) => play(flaps.slice(0, i + 1))[1].filter((word) => word.startsWith('start ')));
    expect(starts).toEqual(['start restart 120', 'start endOfRib 360']);
    expect(play([...flaps, LATE])).toEqual(GONE);
    expect(play([...flaps, LOST, LATE])).toEqual(GONE);
  });
  test('sweeps what the second restart finds stale once the first one’s time is over, and counts anew for the rest', () => {
    const [name, effects, state] = play([LOST, BACK, LATE, LOST]);
    expect([name, effects]).toEqual(['waiting', ['sweepStale', 'stop endOfRib', 'markStale', 'start restart 120']]);
    expect(state).toMatchObject({ isAgain: false });
  });
  test('begins anew after an End-of-RIB', () => {
    expect(play([LOST, BACK, LOST, BACK, END, LOST])[1]).toEqual(['markStale', 'start restart 120']);
  });
  test('thinks nothing of an End-of-RIB that it does not wait for', () => {
    expect(play([END])).toEqual(['fresh', [], FRESH]);
    expect(play([LOST, END]).slice(0, 2)).toEqual(['waiting', []]);
  });

  describe('whose own side hung up for a change of settings', () => {
    const RESET: HelperEvent = { type: 'lost', keep: { ...KEEP, byUs: true } };
    const unlisted: FamilyRestart = { ...NOW, restartSeconds: 0, forwardingPreserved: false };
    test('keeps the routes of a peer that only helps too: it lost nothing', () => {
      expect(play([RESET, { type: 'back', restarting: false, now: unlisted }])[0]).toBe('syncing');
    });
    test('drops them where the peer restarted meanwhile, or speaks no graceful restart any more', () => {
      expect(play([RESET, { type: 'back', restarting: true, now: unlisted }])).toEqual(GONE);
      expect(play([RESET, { type: 'back', restarting: false }])).toEqual(GONE);
    });
  });
});

describe('a long-lived helper', () => {
  test('keeps routes for the long-lived time after the restart time', () => {
    expect(play([LONG_LOST, LATE]).slice(0, 2)).toEqual(['longLived', ['startLongLived', 'start longLived 3600']]);
    expect(play([LONG_LOST, LATE, LONG_LATE])).toEqual(GONE);
  });
  test('begins at once where the restart time is zero', () => {
    expect(play([{ type: 'lost', keep: { ...LONG, restartSeconds: 0 } }]).slice(0, 2)).toEqual([
      'longLived',
      ['markStale', 'startLongLived', 'start longLived 3600'],
    ]);
  });
  test('sweeps what is still stale at the End-of-RIB of a peer that is back', () => {
    expect(play([LONG_LOST, LATE, LONG_BACK]).slice(0, 2)).toEqual(['longLived', ['start endOfRib 360']]);
    expect(play([LONG_LOST, LATE, LONG_BACK, END])).toEqual(GONE);
    expect(play([LONG_LOST, LATE, LONG_BACK, NO_END])).toEqual(GONE);
  });
  test('drops everything where the new OPEN lacks the family or its F bit, whatever the plain capability says', () => {
    expect(play([LONG_LOST, LATE, BACK])).toEqual(GONE);
    const lost: FamilyRestart = { ...LONG_NOW, longLivedPreserved: false };
    expect(play([LONG_LOST, LATE, { type: 'back', restarting: true, now: lost }])).toEqual(GONE);
  });
  test('goes by the plain F bit before the long-lived time has begun', () => {
    expect(play([LONG_LOST, BACK])[0]).toBe('syncing');
    expect(play([LONG_LOST, BACK, LOST, LATE])).toEqual(GONE);
  });
  test('neither stops nor prolongs the long-lived time when the peer comes and goes', () => {
    const [name, effects] = play([LONG_LOST, LATE, LONG_BACK, LONG_LOST]);
    expect([name, effects]).toEqual(['longLived', ['markStale', 'stop endOfRib', 'start restart 120']]);
    expect(play([LONG_LOST, LATE, LONG_BACK, LONG_LOST, LONG_LATE])).toEqual(GONE);
  });
  test('gives what a short session told the restart time of its own before it is long-lived too', () => {
    const again = [LONG_LOST, LATE, LONG_BACK, LONG_LOST];
    expect(play([...again, LATE]).slice(0, 2)).toEqual(['longLived', ['startLongLived']]);
    expect(play([...again.slice(0, 3), { type: 'lost', keep: { ...LONG, restartSeconds: 0 } }])[1]).toEqual([
      'markStale',
      'stop endOfRib',
      'startLongLived',
    ]);
  });
  test('sweeps when the time ends while the peer tells its routes, and then keeps nothing of another loss', () => {
    const overdue = [LONG_LOST, LATE, LONG_BACK, LONG_LATE];
    expect(play(overdue).slice(0, 2)).toEqual(['overdue', ['sweepStale', 'stopTimers']]);
    expect(play([...overdue, LONG_LOST])).toEqual(['fresh', ['flush'], FRESH]);
    expect(play([...overdue, END, LONG_LOST])[0]).toBe('waiting');
  });
  test('loses nothing when the peer is lost again after the restart time, and gives it no third one', () => {
    const [name, effects, state] = play([LONG_LOST, LONG_BACK, LATE, LONG_LOST]);
    expect([name, effects]).toEqual(['waiting', ['stop endOfRib', 'markStale', 'start restart 120']]);
    expect(state).toMatchObject({ isAgain: true });
    expect(play([LONG_BACK, LATE], state).slice(0, 2)).toEqual([
      'longLived',
      ['startLongLived', 'start longLived 3600', 'start endOfRib 360'],
    ]);
  });
});
