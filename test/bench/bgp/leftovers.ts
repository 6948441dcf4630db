/** What a runner that was killed could not take away itself. */
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeNamespace } from './link.ts';
import { FOLDER_PREFIX } from './run.ts';

const NAMESPACES = '/run/netns';

/** Removes namespaces, processes in them, and folders of runners that are no more; each bears its runner's process id. */
export function sweepLeftovers(): void {
  const isOrphan = (runner: string | undefined): boolean => runner !== undefined && !existsSync(`/proc/${runner}`);
  for (const name of existsSync(NAMESPACES) ? readdirSync(NAMESPACES) : []) {
    if (isOrphan(/^ctb(\d+)[dg]$/.exec(name)?.[1])) removeNamespace(name);
  }
  for (const name of readdirSync(tmpdir()).filter((each) => each.startsWith(FOLDER_PREFIX))) {
    const [runner] = name.slice(FOLDER_PREFIX.length).split('-');
    if (isOrphan(runner)) rmSync(join(tmpdir(), name), { recursive: true, force: true });
  }
}
