/** Processes of a run: they end with the runner, even where it is killed, and are ended by their ids. */
import { spawn } from 'node:child_process';
import type { ChildProcess, StdioOptions } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { namespaceFile } from './link.ts';
import { remember } from './undo.ts';

export interface RunningProcess {
  readonly child: ChildProcess;
  readonly pid: number;
  /** Ends it and what it started. */
  readonly stop: () => void;
}

export interface Place {
  readonly namespace: string;
  readonly folder: string;
  readonly stdio: StdioOptions;
}

const TERM_MS = 3000;
const KILL_MS = 3000;

/** Runs a command in a namespace. A terminal's Ctrl-C does not reach it, so that it is ended in order. */
export function startIn({ namespace, folder, stdio }: Place, command: readonly string[]): RunningProcess {
  const argv = ['--pdeathsig', 'KILL', 'ip', 'netns', 'exec', namespace, ...command];
  const child = spawn('setpriv', argv, {
    ...{ cwd: folder, stdio, detached: true },
    env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` },
  });
  const { pid } = child;
  if (pid === undefined) throw new Error('setpriv cannot be started (Debian: util-linux)');
  return { child, pid, stop: remember(() => endTree(pid)) };
}

/** Whether the process is inside: setpriv and ip are gone, the command runs. */
export function isInside(pid: number, namespace: string): boolean {
  try {
    return statSync(`/proc/${pid}/ns/net`).ino === statSync(namespaceFile(namespace)).ino;
  } catch {
    return false;
  }
}

/** A process and all that descend from it. */
export function treeOf(pid: number): readonly number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const parent = parentOf(Number(name));
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const tree = [pid];
  for (const each of tree) tree.push(...(children.get(each) ?? []));
  return tree;
}

/** The fields of /proc/PID/stat after the name, which may hold anything: state, parent, ... */
function statOf(pid: number): readonly string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

function parentOf(pid: number): number | undefined {
  const parent = statOf(pid)?.[1];
  return parent === undefined ? undefined : Number(parent);
}

/** A zombie is gone: our own children stay zombies until the event loop runs. */
const isGone = (pid: number): boolean => ['Z', 'X', undefined].includes(statOf(pid)?.[0]);

/** Ends these processes, by TERM and then by KILL, and returns when they are gone. */
export function endTree(pid: number): void {
  if (!existsSync(`/proc/${pid}`)) return;
  const pids = treeOf(pid);
  for (const [signal, limitMs] of [
    ['SIGTERM', TERM_MS],
    ['SIGKILL', KILL_MS],
  ] as const) {
    for (const each of pids) {
      try {
        process.kill(each, signal);
      } catch {
        // It is gone.
      }
    }
    for (let waited = 0; waited < limitMs; waited += 10) {
      if (pids.every(isGone)) return;
      pause(10);
    }
  }
}

/** Stands still, as nothing else may happen meanwhile. */
function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
