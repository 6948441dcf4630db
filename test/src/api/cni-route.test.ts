import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { cniRoute } from '../../../src/api/cni-route.ts';
import { startApi } from '../../../src/api/server.ts';
import type { ApiServer } from '../../../src/api/server.ts';
import type { CniEnvironment } from '../../../src/cni/environment.ts';
import type { CniAnswer } from '../../../src/cni/verbs.ts';
import { silentLogger } from '../../../src/runtime/logger.ts';
import { postCni } from '../../support/cni-socket.ts';
import type { SocketReply } from '../../support/cni-socket.ts';

let directory = '';
let server: ApiServer;
let calls: { readonly environment: CniEnvironment; readonly stdin: string }[] = [];
let answer: CniAnswer = { code: 0, body: '' };

const socketPath = (): string => join(directory, 'calico-ts.sock');

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'calico-ts-cni-'));
  calls = [];
  const cni = (environment: CniEnvironment, stdin: Uint8Array): Promise<CniAnswer> => {
    calls.push({ environment, stdin: Buffer.from(stdin).toString() });
    return Promise.resolve(answer);
  };
  const at = { socketPath: socketPath(), socketMode: 0o660, setBy: 'CALICO_RUN_DIR' };
  server = await startApi(at, [cniRoute({ cni })], silentLogger);
});
afterEach(async () => {
  await server.close();
  rmSync(directory, { recursive: true, force: true });
});

const post = (headers: Readonly<Record<string, string>>, stdin: string): Promise<SocketReply> =>
  postCni(socketPath(), headers, stdin);

test('variables are headers, percent-encoded; stdin is passed on as it came', async () => {
  answer = { code: 0, body: '{"cniVersion":"1.0.0"}' };
  const headers = {
    'CNI-Command': 'ADD',
    'CNI-ContainerID': 'c1',
    'CNI-NetNS': '%2Fvar%2Frun%2Fnetns%2Fc1',
    'CNI-IfName': 'eth0',
    'CNI-Args': 'K8S_POD_NAME%3Dw%C3%A9b',
    'CNI-Path': '%2Fopt%2Fcni%2Fbin',
    'CNI-Tomorrow': 'x',
  };
  expect(await post(headers, '{"name": ')).toEqual({ status: 200, cniError: undefined, body: answer.body });
  const environment = { command: 'ADD', containerId: 'c1', netns: '/var/run/netns/c1', ifName: 'eth0' };
  expect(calls).toEqual([{ environment: { ...environment, args: 'K8S_POD_NAME=wéb' }, stdin: '{"name": ' }]);
});

test('absent and empty variables are absent, and so is stdin', async () => {
  answer = { code: 0, body: '' };
  expect(await post({ 'CNI-Command': 'DEL', 'CNI-NetNS': '' }, '')).toEqual({
    ...{ status: 200, cniError: undefined, body: '' },
  });
  expect(calls).toEqual([{ environment: { command: 'DEL' }, stdin: '' }]);
});

test.each([
  [7, 400],
  [11, 503],
  [50, 503],
  [51, 503],
  [113, 500],
  [999, 500],
])('error %i has status %i, and the header that says whose it is', async (code, status) => {
  answer = { code, body: `{"code":${code}}` };
  expect(await post({ 'CNI-Command': 'ADD' }, '{}')).toEqual({ status, cniError: '1', body: answer.body });
});

test('octets that are no UTF-8 are the runtime’s error', async () => {
  const reply = await post({ 'CNI-Command': 'ADD', 'CNI-NetNS': '%ff' }, '{}');
  expect(reply).toMatchObject({ status: 400, cniError: '1' });
  expect(JSON.parse(reply.body)).toEqual({
    cniVersion: '1.1.0',
    code: 4,
    msg: "CNI_NETNS = '%ff' (percent-encoded): is not UTF-8",
  });
  expect(calls).toEqual([]);
});

test('as much as a plugin reads from stdin, and more', async () => {
  answer = { code: 0, body: '' };
  const large = ' '.repeat(1024 * 1024 + 10);
  expect(await post({ 'CNI-Command': 'GC' }, large)).toMatchObject({ status: 200 });
  expect(calls[0]?.stdin).toHaveLength(large.length);
});
