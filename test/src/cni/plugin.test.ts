import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import packageJson from '../../../package.json' with { type: 'json' };
import {
  buildPlugins,
  buildSanitized,
  hasArm64,
  hasBothCompilers,
  hasCompiler,
  httpAnswer,
  QEMU_ARM64,
  runPlugin,
  SOURCES,
  startFakeAgent,
} from '../../support/cni-plugin.ts';
import type { FakeAgent, PluginCall, PluginRequest, Run } from '../../support/cni-plugin.ts';

const CONFIG = '{"cniVersion":"1.0.0","name":"k8s-pod-network","type":"calico-cni-ts"}';
const RESULT = '{"cniVersion":"1.0.0","ips":[{"address":"10.48.0.1/32"}]}';

let directory: string;
let plugin: string;
let agent: FakeAgent;

const ask = ({ env = {}, ...call }: PluginCall = {}): Promise<Run> =>
  runPlugin([plugin], {
    env: { CNI_COMMAND: 'ADD', CALICO_CNI_SOCKET: agent.socket, CALICO_CNI_TIMEOUT_MS: '20000', ...env },
    stdin: CONFIG,
    ...call,
  });

/** The error on stdout; a plugin that fails prints nothing else, and nothing on stderr. */
function errorOf({ status, stdout, stderr }: Run): Readonly<Record<string, unknown>> {
  expect({ status, stderr }).toEqual({ status: 1, stderr: '' });
  return JSON.parse(stdout) as Readonly<Record<string, unknown>>;
}

const says = (text: string) => (connection: Socket) => void connection.end(text);

