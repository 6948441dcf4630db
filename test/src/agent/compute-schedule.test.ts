import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { ComputeSchedule } from '../../../src/agent/compute-schedule.ts';
import { FakeClock } from '../../support/fake-clock.ts';

/** A computation of everything takes `tookMs` of the clock; felix is ready when the test says so. */
function setUp({ tookMs = 0 } = {}) {
  const clock = new FakeClock();
  const done: string[] = [];
  let now = 0;
  let isReady = Promise.resolve();
  const schedule = new ComputeSchedule({
    clock: { ...{ wallTime: () => 0, after: (ms, call) => clock.after(ms, call) }, now: () => clock.now() + now },
    all: () => {
      done.push('all');
      now += tookMs;
    },
    routes: () => done.push('routes'),
    ready: () => isReady,
  });
  const untilReady = (): (() => void) => {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    isReady = promise.then(() => undefined);
    return () => resolve(undefined);
  };
  const turns = async (): Promise<void> => {
    for (let i = 0; i < 5; i++) await nextTurn();
  };
  return { clock, done, schedule, untilReady, turns };
}

test('what is asked for in one turn of the event loop is one computation', async () => {
  const { done, schedule, turns } = setUp();
  schedule.ask();
  schedule.ask();
  await turns();
  expect(done).toEqual(['all']);
});

test('short computations follow each other without a pause, for a claim must be told at once', async () => {
  const { done, schedule, turns } = setUp({ tookMs: 4 });
  for (let i = 0; i < 3; i++) {
    schedule.ask();
    await turns();
  }
  expect(done).toEqual(['all', 'all', 'all']);
});

test('what nobody waits for is one computation with all that comes in 50 ms, or with one that is asked for before', async () => {
  const { clock, done, schedule, turns } = setUp();
  schedule.askSoon();
  await clock.advance(40);
  schedule.askSoon();
  await turns();
  expect(done).toEqual([]);
  await clock.advance(10);
  await turns();
  expect(done).toEqual(['all']);
  schedule.askSoon();
  schedule.ask();
  await turns();
  await clock.advance(100);
  await turns();
  expect(done).toEqual(['all', 'all']);
  schedule.askSoon();
  schedule.close();
  await clock.advance(100);
  await turns();
  expect(done).toEqual(['all', 'all']);
});

test('after a long one there is a rest as long as it took', async () => {
  const { clock, done, schedule, turns } = setUp({ tookMs: 100 });
  schedule.ask();
  await turns();
  schedule.ask();
  await clock.advance(99);
  await turns();
  expect(done).toEqual(['all']);
  await clock.advance(1);
  await turns();
  expect(done).toEqual(['all', 'all']);
});

test('routes that change while felix is busy are looked at once, when it is ready', async () => {
  const { done, schedule, untilReady, turns } = setUp();
  const ready = untilReady();
  for (let i = 0; i < 1000; i++) schedule.askRoutes();
  await turns();
  expect(done).toEqual([]);
  ready();
  await turns();
  expect(done).toEqual(['routes']);
});

test('routes that change after they were looked at are looked at again', async () => {
  const { done, schedule, turns } = setUp();
  schedule.askRoutes();
  await turns();
  schedule.askRoutes();
  await turns();
  expect(done).toEqual(['routes', 'routes']);
});

test('nothing is computed once it is closed', async () => {
  const { clock, done, schedule, turns } = setUp({ tookMs: 100 });
  schedule.ask();
  await turns();
  schedule.ask();
  schedule.askRoutes();
  schedule.close();
  await clock.advance(1000);
  await turns();
  expect(done).toEqual(['all']);
});
