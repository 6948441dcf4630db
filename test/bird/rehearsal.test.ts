import { afterEach, expect, test, vi } from 'vitest';
import { rehearse } from '../../bird/index.ts';
import type { Transport } from '../../bird/peer/transport.ts';
import { SESSIONS } from '../../bird/rehearsal/sessions.ts';
import { playTables } from '../../bird/rehearsal/tables.ts';
import { UpdateReader } from '../../bird/rib/update-reader.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { memoryLogger } from '../support/memory-logger.ts';
import { MemoryNetwork } from '../support/memory-transport.ts';

afterEach(() => vi.restoreAllMocks());

/** Looking at it takes a millisecond; each turn is asked for. */
function turns(): { readonly clock: Clock; readonly turn: () => boolean } {
  let now = 0;
  let due: (() => void) | undefined;
  const clock: Clock = {
    now: () => (now += 1),
    wallTime: () => 0,
    after: (_, callback) => {
      due = callback;
      return () => (due = undefined);
    },
  };
  return {
    clock,
    turn: () => {
      const callback = due;
      due = undefined;
      callback?.();
      return callback !== undefined;
    },
  };
}

test('plays messages that are in order, in both families, some in each turn, until the last', () => {
  const read = vi.spyOn(UpdateReader.prototype, 'read');
  const { clock, turn } = turns();
  const over = vi.fn();
  playTables(clock, [4, 6], over);
  expect(read).not.toHaveBeenCalled();
  let longest = 0;
  for (let before = 0; turn(); before = read.mock.calls.length) {
    longest = Math.max(longest, read.mock.calls.length - before);
  }
  expect(over).toHaveBeenCalledOnce();
  expect(longest).toBeLessThan(1000);
  expect(read).toHaveBeenCalledTimes(2 * (2 * 1500 + 750 + 375));
  expect(new Set(read.mock.results.map(({ value }) => JSON.stringify(value)))).toEqual(new Set(['{}']));
});

test('tables end where nobody needs them any more', () => {
  const read = vi.spyOn(UpdateReader.prototype, 'read');
  const { clock, turn } = turns();
  playTables(clock, [4], () => undefined)();
  expect(turn()).toBe(false);
  expect(read).not.toHaveBeenCalled();
});

/** A rehearsal whose loopback is in memory. Port 0 is there to be called, too. */
function rehearsal(change: (transport: Transport) => Partial<Transport> = () => ({})) {
  const clock = new FakeClock();
  const network = new MemoryNetwork(clock);
  const { log, lines } = memoryLogger();
  const over = vi.fn();
  const loopback = network.host('127.0.0.1');
  const listeners: { readonly address: string; readonly port: number }[] = [];
  const transport: Transport = {
    ...loopback,
    listen: async (at, accept) => {
      const listener = await loopback.listen(at, accept);
      listeners.push(at);
      return {
        ...listener,
        close: () => {
          listeners.splice(listeners.indexOf(at), 1);
          return listener.close();
        },
      };
    },
  };
  const world = { clock, random: () => 0.5, log, transport: { ...transport, ...change(transport) } };
  const count = (event: string): number => lines.filter(({ message }) => message.includes(event)).length;
  return { clock, over, listeners, count, world };
}

test('plays sessions until each step was taken often, and leaves no socket and no timer', async () => {
  const read = vi.spyOn(UpdateReader.prototype, 'read');
  const { clock, over, listeners, count, world } = rehearsal();
  rehearse(world, [4, 6], over);
  await clock.advance(0);
  expect(over).toHaveBeenCalledOnce();
  expect(count(' Up')).toBeGreaterThanOrEqual(SESSIONS);
  expect(count('bug')).toBe(0);
  const marks = read.mock.results.flatMap(({ value }) => (value as { endOfRib?: number }).endOfRib ?? []);
  expect(marks.length).toBeGreaterThanOrEqual(2 * SESSIONS);
  expect(listeners).toEqual([]);
  expect(clock.pending).toBe(0);
});

test('listens on the loopback, on a port that the kernel picks', async () => {
  const { clock, listeners, world } = rehearsal();
  const end = rehearse(world, [4], () => undefined);
  await vi.waitFor(() => expect(listeners).toHaveLength(1));
  expect(listeners).toMatchObject([{ address: '127.0.0.1', port: 0 }]);
  end();
  await clock.advance(0);
});

test('ends where nobody needs it any more: nothing is over, and nothing is left', async () => {
  const { clock, over, listeners, world } = rehearsal();
  const end = rehearse(world, [4], over);
  await vi.waitFor(() => expect(listeners).toHaveLength(1));
  end();
  await clock.advance(60_000);
  expect(listeners).toEqual([]);
  expect(clock.pending).toBe(0);
  expect(over).not.toHaveBeenCalled();
});

test('ends for good also while the sessions are being closed', async () => {
  const closing = Promise.withResolvers<undefined>();
  const silent = new MemoryNetwork(new FakeClock()).host('127.0.0.1');
  const { clock, over, listeners, world } = rehearsal((transport) => ({
    listen: async (at, accept) => {
      const listener = await transport.listen(at, accept);
      return { ...listener, close: () => closing.promise.then(() => listener.close()) };
    },
    connect: (target) => silent.connect(target),
  }));
  const end = rehearse(world, [4], over);
  await clock.advance(3000);
  expect(listeners).toHaveLength(1);
  end();
  closing.resolve(undefined);
  await clock.advance(60_000);
  expect([listeners.length, clock.pending, over.mock.calls.length]).toEqual([0, 0, 0]);
});

test('goes on to the tables where it may not listen', async () => {
  const read = vi.spyOn(UpdateReader.prototype, 'read');
  const { clock, over, count, world } = rehearsal(() => ({ listen: () => Promise.reject(new Error('no loopback')) }));
  rehearse(world, [4], over);
  await clock.advance(0);
  expect(over).toHaveBeenCalledOnce();
  expect(count(' Up')).toBe(0);
  expect(read).toHaveBeenCalled();
  expect(clock.pending).toBe(0);
});

test('goes on to the tables where a socket cannot be closed', async () => {
  const { clock, over, world } = rehearsal((transport) => ({
    listen: async (at, accept) => ({
      ...(await transport.listen(at, accept)),
      close: () => Promise.reject(new Error('a bug')),
    }),
  }));
  rehearse(world, [4], over);
  await clock.advance(0);
  expect(over).toHaveBeenCalledOnce();
});

test('waits some seconds for a loopback that is silent, and no longer', async () => {
  const network = new MemoryNetwork(new FakeClock());
  const { clock, over, listeners, world } = rehearsal(() => ({
    connect: (target) => network.host('127.0.0.1').connect(target),
  }));
  rehearse(world, [4], over);
  await clock.advance(2999);
  expect(over).not.toHaveBeenCalled();
  await clock.advance(1);
  expect(over).toHaveBeenCalledOnce();
  expect(listeners).toEqual([]);
  expect(clock.pending).toBe(0);
});