describe.skipIf(!hasCompiler && process.env['CI'] === undefined)('calico-cni-ts', () => {
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'calico-ts-plugin-'));
    plugin = buildSanitized(directory, SOURCES, 'calico-cni-ts');
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  beforeEach(async () => {
    agent = await startFakeAgent();
    agent.answer = says(httpAnswer(200, RESULT));
  });
  afterEach(() => agent.close());

  describe('what the agent is asked', () => {
    test('one POST with the configuration as it came, and with the environment', async () => {
      const variables = {
        CNI_CONTAINERID: 'c1',
        CNI_NETNS: '/run/netns/c1',
        CNI_IFNAME: 'eth0',
        CNI_ARGS: 'IgnoreUnknown=1;K8S_POD_NAME=web-0',
        CNI_PATH: '/opt/cni/bin:/usr/lib/cni',
      };
      expect(await ask({ env: variables })).toEqual({ status: 0, signal: null, stdout: RESULT, stderr: '' });
      const [request] = agent.requests as [PluginRequest];
      expect(agent.requests).toHaveLength(1);
      expect(request.line).toBe('POST /v1/cni HTTP/1.1');
      expect(request.body.toString()).toBe(CONFIG);
      expect(request.headers).toEqual({
        host: 'calico-ts',
        'content-type': 'application/json',
        'content-length': String(CONFIG.length),
        connection: 'close',
        'cni-protocol': '1',
        'cni-plugin-version': 'unknown',
        'cni-command': 'ADD',
        'cni-containerid': 'c1',
        'cni-netns': '%2Frun%2Fnetns%2Fc1',
        'cni-ifname': 'eth0',
        'cni-args': 'IgnoreUnknown%3D1%3BK8S_POD_NAME%3Dweb-0',
        'cni-path': '%2Fopt%2Fcni%2Fbin%3A%2Fusr%2Flib%2Fcni',
      });
    });

    test.each(['a"b\'c', 'line\r\nCNI-Command: DEL', 'ü€😀', '%41', ' ', "-_.!~*'()", '\u0001\u007f'])(
      'a variable %j comes as encodeURIComponent writes it',
      async (value) => {
        expect((await ask({ env: { CNI_ARGS: value } })).status).toBe(0);
        expect(agent.requests[0]!.headers['cni-args']).toBe(encodeURIComponent(value));
        expect(agent.requests[0]!.headers['cni-command']).toBe('ADD');
      },
    );

    test('a variable that is absent or empty has no header', async () => {
      await ask({ env: { CNI_NETNS: '' } });
      expect(Object.keys(agent.requests[0]!.headers).filter((name) => name.startsWith('cni-'))).toEqual([
        'cni-protocol',
        'cni-plugin-version',
        'cni-command',
      ]);
    });

    test('no configuration is a request without a body', async () => {
      expect((await ask({ stdin: '' })).status).toBe(0);
      expect(agent.requests[0]!.body).toHaveLength(0);
    });

    test('a configuration of exactly 1 MiB comes whole, whatever octets it has', async () => {
      const config = Buffer.alloc(1024 * 1024, Buffer.from([0, 255, 10, 34, 92]));
      expect((await ask({ stdin: config })).status).toBe(0);
      expect(agent.requests[0]!.body.equals(config)).toBe(true);
    });

    test('one octet more is refused, and the agent is not asked', async () => {
      const error = errorOf(await ask({ stdin: Buffer.alloc(1024 * 1024 + 1, 'x') }));
      expect(error).toMatchObject({ code: 6, msg: 'the network configuration on stdin is larger than 1 MiB' });
      expect(agent.requests).toHaveLength(0);
    });

    test('variables of more than 12 KiB are refused', async () => {
      const error = errorOf(await ask({ env: { CNI_ARGS: 'é'.repeat(2100) } }));
      expect(error).toMatchObject({ code: 4, msg: 'the CNI_ variables are larger than 12 KiB together' });
      expect((await ask({ env: { CNI_ARGS: 'é'.repeat(1900) } })).status).toBe(0);
    });

    test('without CNI_COMMAND it says what it is', async () => {
      expect(errorOf(await ask({ env: { CNI_COMMAND: '' } }))).toEqual({
        cniVersion: '1.1.0',
        code: 4,
        msg: 'CNI_COMMAND is not set: this is a CNI plugin, called by a container runtime',
      });
    });
  });

  describe('which socket', () => {
    const noVariable = { CALICO_CNI_SOCKET: '' };
    const configured = (socket: string): string => `{"type":"x","nested":{"socket":"/no"},"list":["socket"],${socket}}`;

    test('the configuration names one', async () => {
      const stdin = configured(`"socket" : ${JSON.stringify(agent.socket).replaceAll('/', '\\/')}`);
      expect((await ask({ env: noVariable, stdin })).status).toBe(0);
      expect(agent.requests).toHaveLength(1);
    });

    test('the environment goes before it', async () => {
      expect((await ask({ stdin: configured('"socket":"/nowhere"') })).status).toBe(0);
    });

    test.each([
      '"socket":7',
      '"socket":{"a":"/b"}',
      '"socket":""',
      '"socket":"/\\u0041"',
      '"Socket":"/a"',
      '"a":"socket"',
    ])('else, and with %s, the usual one', async (member) => {
      const error = errorOf(await ask({ env: noVariable, stdin: configured(member) }));
      expect(error['msg']).toContain('calico-node-ts does not answer on /var/run/calico/calico-ts.sock: ');
    });

    test('one that no unix socket can have is refused by name', async () => {
      const path = `/${'long/'.repeat(30)}sock`;
      expect(errorOf(await ask({ env: noVariable, stdin: configured(`"socket":"${path}"`) }))).toMatchObject({
        code: 7,
        msg: `socket = '${path}': is too long, a unix socket's path has at most 107 octets`,
      });
    });
  });

  describe('what the agent answers', () => {
    test.each([
      ['nothing', 200, ''],
      ['nothing, by status', 204, ''],
      ['text as it is', 200, 'ü\u0000\n'],
      ['a large result', 200, 'r'.repeat(1024 * 1024)],
    ])('%s is a success', async (_, status, body) => {
      agent.answer = says(httpAnswer(status, body));
      expect(await ask()).toEqual({ status: 0, signal: null, stdout: body, stderr: '' });
    });

    test('an error of the agent is passed on, with exit code 1', async () => {
      const body = '{"cniVersion":"1.0.0","code":7,"msg":"mtu = x: is no number"}';
      agent.answer = says(httpAnswer(400, body, { 'CNI-Error': '1' }));
      expect(await ask()).toEqual({ status: 1, signal: null, stdout: body, stderr: '' });
    });

    test('chunks are joined, wherever they are cut', async () => {
      const text =
        'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\n{"a":\r\nA\r\n"bcdefgh"}\r\n0\r\n\r\n';
      for (const at of [20, 45, 51, 55, 60, 62, 75, text.length - 3]) {
        agent.answer = (connection) => {
          connection.write(text.slice(0, at));
          setImmediate(() => connection.write(text.slice(at)));
        };
        expect(await ask()).toEqual({ status: 0, signal: null, stdout: '{"a":"bcdefgh"}', stderr: '' });
      }
    });

    test('without a length the end is the end', async () => {
      agent.answer = says(`HTTP/1.0 200 OK\n\n${RESULT}`);
      expect(await ask()).toMatchObject({ status: 0, stdout: RESULT });
    });

    test('an agent that does not close is not waited for', async () => {
      agent.answer = (connection) => void connection.write(httpAnswer(200, RESULT));
      expect(await ask()).toMatchObject({ status: 0, stdout: RESULT });
    });

    test('one that refuses before it read everything is heard', async () => {
      const body = '{"code":7,"msg":"too large"}';
      agent.greet = (connection) =>
        void connection.write(httpAnswer(413, body, { 'CNI-Error': '1' }), () => connection.destroy());
      const call = ask({ stdin: Buffer.alloc(1024 * 1024) });
      expect(await call).toMatchObject({ status: 1, stdout: body });
    });

    test('an older agent that knows no CNI is told from one that is away', async () => {
      agent.answer = says(httpAnswer(404, '{"statusCode":404}'));
      expect(errorOf(await ask())).toEqual({
        cniVersion: '1.0.0',
        code: 11,
        msg: `calico-node-ts on ${agent.socket} answers HTTP 404 to POST /v1/cni: it is older than this plugin`,
        details: '{"statusCode":404}',
      });
    });

    test('a fault without a CNI error is one of ours, valid JSON whatever the body holds', async () => {
      const body = Buffer.concat([
        Buffer.from('"\\\n\u0007ü€😀'),
        Buffer.from([0xff, 0xc0, 0x80, 0xed, 0xa0, 0x80, 0xc3]),
      ]);
      agent.answer = (connection) => {
        connection.write(`HTTP/1.1 500 No\r\ncontent-length: ${body.length}\r\n\r\n`);
        connection.end(body);
      };
      expect(errorOf(await ask())).toMatchObject({ code: 100, details: '"\\\n\u0007ü€😀???????' });
    });
  });

  describe('an agent that is away', () => {
    const away = (reason: string): object => ({
      cniVersion: '1.0.0',
      code: 11,
      msg: `calico-node-ts does not answer on ${agent.socket}: ${reason}`,
    });

    test('there is no socket', async () => {
      await agent.close();
      expect(errorOf(await ask())).toEqual(away('there is no such socket'));
    });

    test('what is there is no socket', async () => {
      const error = errorOf(await ask({ env: { CALICO_CNI_SOCKET: plugin } }));
      expect(error['msg']).toBe(`calico-node-ts does not answer on ${plugin}: nobody listens there`);
    });

    test.each([
      ['', 'it closed the connection without an answer'],
      ['HTTP/1.1 200', 'its answer was cut short'],
      ['HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{"a"', 'its answer was cut short'],
      ['HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\n{"a"', 'its answer was cut short'],
      ['HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\n{"a"\r\n', 'its answer was cut short'],
      ['SSH-2.0-x\r\n', 'what it answers is not HTTP, or larger than 1 MiB'],
      ['HTTP/1.1 2x0 OK\r\n\r\n', 'what it answers is not HTTP, or larger than 1 MiB'],
      ['HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n', 'what it answers is not HTTP, or larger than 1 MiB'],
      [
        'HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999\r\n\r\n',
        'what it answers is not HTTP, or larger than 1 MiB',
      ],
      [
        'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n',
        'what it answers is not HTTP, or larger than 1 MiB',
      ],
      [
        'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n',
        'what it answers is not HTTP, or larger than 1 MiB',
      ],
      [`HTTP/1.1 200 OK\r\n${'a: b\r\n'.repeat(250_000)}`, 'its answer is larger than 1 MiB'],
      [`HTTP/1.1 200 OK\r\n\r\n${'x'.repeat(1_100_000)}`, 'its answer is larger than 1 MiB'],
    ])('it says %.60j', async (text, reason) => {
      agent.answer = says(text);
      expect(errorOf(await ask())).toEqual(away(reason));
    });

    test('it accepts and says nothing, or not all, until the limit', async () => {
      const env = { CALICO_CNI_TIMEOUT_MS: '150' };
      agent.answer = undefined;
      expect(errorOf(await ask({ env }))).toEqual(away('no answer within the time limit'));
      agent.answer = (connection) => void connection.write('HTTP/1.1 200 OK\r\n');
      expect(errorOf(await ask({ env }))).toEqual(away('its answer did not end within the time limit'));
    });

    test('a configuration that never ends takes no longer than the limit either', async () => {
      const error = errorOf(await ask({ env: { CALICO_CNI_TIMEOUT_MS: '150' }, isStdinOpen: true }));
      expect(error).toMatchObject({ cniVersion: '1.1.0', code: 6 });
    });

    test('STATUS has a code of its own', async () => {
      await agent.close();
      expect(errorOf(await ask({ env: { CNI_COMMAND: 'STATUS' } }))['code']).toBe(50);
    });

    test.each(['0.3.1', '0.4.0', '1.1.0'])('the error has the version of the configuration: %s', async (cniVersion) => {
      await agent.close();
      expect(errorOf(await ask({ stdin: JSON.stringify({ name: 'x', cniVersion }) }))['cniVersion']).toBe(cniVersion);
    });

    test.each([
      '{',
      '',
      '[]',
      '{"cniVersion":1}',
      '{"cniVersion":"1\\"}',
      '{"cniVersion":"a b"}',
      '}}}{"cniVersion":"1"',
    ])('and the newest where it is %j', async (stdin) => {
      await agent.close();
      expect(errorOf(await ask({ stdin }))['cniVersion']).toBe('1.1.0');
    });
  });

  describe('VERSION', () => {
    const own = { cniVersion: '0.4.0', supportedVersions: ['0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'] };
    const version = (stdin = '{"cniVersion":"0.4.0"}'): Promise<Run> => ask({ env: { CNI_COMMAND: 'VERSION' }, stdin });

    test('is answered by the agent where there is one', async () => {
      agent.answer = says(httpAnswer(200, '{"cniVersion":"9"}'));
      expect(await version()).toMatchObject({ status: 0, stdout: '{"cniVersion":"9"}' });
    });

    test('and by the plugin where it is away, older, or at odds', async () => {
      for (const text of [httpAnswer(404, ''), httpAnswer(400, '{}', { 'CNI-Error': '1' }), 'garbage']) {
        agent.answer = says(text);
        const { status, stdout } = await version();
        expect({ status, said: JSON.parse(stdout) as unknown }).toEqual({ status: 0, said: own });
      }
      await agent.close();
      expect(JSON.parse((await version('')).stdout)).toEqual({ ...own, cniVersion: '1.1.0' });
    });
  });

  describe('as a process', () => {
    test('many at once have an answer each', async () => {
      agent.answer = (connection, { headers }) => says(httpAnswer(200, headers['cni-containerid']!))(connection);
      const names = Array.from({ length: 60 }, (_, i) => `c${i}`);
      const runs = await Promise.all(names.map((name) => ask({ env: { CNI_CONTAINERID: name } })));
      expect(runs.map(({ stdout }) => stdout)).toEqual(names);
    });

    test('SIGTERM ends it, and the agent sees the connection close', async () => {
      let closed: Promise<unknown> = Promise.resolve();
      let pid = 0;
      agent.answer = (connection) => {
        closed = new Promise((resolve) => connection.once('close', resolve));
        process.kill(pid, 'SIGTERM');
      };
      expect(await ask({ started: (own) => (pid = own) })).toMatchObject({ status: null, signal: 'SIGTERM' });
      await closed;
    });

    test('one who types it is told what it is', async () => {
      expect(await runPlugin([plugin, '--version'], {})).toMatchObject({
        status: 0,
        stdout: 'calico-cni-ts unknown\n',
      });
      const { status, stderr } = await runPlugin([plugin, '--help'], {});
      expect({ status, stderr }).toEqual({
        status: 2,
        stderr: 'calico-cni-ts is a CNI plugin, called by a container runtime; its one flag is --version\n',
      });
    });
  });
});

