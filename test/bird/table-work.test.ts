import { expect, test, vi } from 'vitest';
import { TableWork } from '../../bird/table-work.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { memoryLogger } from '../support/memory-logger.ts';

/** Tables with so many steps of a millisecond to settle, and what was asked of them by when. */
function workOf(steps: number) {
  const clock = new FakeClock();
  const { log, lines } = memoryLogger();
  const asked: string[] = [];
  let [left, spent] = [steps, 0];
  const ask = (what: string): void => void asked.push(`${clock.now()} ${what}`);
  const step = (what: string) => (): boolean => {
    ask(what);
    spent++;
    return --left > 0;
  };
  const routing = {
    settle: vi.fn(step('settle')),
    doChores: vi.fn(step('chores')),
    tell: vi.fn((leaveBehind: boolean) => {
      ask(leaveBehind ? 'leave behind' : 'tell');
      return { hasMore: false, waitingFor: 0 };
    }),
    isUntidy: false,
    tidy: vi.fn(() => false),
  };
  const isDeferring = vi.fn(() => false);
  const work = new TableWork({
    clock: { wallTime: () => 0, after: (ms, callback) => clock.after(ms, callback), now: () => clock.now() + spent },
    log,
    routing,
    isDeferring,
    settled: () => ask('settled'),
  });
  return { clock, work, routing, isDeferring, asked, lines };
}

const inTurns = (asked: readonly string[]): readonly string[] => asked.map((text) => text.replace(/^\d+ /, ''));

test('five milliseconds are selected in a turn, then what was selected is told, and the rest follows', async () => {
  const { clock, work, asked } = workOf(7);
  work.soon();
  work.soon();
  expect(asked).toEqual([]);
  await clock.advance(0);
  const five = Array<string>(5).fill('settle');
  expect(inTurns(asked)).toEqual([...five, 'tell', 'settle', 'settle', 'tell', 'settled']);
  expect(clock.pending).toBe(0);
});

test('while selection is deferred only what needs none is done', async () => {
  const { clock, work, isDeferring, asked } = workOf(1);
  isDeferring.mockReturnValue(true);
  work.soon();
  await clock.advance(0);
  expect(inTurns(asked)).toEqual(['chores', 'tell', 'settled']);
});

test('peers without room are waited for, once, and then left behind', async () => {
  const { clock, work, routing, asked } = workOf(1);
  routing.tell.mockReturnValueOnce({ hasMore: false, waitingFor: 1 });
  routing.tell.mockReturnValueOnce({ hasMore: false, waitingFor: 1 });
  work.slice();
  work.slice();
  expect(clock.pending).toBe(1);
  await clock.advance(1000);
  expect(asked.at(-1)).toBe('10 leave behind');
  expect(routing.tell.mock.calls).toEqual([[false], [false], [true]]);
});

test('what throws is logged, and the next in line has its turn', async () => {
  const { clock, work, routing, lines } = workOf(2);
  routing.settle.mockImplementationOnce(() => {
    throw new Error('a bug');
  });
  routing.tell.mockImplementationOnce(() => {
    throw new Error('another');
  });
  work.soon();
  await clock.advance(0);
  expect(lines.map(({ message }) => message)).toEqual([
    'a bug kept a route from being selected or told',
    'a bug kept a route from being told',
  ]);
  expect([routing.settle.mock.calls.length, routing.tell.mock.calls.length]).toEqual([4, 2]);
});

test('closed, it does nothing any more', async () => {
  const { clock, work, routing, asked } = workOf(9);
  routing.tell.mockReturnValueOnce({ hasMore: true, waitingFor: 1 });
  routing.isUntidy = true;
  work.slice();
  const before = asked.length;
  work.close();
  work.soon();
  await clock.advance(60_000);
  expect([asked.length, clock.pending]).toEqual([before, 0]);
});
