import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeNetns, run } from '../support/netns.ts';
import type { TestNetns } from '../support/netns.ts';

export const RECORDER = { 4: '10.99.0.1', 6: '2001:db8:99::1' } as const;
export const DAEMON = { 4: '10.99.0.2', 6: '2001:db8:99::2' } as const;

/** Of the daemon, so that no FQDN capability tells the name of the machine. */
const HOSTNAME = 'capture';
const GONE_MS = 5000;

/** A host, in a namespace, on which a daemon may run. */
export interface DaemonHost {
  readonly directory: string;
  /** Starts a program on the host. What it says is in `output`. */
  startDaemon(command: string, ...args: readonly string[]): ChildProcess;
  /** Writes a file into the directory and gives its path. */
  file(name: string, text: string): string;
  /** Runs a command on the host. Throws with its stderr where it fails. */
  run(command: string, ...args: readonly string[]): string;
  /** What the started programs have printed. */
  output(): string;
  /** Calls `undo` on close, after the programs have ended. */
  onClose(undo: () => void): void;
}

/** Two hosts on one wire: the daemon and the recorder, each in a namespace. Nothing of it outlives `close`. */
export interface CaptureLab extends DaemonHost {
  startRecorder(command: string, ...args: readonly string[]): ChildProcess;
  close(): Promise<void>;
}

/** Throws where the namespaces cannot be made (needs root); then nothing is left either. */
export function makeLab(name: string): CaptureLab {
  const directory = mkdtempSync(join(tmpdir(), 'calico-ts-capture-'));
  chmodSync(directory, 0o755);
  const made: TestNetns[] = [];
  const undo: (() => void)[] = [];
  let printed = '';

  const remove = async (): Promise<void> => {
    await Promise.all(made.map(endAll));
    for (const netns of made.splice(0)) netns.remove();
    for (const step of undo.splice(0)) step();
    rmSync(directory, { recursive: true, force: true });
  };
  const start = (netns: TestNetns, command: readonly string[]): ChildProcess => {
    const child = spawn('ip', ['netns', 'exec', netns.name, ...command], { stdio: ['pipe', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (printed += chunk.toString()));
    child.on('error', (error) => (printed += error.message));
    child.stdin.on('error', () => undefined);
    return child;
  };
  try {
    for (const host of ['daemon', 'recorder']) made.push(makeNetns(`calico-ts-capture-${process.pid}-${name}-${host}`));
    const [daemon, recorder] = [made[0]!, made[1]!];
    connect(daemon, recorder);
    return {
      directory,
      startDaemon: (...command) => start(daemon, ['unshare', '--uts', 'sh', '-c', ON_HOST, HOSTNAME, ...command]),
      startRecorder: (...command) => start(recorder, command),
      file: (file, text) => {
        const path = join(directory, file);
        writeFileSync(path, text);
        return path;
      },
      run: daemon.run,
      output: () => printed,
      onClose: (step) => void undo.push(step),
      close: remove,
    };
  } catch (error) {
    for (const netns of made) netns.remove();
    rmSync(directory, { recursive: true, force: true });
    throw error;
  }
}

const ON_HOST = 'hostname "$0" && exec "$@"';

function connect(daemon: TestNetns, recorder: TestNetns): void {
  const end = ['name', 'eth0', 'netns'];
  run('ip', 'link', 'add', ...end, daemon.name, 'type', 'veth', 'peer', ...end, recorder.name);
  const hosts = [
    [daemon, DAEMON],
    [recorder, RECORDER],
  ] as const;
  for (const [{ name }, address] of hosts) {
    run('ip', '-n', name, 'address', 'add', `${address[4]}/24`, 'dev', 'eth0');
    run('ip', '-n', name, 'address', 'add', `${address[6]}/64`, 'dev', 'eth0', 'nodad');
    // The link-local address too must be there at once, and the same each time.
    run('ip', 'netns', 'exec', name, 'sysctl', '-qw', 'net.ipv6.conf.eth0.addr_gen_mode=1');
    for (const link of ['lo', 'eth0']) run('ip', '-n', name, 'link', 'set', link, 'up');
    run('ip', '-n', name, 'address', 'add', `fe80::${address[4].at(-1)!}/64`, 'dev', 'eth0', 'nodad');
  }
}

/** All processes of a namespace are ours: it is. Some daemons fork, so the children that we know are not all. */
async function endAll({ name }: TestNetns): Promise<void> {
  const end = Date.now() + GONE_MS;
  for (let signal: NodeJS.Signals = 'SIGTERM'; ; signal = Date.now() > end - GONE_MS / 2 ? 'SIGKILL' : 'SIGTERM') {
    const pids = pidsOf(name);
    if (pids.length === 0 || Date.now() > end) return;
    for (const pid of pids) sendSignal(pid, signal);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const pidsOf = (name: string): readonly number[] =>
  existsSync(`/run/netns/${name}`) ? run('ip', 'netns', 'pids', name).split('\n').filter(Boolean).map(Number) : [];

function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended meanwhile.
  }
}
