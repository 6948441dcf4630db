import type { AgentClient } from '../api/client.ts';
import type { StoreSettings } from '../datastore/open.ts';
import type { DiagsPorts } from '../host/diags/collect.ts';
import type { DoctorPorts } from '../host/doctor/doctor.ts';
import type { HostNetwork } from '../host/interfaces.ts';
import type { HostFiles } from '../host/open-host.ts';
import type { HostReader } from '../host/reader.ts';
import type { UninstallHost } from '../host/uninstall.ts';
import type { Store } from '../datastore/store.ts';

/** The world as the commands see it; tests bring their own. */
export interface CliIo {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The environment that says where the datastore is, if it is another; see global-options.ts. */
  datastoreEnv?(): Promise<CliIo['env']>;
  readonly version: string;
  /** Of git, where it was built from; `unknown` where there was none. */
  readonly commit: string;
  /** A cluster of another version of calico-ts is no reason to refuse. */
  readonly allowVersionMismatch?: boolean;
  /** Milliseconds since 1970. */
  now(): number;
  /** Standard output is one: colours and progress are for people alone. */
  readonly isTerminal: boolean;
  readonly stderrIsTerminal: boolean;
  stdout(text: string): void;
  stderr(text: string): void;
  /** The texts behind `-f`: one of a file or of standard input (`-`), one for each manifest in a directory. */
  readManifests(path: string, recursive: boolean): Promise<readonly ManifestText[]>;
  /** Writes a report; throws CommandError with the path. */
  writeFile(path: string, text: string): Promise<void>;
  openStore(settings: StoreSettings): Promise<Store>;
  /** The agent that listens on this unix socket. */
  connectAgent(socketPath: string): AgentClient;
  /** The kernel of the network namespace that we run in, and the agent's files. Throws one sentence. */
  openHost(files: HostFiles): Promise<UninstallHost>;
  /** This host's files. */
  readonly reader: HostReader;
  doctor(): Promise<DoctorPorts>;
  diags(): Promise<DiagsHost>;
  readonly network: HostNetwork;
  /** Of this host, where no agent says it: as the agent works it out. */
  nodeName(): Promise<string>;
  sleep(ms: number): Promise<void>;
  /** Fires when the operator interrupts (SIGINT, SIGTERM); until it is asked for, such a signal ends the process. */
  interruption(): AbortSignal;
  /** As Clock has it. */
  after(ms: number, callback: () => void): () => void;
}

export interface DiagsHost extends Pick<DiagsPorts, 'kernel'> {
  /** Returns the path. */
  readonly save: (name: string, archive: Uint8Array) => string;
}

export interface ManifestText {
  readonly path: string;
  readonly text: string;
}

/** Ends the command with this sentence on stderr, where it is not empty because all was said already, and an exit code. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exitCode: number;

  constructor(message: string, { exitCode = 1, cause }: { readonly exitCode?: number; readonly cause?: unknown } = {}) {
    super(message, { cause });
    this.exitCode = exitCode;
  }
}

/** EX_USAGE of sysexits.h: 1 and 2 mean something else to who asks `node status`. */
export const USAGE_EXIT_CODE = 64;

/** What was typed can not be meant: nothing was asked of anybody. */
export class UsageError extends CommandError {
  constructor(message: string) {
    super(message, { exitCode: USAGE_EXIT_CODE });
  }
}
