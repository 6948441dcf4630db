import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { HealthListener } from '../../../src/agent/health-listener.ts';
import { memoryLogger } from '../../support/memory-logger.ts';

const host = '127.0.0.1';
let listener: HealthListener;

/** A port that was free a moment ago. */
async function freePort(keep = false): Promise<{ readonly port: number; readonly close: () => void }> {
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, host, resolve));
  const { port } = server.address() as AddressInfo;
  if (!keep) await new Promise((resolve) => void server.close(resolve));
  return { port, close: () => void server.close() };
}

const answers = (port: number, at = host): Promise<boolean> =>
  fetch(`http://${at}:${port}/liveness`).then(
    ({ ok }) => ok,
    () => false,
  );

beforeEach(() => {
  listener = new HealthListener({
    report: () => ({ live: true, ready: true, reporters: [] }),
    log: memoryLogger().log,
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
  taken.close();
});
