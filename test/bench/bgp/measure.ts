/** All chosen daemons under all chosen loads, in rounds. */
import type { LoadedDaemon } from './daemon.ts';
import { sweepLeftovers } from './leftovers.ts';
import type { Load } from './loads.ts';
import { untilQuiet } from './quiet.ts';
import { noiseOf } from './result.ts';
import type { LoadResult } from './result.ts';
import { runOnce } from './run.ts';
import type { MoreOptions } from './run.ts';

export interface LoadRun {
  readonly daemon: string;
  readonly load: string;
  readonly round: number;
  /** What others took of a core while it was measured, 1 being all of it. */
  readonly noise: number;
  /** ISO 8601. */
  readonly when: string;
  readonly result: LoadResult;
}

export interface MeasureOptions {
  readonly daemons: readonly LoadedDaemon[];
  readonly loads: readonly Load[];
  readonly rounds: number;
  /** Of a run that others disturbed. */
  readonly retries: number;
  /** Seconds to wait for a quiet machine before each run. */
  readonly quietSeconds: number;
  readonly more?: MoreOptions;
  readonly onRun: (run: LoadRun) => void;
}

/** Above this a run is repeated; where all are, the quietest counts. */
export const MOST_NOISE = 0.1;

/**
 * Rounds are outermost, and within a round each load goes through all daemons: what slows the machine for a while slows
 * all of them. A daemon that failed under a load is not tried under it again.
 */
export async function measure(options: MeasureOptions): Promise<readonly LoadRun[]> {
  sweepLeftovers();
  const runs: LoadRun[] = [];
  const failed = new Set<string>();
  for (let round = 0; round < options.rounds; round++) {
    for (const load of options.loads) {
      for (const daemon of options.daemons.filter(({ kind }) => load.kinds.includes(kind))) {
        const pair = `${load.name} ${daemon.name}`;
        if (failed.has(pair)) continue;
        const run = await quietest(daemon, load, { ...options, round });
        if (!run.result.ok) failed.add(pair);
        runs.push(run);
        options.onRun(run);
      }
    }
  }
  return runs;
}

async function quietest(
  daemon: LoadedDaemon,
  load: Load,
  { round, retries, quietSeconds, more }: MeasureOptions & { round: number },
): Promise<LoadRun> {
  let best: LoadRun | undefined;
  for (let attempt = 0; attempt <= retries; attempt++) {
    await untilQuiet(quietSeconds);
    const result = await runOnce(daemon, load, more);
    const when = new Date().toISOString();
    const run: LoadRun = { daemon: daemon.name, load: load.name, round, noise: noiseOf(result), when, result };
    // A failure is no matter of noise that a repetition may hide.
    if (!result.ok) return run;
    if (best === undefined || run.noise < best.noise) best = run;
    if (best.noise <= MOST_NOISE) break;
  }
  return best!;
}
