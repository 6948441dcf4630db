import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { TcpAnswers } from '../../../src/agent/tcp-answers.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { memoryLogger } from '../../support/memory-logger.ts';

const host = '127.0.0.1';
let answers: TcpAnswers;
let scrapes: number;
let fault: Error | undefined;
let lines: ReturnType<typeof memoryLogger>['lines'];

beforeEach(() => {
  scrapes = 0;
  fault = undefined;
  const memory = memoryLogger();
  lines = memory.lines;
  answers = new TcpAnswers({
    ...{ clock: new FakeClock(), log: memory.log },
    report: () => ({ live: true, ready: true, reporters: [] }),
    metrics: {
      scrape: (which) => {
        scrapes++;
        return fault === undefined
          ? Promise.resolve({ contentType: 'text/plain', text: JSON.stringify(which) })
          : Promise.reject(fault);
      },
    },
  });
});
afterEach(() => answers.close());

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, host, resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => void server.close(resolve));
  return port;
}

const metricsOf = async (port: number): Promise<string> => (await fetch(`http://${host}:${port}/metrics`)).text();

test('nothing is loaded for the metrics before somebody wants them', async () => {
  const port = await freePort();
  await answers.open({ metrics: { host, port, process: true, runtime: true } });
  expect(scrapes).toBe(0);
  await metricsOf(port);
  expect(scrapes).toBe(1);
});

test('a port of the metrics that is taken is told, and the probes are answered', async () => {
  const port = await freePort();
  await answers.open({ health: { host, port }, metrics: { host, port, process: true, runtime: true } });
  expect((await fetch(`http://${host}:${port}/liveness`)).status).toBe(200);
  expect(answers.problems()).toEqual([
    `the metrics are not answered as they should be: FELIX_PROMETHEUSMETRICSPORT = '${port}': is taken at ${host}: another program listens there`,
  ]);
  expect(lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
});

test('a port of the probes that is taken is an error', async () => {
  const port = await freePort();
  await answers.open({ metrics: { host, port, process: true, runtime: true } });
  const others = new TcpAnswers({
    ...{ clock: new FakeClock(), log: memoryLogger().log, report: () => ({ live: true, ready: true, reporters: [] }) },
    metrics: { scrape: () => Promise.reject(new Error('no')) },
  });
  await expect(others.open({ health: { host, port } })).rejects.toThrow(`FELIX_HEALTHPORT = '${port}': is taken`);
});

test('metrics that cannot be gathered are a 500, and an error in the log', async () => {
  const port = await freePort();
  fault = new Error('a bug');
  await answers.open({ metrics: { host, port, process: true, runtime: true } });
  expect((await fetch(`http://${host}:${port}/metrics`)).status).toBe(500);
  expect(lines.filter(({ level }) => level === 'error')).toMatchObject([{ fields: { error: fault } }]);
});

test('which metrics are told changes without a new listener', async () => {
  const port = await freePort();
  const metrics = { host, port, process: true, runtime: true };
  await answers.open({ metrics });
  expect(await metricsOf(port)).toBe(JSON.stringify({ host, port, process: true, runtime: true }));
  answers.change({ metrics: { ...metrics, process: false } });
  expect(await metricsOf(port)).toContain('"process":false');
  expect(scrapes).toBe(2);
});
