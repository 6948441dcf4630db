/** The edge that remembers a cluster between two calls of the demo: one file in the cluster's directory. */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Layout } from './layout.ts';
import type { ClusterChoice } from './choice.ts';

export interface ClusterState {
  /** The demo that raised it. */
  readonly pid: number;
  /** True: it shall stay though that demo has ended. */
  readonly kept: boolean;
  readonly choice: ClusterChoice;
}

const stateFile = ({ directory }: Layout): string => join(directory, 'state.json');

export async function saveState(layout: Layout, state: ClusterState): Promise<void> {
  await mkdir(layout.directory, { recursive: true, mode: 0o755 });
  await writeFile(stateFile(layout), `${JSON.stringify(state)}\n`);
}

/** Undefined where there is no cluster, or what is left of one does not tell. */
export async function loadState(layout: Layout): Promise<ClusterState | undefined> {
  try {
    return JSON.parse(await readFile(stateFile(layout), 'utf8')) as ClusterState;
  } catch {
    return undefined;
  }
}

export const removeDirectory = ({ directory }: Layout): Promise<void> =>
  rm(directory, { recursive: true, force: true });

/** Whether the demo that raised a cluster still runs; a process id that somebody else has now does not count. */
export async function isRaiserAlive({ pid }: ClusterState): Promise<boolean> {
  if (pid === process.pid) return false;
  const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return commandLine.includes('demo');
}
