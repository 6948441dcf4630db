/** The edge that boots the machine, runs one command in it and brings its answer home. */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../process.ts';
import { jobScript, qemuArguments, readResult } from './guest.ts';
import { ensureVmImage, VmUnavailableError } from './image.ts';

const QEMU = 'qemu-system-x86_64';

export interface VmOptions {
  readonly timeoutMs: number;
  /** Working directory of the command, and the project whose `node_modules/.bin` and `.cache` are used. */
  readonly project?: string;
  /** Called with the console's text as it comes: the kernel's messages and the command's stderr. */
  readonly onConsole?: (text: string) => void;
  readonly signal?: AbortSignal;
}

export interface VmResult {
  /** Absent where the machine ended without an answer: the timeout, the signal, or a crash. */
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly console: string;
}

/** Why the VM cannot run here, in one sentence; undefined where it can. */
export async function vmObstacle(): Promise<string | undefined> {
  if (process.arch !== 'x64') return `the VM knows only x64 machines, and this one is ${process.arch}`;
  if ((await run([QEMU, '--version'])).exitCode !== 0) return `${QEMU} is not installed`;
  if ((await run(['apt-get', '--version'])).exitCode !== 0) return 'there is no apt-get to fetch Debian’s kernel with';
  return undefined;
}

/**
 * Runs a shell command on Debian's stock kernel, on this machine's files; what it writes to them is gone with the
 * machine. Never longer than `timeoutMs`. Throws VmUnavailableError where there is no qemu or no kernel to be had.
 */
export async function runInVm(command: string, options: VmOptions): Promise<VmResult> {
  const obstacle = await vmObstacle();
  if (obstacle !== undefined) throw new VmUnavailableError(obstacle);
  const project = options.project ?? process.cwd();
  const onConsole = options.onConsole ?? ((): void => undefined);
  const image = await ensureVmImage(join(project, '.cache/vm'), (line) => onConsole(`${line}\n`));
  const jobDirectory = await mkdtemp(join(tmpdir(), 'calico-ts-vm-'));
  try {
    const job = {
      command,
      workingDirectory: project,
      modulesDirectory: image.modulesDirectory,
      path: `${project}/node_modules/.bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
    };
    await writeFile(join(jobDirectory, 'job.sh'), jobScript(job));
    const resultFile = join(jobDirectory, 'result');
    const cpus = Math.min(4, availableParallelism());
    const machine = { ...image, jobDirectory, resultFile, memoryMb: 3072, cpus };
    const consoleText = await boot(qemuArguments(machine), options.timeoutMs, { onConsole, signal: options.signal });
    const written = await readFile(resultFile, 'utf8').catch(() => '');
    return { ...readResult(written), console: consoleText };
  } finally {
    await rm(jobDirectory, { recursive: true, force: true });
  }
}

function boot(
  args: readonly string[],
  timeoutMs: number,
  { onConsole, signal }: { readonly onConsole: (text: string) => void; readonly signal: AbortSignal | undefined },
): Promise<string> {
  return new Promise((resolve, reject) => {
    const machine = spawn(QEMU, args, { detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    const take = (chunk: string): void => {
      const clean = chunk.replaceAll('\r\n', '\n');
      text += clean;
      onConsole(clean);
    };
    machine.stdout.setEncoding('utf8').on('data', take);
    machine.stderr.setEncoding('utf8').on('data', take);
    const kill = (): void => void machine.kill('SIGKILL');
    const timer = setTimeout(kill, timeoutMs);
    signal?.addEventListener('abort', kill, { once: true });
    if (signal?.aborted === true) kill();
    machine.on('error', reject);
    machine.on('close', () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', kill);
      resolve(text);
    });
  });
}
