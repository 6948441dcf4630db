/** How much processor time the processes of a demo cluster take, by host. */
import { execFileSync } from 'node:child_process';
import type { Layout } from '../../src/demo/layout.ts';
import { processorUseOf } from './process-figures.ts';

interface Reading {
  readonly host: string;
  readonly pid: number;
  readonly ms: number;
}

/** Of all processes that run now in the namespaces of these hosts; one that is not among them at the end counts for nothing. */
export class ClusterProcessor {
  readonly #before: readonly Reading[];

  constructor(layout: Layout, hosts: readonly string[]) {
    this.#before = hosts.flatMap((host) =>
      execFileSync('ip', ['netns', 'pids', `${layout.prefix}${host}`], { encoding: 'utf8' })
        .split('\n')
        .filter(Boolean)
        .map((pid) => ({ host, pid: Number(pid), ms: processorUseOf(Number(pid)).ms })),
    );
  }

  /** Milliseconds since, of each process, named by its host; of several on one host the oldest first. */
  since(): readonly (readonly [host: string, ms: number])[] {
    return this.#before.map(({ host, pid, ms }) => [host, processorUseOf(pid).ms - ms] as const);
  }
}
