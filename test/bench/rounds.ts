import { performance } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Something that is timed. Its outcome is asked for outside the measured time, after every sample. */
export interface Contender {
  readonly name: string;
  /** Before each sample, not timed: makes what `pass` needs and what would be a burden to the others if it were kept. */
  prepare?(): void;
  pass(): void;
  /** What the last pass made, as text; forgets it, so that a pass that does nothing cannot show an older result. */
  outcome(): string;
}

export interface Samples {
  readonly name: string;
  /** Milliseconds of one pass, one figure per round. */
  readonly roundMs: readonly number[];
  /** Of that time, the share in which this thread had a core: well below 1, and the machine was busy with others. */
  readonly roundCoreShare: readonly number[];
}

const WARM_UP_PASSES = 3;
/** A sample is as many passes as fill this time, so that the clock's grain does not show. */
const SAMPLE_MS = 40;

/**
 * All contenders in turn, A B C, A B C, `rounds` times: what slows the machine for a while slows all of them, and a
 * ratio within a round stays true. Garbage of one is collected before the next is timed. Throws where an outcome is not
 * `expected`.
 */
export function runRounds(contenders: readonly Contender[], rounds: number, expected: string): readonly Samples[] {
  const collectGarbage = garbageCollector();
  const entries = contenders.map((contender) => ({
    contender,
    passes: warmUp(contender, expected),
    samples: [] as Sample[],
  }));
  for (let round = 0; round < rounds; round++) {
    for (const { contender, passes, samples } of entries) {
      contender.prepare?.();
      collectGarbage();
      samples.push(timed(contender, passes));
      check(contender, expected);
    }
  }
  return entries.map(({ contender: { name }, samples }) => ({
    name,
    roundMs: samples.map(({ ms }) => ms),
    roundCoreShare: samples.map(({ coreShare }) => coreShare),
  }));
}

/** The middle value, or the mean of the middle two. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new Error('there is no median of nothing');
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >>> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The passes that fill a sample. */
function warmUp(contender: Contender, expected: string): number {
  let ms = 0;
  for (let pass = 0; pass < WARM_UP_PASSES; pass++) {
    contender.prepare?.();
    ms = timed(contender, 1).ms;
    check(contender, expected);
  }
  return Math.max(1, Math.round(SAMPLE_MS / ms));
}

interface Sample {
  /** Of one pass: the mean of a sample's. */
  readonly ms: number;
  readonly coreShare: number;
}

function timed(contender: Contender, passes: number): Sample {
  const cpu = process.threadCpuUsage();
  const start = performance.now();
  for (let pass = 0; pass < passes; pass++) contender.pass();
  const ms = performance.now() - start;
  const { user, system } = process.threadCpuUsage(cpu);
  return { ms: ms / passes, coreShare: (user + system) / 1000 / ms };
}

function check(contender: Contender, expected: string): void {
  const outcome = contender.outcome();
  if (outcome !== expected) throw new Error(`${contender.name} came to '${outcome}' instead of '${expected}'`);
}

/** V8's own, which Node hides without a flag. */
function garbageCollector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}
