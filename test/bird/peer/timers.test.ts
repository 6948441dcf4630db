import { beforeEach, expect, test } from 'vitest';
import { Timers } from '../../../bird/peer/timers.ts';
import { FakeClock } from '../../support/fake-clock.ts';

/** Counts how often it is asked for a call. */
class CountingClock extends FakeClock {
  asked = 0;

  override after(ms: number, callback: () => void): () => void {
    this.asked++;
    return super.after(ms, callback);
  }
}

let clock: CountingClock;
let expired: string[];
let onExpiry: (timer: string) => void;
let timers: Timers;

beforeEach(() => {
  clock = new CountingClock();
  expired = [];
  onExpiry = () => undefined;
  timers = new Timers({
    clock,
    random: () => 0,
    hasBacklog: () => false,
    expired: (timer) => {
      expired.push(`${timer} at ${clock.now()}`);
      onExpiry(timer);
    },
  });
});

test('each expires once, at its own time', async () => {
  timers.start('ErrorForgetTimer', 5, false);
  timers.start('KeepaliveTimer', 4, true);
  timers.start('SilenceTimer', 4, false);
  await clock.advance(60_000);
  expect(expired).toEqual(['KeepaliveTimer at 3000', 'SilenceTimer at 4000', 'ErrorForgetTimer at 5000']);
  expect(clock.pending).toBe(0);
});

test('all of them wait in one call of the clock, and a deadline that moves away asks for none', () => {
  timers.start('KeepaliveTimer', 1, false);
  timers.start('SendHoldTimer', 120, false);
  for (let i = 0; i < 100; i++) timers.start('HoldTimer', 90 + i, false);
  expect([clock.asked, clock.pending]).toEqual([1, 1]);
});

test('a deadline that moves nearer is kept', async () => {
  timers.start('HoldTimer', 240, false);
  timers.start('HoldTimer', 9, false);
  await clock.advance(9000);
  expect(expired).toEqual(['HoldTimer at 9000']);
});

test('the hold timer counts from when its caller looked at the clock', async () => {
  timers.start('HoldTimer', 9, false);
  await clock.advance(4000);
  const lookedAt = clock.now();
  await clock.advance(2);
  timers.startHold(9, lookedAt);
  await clock.advance(60_000);
  expect(expired).toEqual(['HoldTimer at 13000']);
});

test('one that is stopped or started anew by another of the same moment does not expire', async () => {
  timers.start('KeepaliveTimer', 1, false);
  timers.start('SilenceTimer', 1, false);
  timers.start('ErrorForgetTimer', 1, false);
  onExpiry = (timer) => {
    if (timer !== 'KeepaliveTimer') return;
    timers.stop('SilenceTimer');
    timers.start('ErrorForgetTimer', 10, false);
  };
  await clock.advance(60_000);
  expect(expired).toEqual(['KeepaliveTimer at 1000', 'ErrorForgetTimer at 11000']);
});

test('nothing is left of those that are stopped', () => {
  timers.start('HoldTimer', 9, false);
  timers.start('KeepaliveTimer', 3, false);
  timers.stop('KeepaliveTimer');
  expect([timers.isRunning('HoldTimer'), timers.isRunning('KeepaliveTimer')]).toEqual([true, false]);
  timers.stop('HoldTimer');
  expect(clock.pending).toBe(0);
});

test('a wait that no clock can count to is waited for', async () => {
  timers.start('IdleHoldTimer', 3_000_000, false);
  await clock.advance(2_999_999_999);
  expect(expired).toEqual([]);
  await clock.advance(1);
  expect(expired).toEqual(['IdleHoldTimer at 3000000000']);
});
