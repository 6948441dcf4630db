/** The edge to other programs: run one to its end, or start one that stays. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';

export interface RunOptions {
  readonly input?: string;
  readonly timeoutMs?: number;
  /** The whole environment; absent: the demo's own. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Called with stderr as it comes. */
  readonly onStderr?: (text: string) => void;
}

export interface RunResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

const DEFAULT_TIMEOUT_MS = 60_000;

/** Another program failed; the message names it and quotes what it said. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}

/** Runs a program to its end, whatever its exit code; 127 where it does not exist. Killed after the timeout. */
export function run(command: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const [program, ...args] = command;
  return new Promise((resolve, reject) => {
    const timeout = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    // A group of its own, so that Ctrl-C reaches the demo alone and the demo decides what ends when.
    const child = spawn(program!, args, {
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout,
      killSignal: 'SIGKILL',
      env: options.env ?? process.env,
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
      options.onStderr?.(text);
    });
    child.stdin.on('error', () => undefined); // the program may end before it read all of its input
    child.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') resolve({ exitCode: 127, stdout, stderr: `${program!}: not found` });
      else reject(error);
    });
    child.on('close', (code, signal) => {
      if (signal === 'SIGKILL') stderr += `${program!} was killed, or took longer than ${timeout / 1000} s`;
      resolve({ exitCode: code ?? 128, stdout, stderr });
    });
    child.stdin.end(options.input ?? '');
  });
}

/** Like run(), but anything else than exit code 0 becomes a CommandError. Returns stdout. */
export async function mustRun(command: readonly string[], options: RunOptions = {}): Promise<string> {
  const { exitCode, stdout, stderr } = await run(command, options);
  if (exitCode !== 0) {
    throw new CommandError(`'${command.join(' ')}' ended with ${exitCode}: ${(stderr || stdout).trim()}`);
  }
  return stdout;
}

/** Starts a program that outlives this call, its output appended to `logFile`. Throws CommandError where it cannot start. */
export async function startDaemon(
  command: readonly string[],
  options: { readonly logFile: string; readonly env: Readonly<Record<string, string>> },
): Promise<ChildProcess & { readonly pid: number }> {
  const [program, ...args] = command;
  const log = openSync(options.logFile, 'a');
  try {
    const child = spawn(program!, args, {
      detached: true,
      stdio: ['ignore', log, log],
      env: options.env,
    });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', (error) => reject(new CommandError(`cannot start '${command.join(' ')}': ${error.message}`)));
    });
    child.unref();
    return child as ChildProcess & { readonly pid: number };
  } finally {
    closeSync(log);
  }
}

/** A program that reports as it goes. */
export interface Recorder {
  /** What it wrote to stdout so far. */
  text(): string;
  readonly pid: number;
  /** SIGINT, then waits for its end; SIGKILL where it does not end within two seconds. */
  stop(): Promise<string>;
}

/** Starts a program that reports as it goes (`tcpdump`, `ip monitor`, `ping`); ready once `until` matches what it wrote. */
export async function startRecorder(command: readonly string[], until?: RegExp): Promise<Recorder> {
  const [program, ...args] = command;
  const child = spawn(program!, args, { detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()));
  await new Promise<void>((resolve, reject) => {
    const check = (): void => {
      if (until === undefined || until.test(stdout + stderr)) resolve();
    };
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      check();
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
      check();
    });
    child.on('error', (error) => reject(new CommandError(`cannot start '${command.join(' ')}': ${error.message}`)));
    child.on('close', () => reject(new CommandError(`'${command.join(' ')}' ended at once: ${stderr.trim()}`)));
    child.on('spawn', check);
  });
  return {
    pid: child.pid!,
    text: () => stdout,
    stop: async () => {
      child.kill('SIGINT');
      const timer = setTimeout(() => child.kill('SIGKILL'), 2000);
      await ended;
      clearTimeout(timer);
      return stdout;
    },
  };
}
