import { afterEach, expect, test } from 'vitest';
import type { HealthReport } from '../../../src/api/contract.ts';
import { startHealthServer } from '../../../src/api/health-server.ts';
import type { ApiServer } from '../../../src/api/server.ts';

const servers: ApiServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

async function start(report: HealthReport): Promise<string> {
  const server = await startHealthServer({ host: 'localhost', port: 0 }, () => report);
  servers.push(server);
  return `http://127.0.0.1:${server.port}`;
}

const report = (live: boolean, ready: boolean): HealthReport => ({
  ...{ live, ready },
  reporters: [
    { name: 'netlink', live, ready: live, detail: 'no answer for 61 s' },
    { name: 'bgp', live: true, ready, detail: 'does not listen yet' },
  ],
});

test.each([
  [true, true, [200, 200]],
  [true, false, [200, 503]],
  [false, false, [503, 503]],
])('live %s, ready %s: %j', async (live, ready, expected) => {
  const url = await start(report(live, ready));
  const answers = await Promise.all([fetch(`${url}/liveness`), fetch(`${url}/readiness`)]);
  expect(answers.map(({ status }) => status)).toEqual(expected);
});

test('the body says who is not well and why', async () => {
  const answer = await fetch(`${await start(report(false, false))}/readiness`);
  expect(answer.headers.get('content-type')).toContain('text/plain');
  expect(await answer.text()).toBe(`+-----------+----------+-----------+---------------------+
| COMPONENT | LIVENESS | READINESS | DETAIL              |
+-----------+----------+-----------+---------------------+
| netlink   | NOT LIVE | NOT READY | no answer for 61 s  |
| bgp       | live     | NOT READY | does not listen yet |
+-----------+----------+-----------+---------------------+
`);
});

test('a port that is taken is one sentence with the setting', async () => {
  const port = Number(new URL(await start(report(true, true))).port);
  await expect(startHealthServer({ host: 'localhost', port }, () => report(true, true))).rejects.toThrow(
    `FELIX_HEALTHPORT = '${port}': is taken at localhost: another program listens there`,
  );
});

test('an address that is not of this host, too', async () => {
  await expect(startHealthServer({ host: '192.0.2.1', port: 0 }, () => report(true, true))).rejects.toThrow(
    "FELIX_HEALTHHOST = '192.0.2.1': cannot be listened on",
  );
});
