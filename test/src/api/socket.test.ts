import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { AgentError } from '../../../src/api/client.ts';
import { createAgentClient } from '../../../src/api/client.ts';
import type { NodeStatus, PodRequest } from '../../../src/api/contract.ts';
import { bgpRoutes } from '../../../src/api/bgp-routes.ts';
import type { BgpApi } from '../../../src/api/bgp-routes.ts';
import { nodeRoutes, noNodeRoutes } from '../../../src/api/node-routes.ts';
import type { NodeApi } from '../../../src/api/node-routes.ts';
import { startApi } from '../../../src/api/server.ts';
import type { ApiServer } from '../../../src/api/server.ts';
import { BgpAnswers } from '../../../src/speaker/bgp-answers.ts';
import { fakeSpeaker } from '../../support/fake-speaker.ts';
import { silentLogger } from '../../../src/runtime/logger.ts';

const POD: PodRequest = {
  containerId: 'c1',
  netns: '/run/netns/x',
  interfaceName: 'eth0',
  podNamespace: 'default',
  podName: 'web',
};

let directory = '';
let server: ApiServer | undefined;
let calls: unknown[] = [];

const api: BgpApi & NodeApi = {
  status: () => ({ node: 'node-a1' }) as NodeStatus,
  routes: () => [],
  settings: () => [],
  bgp: new BgpAnswers({
    speaker: () => fakeSpeaker(),
    whyNoPeer: () => ['nobody asked for it'],
    ownRoute: () => undefined,
    kernelRoute: () => undefined,
  }),
  addPod: (request) => {
    calls.push(request);
    if (request.podName === 'unlucky') return Promise.reject(new Error('ippool p1 is exhausted'));
    return Promise.resolve({ hostInterface: 'cali1', mac: '', addresses: [], timings: { routeProgrammedAt: 1 } });
  },
  removePod: (containerId) => Promise.resolve(void calls.push(containerId)),
  stop: (message) => Promise.resolve(void calls.push(message)),
  drain: (request) => Promise.resolve(void calls.push(request)),
};

const socketPath = (): string => join(directory, 'run', 'calico-ts.sock');
const listen = (routes = [...bgpRoutes(api), ...nodeRoutes(api)]): Promise<ApiServer> =>
  startApi({ socketPath: socketPath(), socketMode: 0o660, setBy: 'CALICO_RUN_DIR' }, routes, silentLogger);
const start = async (): Promise<void> => {
  server = await listen();
};

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'calico-ts-api-'));
  calls = [];
});
afterEach(async () => {
  await server?.close();
  server = undefined;
  rmSync(directory, { recursive: true, force: true });
});

describe('the socket', () => {
  test('is made with the mode that was asked for, and answers', async () => {
    await start();
    expect(statSync(socketPath()).mode & 0o777).toBe(0o660);
    expect(await createAgentClient(socketPath()).get('/v1/status')).toEqual({ node: 'node-a1' });
  });

  test('a second agent on the same socket is refused, a dead one is replaced', async () => {
    await start();
    await expect(listen()).rejects.toThrow(`another calico-node-ts already runs here: it answers on ${socketPath()}`);
    await server?.close();
    await start();
    expect(await createAgentClient(socketPath()).get('/v1/routes')).toEqual([]);
  });

  test('nobody there is one sentence', async () => {
    await expect(createAgentClient(socketPath()).get('/v1/status')).rejects.toThrow(
      `calico-node-ts is not running here: there is no ${socketPath()}`,
    );
  });
});

describe('requests', () => {
  test('a speaker without a node around it says so', async () => {
    server = await listen([...bgpRoutes(api), ...noNodeRoutes('there is no node here')]);
    const client = createAgentClient(socketPath());
    expect(await client.get('/v1/bgp/routes')).toEqual([]);
    for (const asked of [client.get('/v1/routes'), client.post('/v1/pods', POD), client.delete('/v1/pods/c1')]) {
      await expect(asked).rejects.toMatchObject({ statusCode: 404, message: 'there is no node here' });
    }
    expect(calls).toEqual([]);
  });

  test('asked for an address that is no peer, it says why; a text that is no address is refused by name', async () => {
    await start();
    const client = createAgentClient(socketPath());
    expect(await client.get('/v1/bgp/peers/10.0.0.2/explain')).toMatchObject({
      isConfigured: false,
      cause: 'not configured here',
      verdict: 'nobody asked for it',
      evidence: ['it has not tried to connect to us', 'this node has no peers at all'],
    });
    await expect(client.get('/v1/bgp/peers/ten/explain')).rejects.toMatchObject({
      statusCode: 400,
      message: "peer = 'ten': is not an IP address",
    });
    await expect(client.get('/v1/bgp/routes?which=some')).rejects.toMatchObject({ statusCode: 400 });
    await expect(client.post('/v1/bgp/peers/10.0.0.2/reset', { message: 'again' })).rejects.toMatchObject({
      statusCode: 400,
      message: "peer = '10.0.0.2': is no peer here: nobody asked for it",
    });
  });

  test('a pod is added, removed, and the agent told to stop', async () => {
    await start();
    const client = createAgentClient(socketPath());
    expect(await client.post('/v1/pods', POD)).toMatchObject({ hostInterface: 'cali1' });
    await client.delete('/v1/pods/c1');
    await client.post('/v1/stop', { message: 'maintenance' });
    expect(calls).toEqual([POD, 'c1', 'maintenance']);
  });

  test('the agent is told to drain, and answers when it is over', async () => {
    await start();
    const request = { message: 'maintenance', waitSeconds: 5 };
    await createAgentClient(socketPath()).post('/v1/drain', request, 5000);
    expect(calls).toEqual([request]);
  });

  test.each([
    [{ message: 'x', waitSeconds: -1 }, /^waitSeconds = '-1'/],
    [{ message: 'x', waitSeconds: 3601 }, /^waitSeconds = '3601'/],
    [{ message: 'x', waitSeconds: '5' }, /^waitSeconds = '5'/],
    [{ waitSeconds: 5 }, /^message is missing$/],
  ])('a drain %j is refused with the field', async (body, sentence) => {
    await start();
    const failure = createAgentClient(socketPath()).post('/v1/drain', body);
    await expect(failure).rejects.toThrow(sentence);
    expect(calls).toEqual([]);
  });

  test.each([
    [{ ...POD, netns: 'x' }, "netns = 'x'"],
    [{ ...POD, interfaceName: 'much-too-long-a-name' }, "interfaceName = 'much-too-long-a-name'"],
    [{ ...POD, podName: '' }, "podName = ''"],
    [{ ...POD, podName: 7 }, "podName = '7'"],
    [{ ...POD, colour: 'red', size: 4 }, /^colour = 'red': is not a field of the body$/],
    [{ podName: 'web' }, /^containerId is missing$/],
    [{ ...POD, netns: undefined }, /^netns is missing$/],
    [{ ...POD, netns: null }, /^netns is missing$/],
    [[], /^body = '\[\]': is not an object$/],
  ])('a wrong body %j is refused with the field, and nothing is done', async (body, sentence) => {
    await start();
    const failure = await createAgentClient(socketPath())
      .post('/v1/pods', body)
      .catch((error: unknown) => error as AgentError);
    expect(failure).toMatchObject({ statusCode: 400, message: expect.stringMatching(sentence) as string });
    expect(calls).toEqual([]);
  });

  test('what went wrong inside is told as it is', async () => {
    await start();
    const failure = createAgentClient(socketPath()).post('/v1/pods', { ...POD, podName: 'unlucky' });
    await expect(failure).rejects.toThrow('ippool p1 is exhausted');
  });
});
