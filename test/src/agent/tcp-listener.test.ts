import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { TcpListener } from '../../../src/agent/tcp-listener.ts';
import { startHealthServer } from '../../../src/api/health-server.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { memoryLogger } from '../../support/memory-logger.ts';

const host = '127.0.0.1';
let listener: TcpListener;
let clock: FakeClock;
let lines: ReturnType<typeof memoryLogger>['lines'];

/** A port that was free a moment ago. */
async function freePort(keep = false): Promise<{ readonly port: number; readonly close: () => Promise<void> }> {
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, host, resolve));
  const { port } = server.address() as AddressInfo;
  const close = (): Promise<void> => new Promise((resolve) => void server.close(() => resolve()));
  if (!keep) await close();
  return { port, close };
}

const answers = (port: number, at = host): Promise<boolean> =>
  fetch(`http://${at}:${port}/liveness`).then(
    ({ ok }) => ok,
    () => false,
  );

beforeEach(() => {
  clock = new FakeClock();
  const memory = memoryLogger();
  lines = memory.lines;
  listener = new TcpListener({
    ...{ what: 'the probes', clock, log: memory.log },
    start: (place) => startHealthServer(place, () => ({ live: true, ready: true, reporters: [] })),
  });
});
afterEach(() => listener.close());

test('moves to another port, to another address of the same port, and away', async () => {
  const [{ port }, other] = [await freePort(), await freePort()];
  await listener.open({ host, port });
  listener.change({ host, port: other.port });
  await listener.settled();
  expect([await answers(port), await answers(other.port)]).toEqual([false, true]);
  listener.change({ host: '0.0.0.0', port: other.port });
  await listener.settled();
  expect(await answers(other.port, '127.0.0.2')).toBe(true);
  listener.change(undefined);
  await listener.settled();
  expect(await answers(other.port)).toBe(false);
  expect(listener.problem()).toBeUndefined();
});

test('where it cannot listen it goes on where it did, and says so until it is told another place', async () => {
  const [{ port }, taken] = [await freePort(), await freePort(true)];
  await listener.open({ host, port });
  listener.change({ host, port: taken.port });
  await listener.settled();
  expect(await answers(port)).toBe(true);
  expect(listener.problem()).toMatch(/FELIX_HEALTHPORT = '\d+': is taken at 127\.0\.0\.1/);
  listener.change({ host: '192.0.2.1', port });
  await listener.settled();
  expect(await answers(port)).toBe(true);
  expect(listener.problem()).toMatch(/FELIX_HEALTHHOST = '192\.0\.2\.1'/);
  listener.change({ host, port });
  await listener.settled();
  expect(await answers(port)).toBe(true);
  expect(listener.problem()).toBeUndefined();
  await taken.close();
});

test('a port that is taken at the start is told once, tried again, and listened on when it is free', async () => {
  const taken = await freePort(true);
  listener.change({ host, port: taken.port });
  await listener.settled();
  expect(listener.problem()).toMatch(/^the probes are not answered as they should be: FELIX_HEALTHPORT/);
  await clock.advance(30_000);
  await listener.settled();
  expect(lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
  await taken.close();
  await clock.advance(10_000);
  await listener.settled();
  expect(await answers(taken.port)).toBe(true);
  expect(listener.problem()).toBeUndefined();
});

test('what is not wanted any more is not tried again', async () => {
  const taken = await freePort(true);
  // The second is told before the first has failed.
  listener.change({ host, port: taken.port });
  listener.change(undefined);
  await listener.settled();
  await taken.close();
  await clock.advance(60_000);
  await listener.settled();
  expect(await answers(taken.port)).toBe(false);
  expect(listener.problem()).toBeUndefined();
});