describe.skipIf(!hasCompiler && process.env['CI'] === undefined)('the readers of octets', () => {
  test('keep within what they were given, whatever it is', () => {
    const out = mkdtempSync(join(tmpdir(), 'calico-ts-plugin-'));
    try {
      const readers = SOURCES.filter((name) => /(answer|json)\.c$/.test(name));
      const fuzz = buildSanitized(out, [...readers, 'test/support/cni-plugin-fuzz.c'], 'fuzz');
      expect(execFileSync(fuzz, ['1', '100000'], { encoding: 'utf8' })).toMatch(
        /^100000 rounds, [1-9]\d* answers whole/,
      );
    } finally {
      rmSync(out, { recursive: true, force: true });
    }
  });
});

describe.skipIf(!hasBothCompilers && process.env['CI'] === undefined)('npm run build:cni', () => {
  test('makes one static file for each architecture, and both ask and answer', async () => {
    const out = mkdtempSync(join(tmpdir(), 'calico-ts-plugin-'));
    agent = await startFakeAgent();
    agent.answer = says(httpAnswer(200, RESULT));
    try {
      buildPlugins(out);
      const [own, other] = [process.arch, process.arch === 'x64' ? 'arm64' : 'x64'] as const;
      const emulated = other === 'arm64' && hasArm64 ? [[QEMU_ARM64, join(out, `calico-cni-ts-${other}`)]] : [];
      for (const command of [[join(out, `calico-cni-ts-${own}`)], ...emulated]) {
        const env = { PATH: process.env['PATH'] ?? '', CNI_COMMAND: 'ADD', CALICO_CNI_SOCKET: agent.socket };
        expect(await runPlugin(command, { env, stdin: CONFIG })).toMatchObject({ status: 0, stdout: RESULT });
        const { stdout } = await runPlugin([...command, '--version'], { env });
        expect(stdout).toBe(`calico-cni-ts ${packageJson.version}\n`);
      }
    } finally {
      await agent.close();
      rmSync(out, { recursive: true, force: true });
    }
  });
});
