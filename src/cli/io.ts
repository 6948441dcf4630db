import type { AgentClient } from '../api/client.ts';
import type { StoreSettings } from '../datastore/open.ts';
import type { DoctorPorts } from '../host/doctor/doctor.ts';
import type { HostNetwork } from '../host/interfaces.ts';
import type { HostFiles } from '../host/open-host.ts';
import type { HostReader } from '../host/reader.ts';
import type { UninstallHost } from '../host/uninstall.ts';
import type { Store } from '../datastore/store.ts';

/** The world as the commands see it; tests bring their own. */
export interface CliIo {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  /** Milliseconds since 1970. */
  now(): number;
  stdout(text: string): void;
  stderr(text: string): void;
  /** The texts behind `-f`: one of a file or of standard input (`-`), one for each manifest in a directory. */
  readManifests(path: string, recursive: boolean): Promise<readonly ManifestText[]>;
  openStore(settings: StoreSettings): Promise<Store>;
  /** The agent that listens on this unix socket. */
  connectAgent(socketPath: string): AgentClient;
  /** The kernel of the network namespace that we run in, and the agent's files. Throws one sentence. */
  openHost(files: HostFiles): UninstallHost;
  /** This host's files. */
  readonly reader: HostReader;
  readonly doctor: DoctorPorts;
  readonly network: HostNetwork;
  /** Of this host, where no agent says it: as the agent works it out. */
  nodeName(): string;
  sleep(ms: number): Promise<void>;
}

export interface ManifestText {
  readonly path: string;
  readonly text: string;
}

/** Ends the command with exit code 1 and this sentence on stderr; an empty one was said already. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}
