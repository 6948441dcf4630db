import { EMPTY_RECORD } from '../../felix/index.ts';
import { AgentError } from '../../src/api/client.ts';
import type { AgentClient } from '../../src/api/client.ts';
import type { CliIo } from '../../src/cli/io.ts';
import type { HostNetwork } from '../../src/host/interfaces.ts';
import type { HostFiles } from '../../src/host/open-host.ts';
import type { UninstallHost } from '../../src/host/uninstall.ts';
import { readerOf } from './host-reader.ts';
import type { DoctorPorts } from '../../src/host/doctor/doctor.ts';
import { healthyHost } from './doctor-ports.ts';
import { FakeKernel } from './fake-kernel.ts';
import { CommandError } from '../../src/cli/io.ts';
import { runCli } from '../../src/cli/program.ts';
import { MemoryStore } from '../../src/datastore/memory.ts';
import type { StoreSettings } from '../../src/datastore/open.ts';
import type { Store } from '../../src/datastore/store.ts';
import { UnavailableError } from '../../src/datastore/store.ts';
import { systemClock } from '../../src/runtime/clock.ts';

export interface CliResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A shell in which calicoctl-ts runs on a store in memory, with files that are a record of texts. */
export class FakeShell {
  readonly store: MemoryStore;
  readonly files: Record<string, string> = {};
  readonly env: Record<string, string> = {};
  /** What the agent answers, by method and path: `GET /v1/status`. */
  readonly answers: Record<string, unknown> = {};
  /** What was posted, and with how much patience beyond the usual. */
  readonly posted: unknown[] = [];
  /** So many watches end at once: the store is away. */
  failWatches = 0;
  isTerminal = false;
  now = 0;
  /** Ctrl-C. */
  interruption = new AbortController();
  /** No time passes. */
  sleep: () => Promise<void> = () => Promise.resolve();
  /** Told of each piece of output as it comes. */
  onOutput: (text: string) => void = () => undefined;
  after: CliIo['after'] = (ms, callback) => systemClock.after(ms, callback);
  /** What `node uninstall` works on. */
  host: UninstallHost = {
    kernel: new FakeKernel(),
    record: EMPTY_RECORD,
    files: [],
    removeFile: (path) => void this.removedFiles.push(path),
  };
  /** What `node checksystem` and `node doctor` read. */
  readonly hostTexts: Record<string, string> = {};
  /** What `node doctor` looks at; absent: a host on which all is well. */
  doctor: DoctorPorts | undefined;
  /** What `node diags` wrote. */
  readonly saved = new Map<string, Uint8Array>();
  /** What `node autodetect` looks at. */
  network: HostNetwork = { interfaces: () => Promise.resolve([]), sourceTowards: () => Promise.resolve(undefined) };
  readonly removedFiles: string[] = [];
  hostFiles: HostFiles | undefined;
  /** What the command opened, and how often it closed it. */
  opened: StoreSettings | undefined;
  closed = 0;

  /** Two shells may work on one store. */
  constructor(store = new MemoryStore()) {
    this.store = store;
  }

  async run(...args: readonly string[]): Promise<CliResult> {
    let stdout = '';
    let stderr = '';
    const io: CliIo = {
      env: this.env,
      isTerminal: this.isTerminal,
      stderrIsTerminal: this.isTerminal,
      version: '1.2.3',
      commit: '0c0ffee',
      now: () => this.now,
      connectAgent: (socketPath) => this.#agent(socketPath),
      stdout: (text) => {
        stdout += text;
        this.onOutput(text);
      },
      stderr: (text) => {
        stderr += text;
        this.onOutput(text);
      },
      readManifests: (path) => {
        const text = this.files[path];
        if (text === undefined) return Promise.reject(new CommandError(`failed to execute command: no file ${path}`));
        return Promise.resolve([{ path, text }]);
      },
      writeFile: (path, text) => {
        this.files[path] = text;
        return Promise.resolve();
      },
      openHost: (files) => {
        this.hostFiles = files;
        return Promise.resolve(this.host);
      },
      reader: readerOf(this.hostTexts),
      diags: () =>
        Promise.resolve({
          kernel: {
            links: () => Promise.resolve([{ name: 'lo' }]),
            routes: () => Promise.reject(new Error('netlink is gone')),
          },
          save: (name, archive) => {
            this.saved.set(name, archive);
            return `/tmp/calico-x/${name}`;
          },
        }),
      doctor: () => Promise.resolve(this.doctor ?? healthyHost(this.hostTexts)),
      nodeName: () => Promise.resolve('node-a1'),
      sleep: () => this.sleep(),
      interruption: () => this.interruption.signal,
      after: (ms, callback) => this.after(ms, callback),
      network: this.network,
      openStore: (settings) => {
        this.opened = settings;
        return Promise.resolve(this.#unclosable());
      },
    };
    const exitCode = await runCli(args, io);
    return { exitCode, stdout, stderr };
  }

  #agent(socketPath: string): AgentClient {
    const answer = <T>(request: string): Promise<T> =>
      Object.hasOwn(this.answers, request)
        ? Promise.resolve(this.answers[request] as T)
        : Promise.reject(new AgentError(`nobody answers ${request} on ${socketPath}`, undefined, true));
    return {
      get: (path) => answer(`GET ${path}`),
      post: (path, body, patienceMs = 0) => {
        this.posted.push([path, body, patienceMs]);
        return answer(`POST ${path}`);
      },
      delete: (path) => answer(`DELETE ${path}`),
    };
  }

  /** The store outlives each command, as a real one does. */
  #unclosable(): Store {
    const { store } = this;
    return {
      get: (key) => store.get(key),
      list: (prefix) => store.list(prefix),
      create: (key, value) => store.create(key, value),
      update: (key, value, revision) => store.update(key, value, revision),
      delete: (key, revision) => store.delete(key, revision),
      writeAll: (writes) => store.writeAll(writes),
      watch: (prefix, revision, signal) => {
        if (this.failWatches-- > 0) throw new UnavailableError('the store is away');
        return store.watch(prefix, revision, signal);
      },
      close: () => {
        this.closed++;
        return Promise.resolve();
      },
    };
  }
}
