import { afterEach, expect, test } from 'vitest';
import { shared, startMetricsServer } from '../../../src/api/metrics-server.ts';
import type { Exposition } from '../../../src/api/metrics-server.ts';
import type { ApiServer } from '../../../src/api/server.ts';

const servers: ApiServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

const contentType = 'text/plain; version=0.0.4; charset=utf-8';
async function start(scrape: () => Promise<Exposition>): Promise<string> {
  const server = await startMetricsServer({ host: '127.0.0.1', port: 0 }, scrape);
  servers.push(server);
  return `http://127.0.0.1:${server.port}`;
}

test('/metrics has the text and its type, and nothing else is there', async () => {
  const url = await start(() => Promise.resolve({ contentType, text: 'a 1\n' }));
  const answer = await fetch(`${url}/metrics`);
  expect([answer.status, answer.headers.get('content-type'), await answer.text()]).toEqual([200, contentType, 'a 1\n']);
  expect((await fetch(`${url}/`)).status).toBe(404);
  expect((await fetch(`${url}/metrics`, { method: 'POST' })).status).toBe(404);
});

test('who asks while an answer is being made gets the same; the next one is made anew', async () => {
  const gates = [Promise.withResolvers<string>(), Promise.withResolvers<string>()];
  let made = 0;
  const ask = shared(() => gates[made++]!.promise);
  const [first, second] = [ask(), ask()];
  gates[0]!.resolve('a 1');
  expect(await Promise.all([first, second])).toEqual(['a 1', 'a 1']);
  gates[1]!.resolve('a 2');
  expect(await ask()).toBe('a 2');
});

test('an answer that fails is a 500, and the next one is tried', async () => {
  let made = 0;
  const url = await start(() =>
    made++ === 0 ? Promise.reject(new Error('no')) : Promise.resolve({ contentType, text: 'a 1\n' }),
  );
  expect([(await fetch(`${url}/metrics`)).status, (await fetch(`${url}/metrics`)).status]).toEqual([500, 200]);
});

test('a port that is taken is one sentence with the setting', async () => {
  const port = Number(new URL(await start(() => Promise.reject(new Error('no')))).port);
  await expect(startMetricsServer({ host: '127.0.0.1', port }, () => Promise.reject(new Error('no')))).rejects.toThrow(
    `FELIX_PROMETHEUSMETRICSPORT = '${port}': is taken at 127.0.0.1: another program listens there`,
  );
  await expect(startMetricsServer({ port }, () => Promise.reject(new Error('no')))).rejects.toThrow(
    `FELIX_PROMETHEUSMETRICSPORT = '${port}': is taken at every address`,
  );
});
