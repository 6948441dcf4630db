import { expect, test } from 'vitest';
import { PassScheduler } from '../../felix/pass-scheduler.ts';
import { FakeClock } from '../support/fake-clock.ts';

/** Passes that take `tookMs` each and end when the test turns the clock. */
function setUp(tookMs = 0) {
  const clock = new FakeClock();
  const starts: number[] = [];
  const scheduler = new PassScheduler(clock, () => {
    starts.push(clock.now());
    if (tookMs === 0) return Promise.resolve(undefined);
    return new Promise((resolve) => clock.after(tookMs, () => resolve(undefined)));
  });
  return { clock, starts, scheduler };
}

test('requests that come together are one pass, at the earliest time that one of them names', async () => {
  const { clock, starts, scheduler } = setUp();
  scheduler.request(50);
  scheduler.request(20);
  scheduler.request(90);
  await clock.advance(200);
  expect(starts).toEqual([20]);
});

test('what is asked during a pass gets a pass of its own, at once where it was quiet before', async () => {
  const { clock, starts, scheduler } = setUp(100);
  scheduler.ask();
  await clock.advance(50);
  scheduler.ask();
  await clock.advance(500);
  expect(starts).toEqual([0, 100]);
});

test('a flood has every second of two: from the second pass on each rests as long as the one before it took', async () => {
  const { clock, starts, scheduler } = setUp(100);
  for (let ms = 0; ms < 1000; ms += 10) {
    scheduler.request(10);
    await clock.advance(10);
  }
  expect(starts).toEqual([10, 110, 310, 510, 710, 910]);
});

test('a pass that wants the next one soon has to rest, too', async () => {
  const clock = new FakeClock();
  const starts: number[] = [];
  const scheduler: PassScheduler = new PassScheduler(clock, async () => {
    starts.push(clock.now());
    await new Promise<void>((resolve) => void clock.after(100, resolve));
    scheduler.request(20);
    return undefined;
  });
  scheduler.ask();
  await clock.advance(1000);
  expect(starts).toEqual([0, 120, 300, 500, 700, 900]);
});

test('after a quiet time as long as they took two passes may follow each other again', async () => {
  const { clock, starts, scheduler } = setUp(100);
  while (clock.now() < 1200) {
    scheduler.ask();
    await clock.advance(50);
    scheduler.ask();
    await clock.advance(350);
  }
  expect(starts).toEqual([0, 100, 400, 500, 800, 900]);
});

test('settled() waits for a pass that began after the last ask, and for no more', async () => {
  const { clock, scheduler } = setUp(100);
  const order: string[] = [];
  await scheduler.settled();
  scheduler.ask();
  void scheduler.settled().then(() => order.push(`first at ${clock.now()}`));
  await clock.advance(50);
  scheduler.ask();
  void scheduler.settled().then(() => order.push(`second at ${clock.now()}`));
  await clock.advance(500);
  expect(order).toEqual(['first at 100', 'second at 200']);
});

test('a pass can ask for the next one', async () => {
  const clock = new FakeClock();
  const starts: number[] = [];
  const scheduler = new PassScheduler(clock, () => Promise.resolve(starts.push(clock.now()) < 3 ? 1000 : undefined));
  scheduler.ask();
  await clock.advance(10_000);
  expect(starts).toEqual([0, 1000, 2000]);
});

test('close waits for the running pass, lets nobody wait for ever, and starts no other', async () => {
  const { clock, starts, scheduler } = setUp(100);
  scheduler.ask();
  await clock.advance(50);
  scheduler.ask();
  const settled = scheduler.settled();
  const closed = scheduler.close();
  await clock.advance(1000);
  await closed;
  await settled;
  expect(starts).toEqual([0]);
  expect(clock.pending).toBe(0);
});

test('ready() waits for the pass that runs and for the rest after it', async () => {
  const { clock, starts, scheduler } = setUp(100);
  const order: string[] = [];
  const tell = (): void => void scheduler.ready().then(() => order.push(`ready at ${clock.now()}`));
  tell();
  await clock.advance(0);
  scheduler.ask();
  await clock.advance(50);
  scheduler.ask();
  // The pass that follows has not begun then, and is one over whatever is new.
  tell();
  await clock.advance(100);
  tell();
  await clock.advance(500);
  expect(starts).toEqual([0, 100]);
  expect(order).toEqual(['ready at 0', 'ready at 100', 'ready at 300']);
});

test('ready() waits for nothing any more once the scheduler is closed', async () => {
  const { clock, scheduler } = setUp(100);
  scheduler.ask();
  await clock.advance(50);
  const ready = scheduler.ready();
  void scheduler.close();
  await clock.advance(100);
  await ready;
});
