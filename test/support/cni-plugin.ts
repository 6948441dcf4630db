/** The CNI plugin as a runtime starts it, and an agent that answers what a test wants. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const SOURCE = join('src', 'cni', 'plugin');
export const SOURCES = ['answer.c', 'calico-cni-ts.c', 'exchange.c', 'json.c'].map((name) => join(SOURCE, name));

const hasProgram = (name: string): boolean => spawnSync('sh', ['-c', `command -v ${name}`]).status === 0;
export const hasCompiler = hasProgram('gcc');
export const hasBothCompilers = hasCompiler && hasProgram('aarch64-linux-gnu-gcc');
export const QEMU_ARM64 = 'qemu-aarch64-static';
export const hasArm64 = hasProgram(QEMU_ARM64);

/** With the address and undefined behaviour sanitizers: a read or write out of bounds ends it with a report on stderr. */
export function buildSanitized(directory: string, sources: readonly string[], name: string): string {
  const program = join(directory, name);
  const flags = ['-std=gnu11', '-g', '-O1', '-Wall', '-Wextra', '-Werror', `-I${SOURCE}`];
  execFileSync('gcc', [
    ...flags,
    '-fsanitize=address,undefined',
    '-fno-sanitize-recover=all',
    '-o',
    program,
    ...sources,
  ]);
  return program;
}

/** What `npm run build:cni` makes, in a directory of the test's own. */
export const buildPlugins = (directory: string): void =>
  void execFileSync('sh', [join(SOURCE, 'build.sh'), directory], { stdio: 'pipe' });

export interface Run {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface PluginCall {
  readonly env?: Readonly<Record<string, string>>;
  /** Default: nothing. */
  readonly stdin?: string | Buffer;
  /** stdin does not end. */
  readonly isStdinOpen?: boolean;
  /** Called with the process, once it was started. */
  readonly started?: (pid: number) => void;
}

/** Starts `command` with no other environment than the call's. */
export function runPlugin(
  command: readonly string[],
  { env = {}, stdin = '', isStdinOpen = false, started = () => undefined }: PluginCall,
): Promise<Run> {
  return new Promise((resolve, reject) => {
    const child = spawn(command[0]!, command.slice(1), { env: { ...env }, stdio: 'pipe' });
    const [out, err]: [Buffer[], Buffer[]] = [[], []];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    child.on('error', reject);
    // A plugin that refuses need not read all of it.
    child.stdin.on('error', () => undefined);
    if (!isStdinOpen) child.stdin.end(stdin);
    started(child.pid!);
    child.on('close', (status, signal) => {
      child.stdin.destroy();
      const [stdout, stderr] = [out, err].map((chunks) => Buffer.concat(chunks).toString());
      resolve({ status, signal, stdout: stdout!, stderr: stderr! });
    });
  });
}

export interface PluginRequest {
  readonly line: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface FakeAgent {
  readonly socket: string;
  /** What came, in order. */
  readonly requests: readonly PluginRequest[];
  /** From now on each whole request is answered by this; `undefined`: nothing is said. */
  answer: ((connection: Socket, request: PluginRequest) => void) | undefined;
  /** Where it is set, it has the connection as it comes, and nothing is read. */
  greet: ((connection: Socket) => void) | undefined;
  close(): Promise<void>;
}

export async function startFakeAgent(): Promise<FakeAgent> {
  const directory = mkdtempSync(join(tmpdir(), 'calico-ts-fake-agent-'));
  const socket = join(directory, 'agent.sock');
  const requests: PluginRequest[] = [];
  const connections = new Set<Socket>();
  const agent: FakeAgent = { socket, requests, answer: undefined, greet: undefined, close };
  const server = createServer((connection) => {
    connections.add(connection);
    let came = Buffer.alloc(0);
    connection.on('error', () => undefined);
    connection.on('close', () => connections.delete(connection));
    if (agent.greet !== undefined) {
      connection.pause();
      agent.greet(connection);
      return;
    }
    connection.on('data', (chunk: Buffer) => {
      came = Buffer.concat([came, chunk]);
      const request = wholeRequest(came);
      if (request === undefined) return;
      came = Buffer.alloc(0);
      requests.push(request);
      agent.answer?.(connection, request);
    });
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  return agent;

  async function close(): Promise<void> {
    for (const connection of connections) connection.destroy();
    await new Promise((resolve) => server.close(resolve));
    rmSync(directory, { recursive: true, force: true });
  }
}

function wholeRequest(bytes: Buffer): PluginRequest | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [line = '', ...lines] = bytes.subarray(0, end).toString().split('\r\n');
  const headers = Object.fromEntries(
    lines.map((each) => [each.slice(0, each.indexOf(':')).toLowerCase(), each.slice(each.indexOf(':') + 1).trim()]),
  );
  const body = bytes.subarray(end + 4);
  return body.length < Number(headers['content-length'] ?? 0) ? undefined : { line, headers, body };
}

/** An HTTP answer with a length, as the agent gives it. */
export const httpAnswer = (status: number, body: string, headers: Readonly<Record<string, string>> = {}): string =>
  [
    `HTTP/1.1 ${status} Whatever`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
    '',
    body,
  ].join('\r\n');
