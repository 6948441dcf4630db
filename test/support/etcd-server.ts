import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from './eventually.ts';

/** A real etcd of our own: on free loopback ports, its data in a temporary directory. */
export class EtcdServer {
  readonly #directory: string;
  readonly #ports: readonly [number, number];
  #process: ChildProcess | undefined;

  private constructor(directory: string, ports: readonly [number, number]) {
    this.#directory = directory;
    this.#ports = ports;
  }

  static async start(): Promise<EtcdServer> {
    const directory = await mkdtemp(join(tmpdir(), 'calico-ts-etcd-'));
    const server = new EtcdServer(directory, [await freePort(), await freePort()]);
    await server.restart();
    return server;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.#ports[0]}`;
  }

  async restart(): Promise<void> {
    const peer = `http://127.0.0.1:${this.#ports[1]}`;
    const options = {
      name: 'test',
      'data-dir': join(this.#directory, 'data'),
      'listen-client-urls': this.endpoint,
      'advertise-client-urls': this.endpoint,
      'listen-peer-urls': peer,
      'initial-advertise-peer-urls': peer,
      'initial-cluster': `test=${peer}`,
    };
    const args = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
    const child = spawn('/usr/bin/etcd', args, { stdio: 'ignore' });
    this.#process = child;
    const failed = once(child, 'exit').then(() => Promise.reject(new Error('etcd ended at its start')));
    await Promise.race([failed, this.#healthy()]);
    failed.catch(() => undefined);
  }

  /** The plug is pulled: no time to say goodbye. */
  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child?.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  /** Resolves when it stands still: a signal reaches threads that run a moment after it was sent. */
  async pause(): Promise<void> {
    const pid = this.#process?.pid;
    if (pid === undefined) throw new Error('no etcd runs that could be paused');
    process.kill(pid, 'SIGSTOP');
    await eventually(() => readdirSync(`/proc/${pid}/task`).every((task) => stateOf(pid, task) === 'T'));
  }

  resume(): void {
    this.#process?.kill('SIGCONT');
  }

  async wipe(): Promise<void> {
    await rm(join(this.#directory, 'data'), { recursive: true, force: true });
  }

  async remove(): Promise<void> {
    await this.kill();
    await rm(this.#directory, { recursive: true, force: true });
  }

  async #healthy(): Promise<void> {
    for (const deadline = Date.now() + 20_000; Date.now() < deadline;) {
      const answer = await fetch(`${this.endpoint}/health`).catch(() => undefined);
      if (answer?.ok) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error('etcd did not become healthy within 20 seconds');
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** `T`: stopped. Behind the name, which may hold anything but a last bracket; proc_pid_stat(5). */
const stateOf = (pid: number, task: string): string | undefined =>
  /.*\) (\S)/s.exec(readFileSync(`/proc/${pid}/task/${task}/stat`, 'utf8'))?.[1];
