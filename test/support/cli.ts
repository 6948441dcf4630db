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

export interface CliResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A shell in which calicoctl-ts runs on a store in memory, with files that are a record of texts. */
export class FakeShell {
  readonly store = new MemoryStore();
  readonly files: Record<string, string> = {};
  readonly env: Record<string, string> = {};
  /** What the agent answers, by method and path: `GET /v1/status`. */
  readonly answers: Record<string, unknown> = {};
  /** What was posted, and with how much patience beyond the usual. */
  readonly posted: unknown[] = [];
  now = 0;
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
  /** What `node autodetect` looks at. */
  network: HostNetwork = { interfaces: () => Promise.resolve([]), sourceTowards: () => Promise.resolve(undefined) };
  readonly removedFiles: string[] = [];
  hostFiles: HostFiles | undefined;
  /** What the command opened, and how often it closed it. */
  opened: StoreSettings | undefined;
  closed = 0;

  async run(...args: readonly string[]): Promise<CliResult> {
    let stdout = '';
    let stderr = '';
    const io: CliIo = {
      env: this.env,
      version: '1.2.3',
      now: () => this.now,
      connectAgent: (socketPath) => this.#agent(socketPath),
      stdout: (text) => void (stdout += text),
      stderr: (text) => void (stderr += text),
      readManifests: (path) => {
        const text = this.files[path];
        if (text === undefined) return Promise.reject(new CommandError(`failed to execute command: no file ${path}`));
        return Promise.resolve([{ path, text }]);
      },
      openHost: (files) => {
        this.hostFiles = files;
        return this.host;
      },
      reader: readerOf(this.hostTexts),
      doctor: this.doctor ?? healthyHost(this.hostTexts),
      network: this.network,
      nodeName: () => 'node-a1',
      sleep: () => Promise.resolve(),
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
      watch: (prefix, revision, signal) => store.watch(prefix, revision, signal),
      close: () => {
        this.closed++;
        return Promise.resolve();
      },
    };
  }
}
