import { execFileSync } from 'node:child_process';

/** Runs a command to its end and gives what it printed; throws with its stderr where it fails. */
export const run = (command: string, ...args: readonly string[]): string =>
  execFileSync(command, [...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

export interface TestNetns {
  readonly name: string;
  readonly path: string;
  /** A command in it. */
  readonly run: (command: string, ...args: readonly string[]) => string;
  readonly remove: () => void;
}

/** A network namespace under this test's own name; one that an interrupted run left behind is removed first. */
export function makeNetns(name: string): TestNetns {
  try {
    run('ip', 'netns', 'del', name);
  } catch {
    // There was none.
  }
  run('ip', 'netns', 'add', name);
  return {
    name,
    path: `/var/run/netns/${name}`,
    run: (command, ...args) => run('ip', 'netns', 'exec', name, command, ...args),
    remove: () => void run('ip', 'netns', 'del', name),
  };
}

/** Integration tests make namespaces; elsewhere they are skipped by name, in CI they must run. */
export const isRoot = process.getuid?.() === 0;
