import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from './eventually.ts';

export const HAS_ETCD = spawnSync('/usr/bin/etcd', ['--version']).status === 0;

export interface EtcdTlsFiles {
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
}

export interface EtcdOptions {
  /** Flags beside the usual ones, without their dashes. */
  readonly flags?: Readonly<Record<string, string>>;
  /** Clients come by TLS, and with a certificate of this authority where `wantsClientCert`. */
  readonly tls?: EtcdTlsFiles & { readonly wantsClientCert: boolean };
}

interface Place {
  readonly name: string;
  readonly directory: string;
  readonly clientPort: number;
  readonly peerPort: number;
}

/** A real etcd of our own, or a member of several: on free loopback ports, its data in a temporary directory. */
export class EtcdServer {
  readonly #place: Place;
  readonly #cluster: string;
  readonly #options: EtcdOptions;
  #process: ChildProcess | undefined;

  private constructor(place: Place, members: readonly Place[], options: EtcdOptions) {
    this.#place = place;
    this.#cluster = members.map(({ name, peerPort }) => `${name}=http://127.0.0.1:${peerPort}`).join(',');
    this.#options = options;
  }

  static async start(options: EtcdOptions = {}): Promise<EtcdServer> {
    const place = await freePlace('test');
    const server = new EtcdServer(place, [place], options);
    await server.restart();
    return server;
  }

  /** Three that are one. */
  static async startThree(): Promise<readonly EtcdServer[]> {
    const places: Place[] = [];
    for (const name of ['one', 'two', 'three']) places.push(await freePlace(name));
    const servers = places.map((place) => new EtcdServer(place, places, {}));
    await Promise.all(servers.map((server) => server.restart()));
    return servers;
  }

  get endpoint(): string {
    return `${this.#options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${this.#place.clientPort}`;
  }

  get peerUrl(): string {
    return `http://127.0.0.1:${this.#place.peerPort}`;
  }

  get port(): number {
    return this.#place.clientPort;
  }

  /** Starts it, and waits until it is healthy: of several a majority must run for that. */
  restart(): Promise<void> {
    return this.#start(this.#cluster);
  }

  /** As a new member, without data, in the place of one that was removed: it must have been added by `peerUrl`, and wiped. */
  restartAsNew(): Promise<void> {
    return this.#start(this.#cluster, 'existing');
  }

  /** As a cluster of its own, which it was not before: its data must have been wiped. */
  restartAlone(): Promise<void> {
    return this.#start(`${this.#place.name}=${this.peerUrl}`);
  }

  async #start(cluster: string, state: 'new' | 'existing' = 'new'): Promise<void> {
    const { name, directory } = this.#place;
    const { tls, flags } = this.#options;
    const peer = this.peerUrl;
    const options = {
      name,
      'data-dir': join(directory, 'data'),
      'listen-client-urls': this.endpoint,
      'advertise-client-urls': this.endpoint,
      'listen-peer-urls': peer,
      'initial-advertise-peer-urls': peer,
      'initial-cluster': cluster,
      'initial-cluster-state': state,
      ...(tls && { 'cert-file': tls.certFile, 'key-file': tls.keyFile }),
      ...(tls?.wantsClientCert && { 'trusted-ca-file': tls.caFile, 'client-cert-auth': 'true' }),
      // Health is asked for without TLS, whatever clients need.
      ...(tls && { 'listen-metrics-urls': await this.#healthUrl() }),
      ...flags,
    };
    const args = Object.entries(options).map(([flag, value]) => `--${flag}=${value}`);
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

  /** Its data are gone. It must not run. */
  async wipe(): Promise<void> {
    await rm(join(this.#place.directory, 'data'), { recursive: true, force: true });
  }

  /** Keeps a copy of the data as they are now. It must not run. */
  async backUp(): Promise<void> {
    const { directory } = this.#place;
    await cp(join(directory, 'data'), join(directory, 'backup'), { recursive: true });
  }

  /** Puts the copy in the data's place. It must not run. */
  async putBack(): Promise<void> {
    const { directory } = this.#place;
    await this.wipe();
    await cp(join(directory, 'backup'), join(directory, 'data'), { recursive: true });
  }

  async remove(): Promise<void> {
    await this.kill();
    await rm(this.#place.directory, { recursive: true, force: true });
  }

  /** One port for as long as it lives: it may be started more than once. */
  async #healthUrl(): Promise<string> {
    if (this.#options.tls === undefined) return this.endpoint;
    this.#healthPort ??= await freePort();
    return `http://127.0.0.1:${this.#healthPort}`;
  }
  #healthPort: number | undefined;

  async #healthy(): Promise<void> {
    const url = await this.#healthUrl();
    for (const deadline = Date.now() + 20_000; Date.now() < deadline;) {
      const answer = await fetch(`${url}/health`).catch(() => undefined);
      if (answer?.ok) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error('etcd did not become healthy within 20 seconds');
  }
}

async function freePlace(name: string): Promise<Place> {
  const directory = await mkdtemp(join(tmpdir(), 'calico-ts-etcd-'));
  return { name, directory, clientPort: await freePort(), peerPort: await freePort() };
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
