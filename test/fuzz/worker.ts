import { parentPort, workerData } from 'node:worker_threads';
import type { Failure } from './case.ts';
import { attempt } from './case.ts';
import type { Schedule } from './schedule.ts';
import { scheduleOf } from './schedule.ts';
import type { FuzzTarget } from './targets/target.ts';

/** What a worker is born with. */
export interface WorkerOrder {
  readonly targetsModule: string;
  readonly only: string | undefined;
  readonly seed: number;
  /** One slot per worker: the index it is at, or IDLE. */
  readonly places: Int32Array;
  readonly slot: number;
}

/** A range of indexes, without those that ended a worker before. */
export interface Chunk {
  readonly from: number;
  readonly to: number;
  readonly skip: readonly number[];
}

export interface ChunkResult {
  readonly chunk: Chunk;
  /** By `target\0outcome`. */
  readonly outcomes: ReadonlyMap<string, number>;
  /** Of this thread's processor time, by target: other work on the machine does not count. */
  readonly milliseconds: ReadonlyMap<string, number>;
  readonly failures: readonly Failure[];
}

export const IDLE = -1;

if (parentPort !== null) {
  const port = parentPort;
  const order = workerData as WorkerOrder;
  const { targets } = (await import(order.targetsModule)) as { readonly targets: readonly FuzzTarget[] };
  const schedule = scheduleOf(targets, order.only, order.seed);
  // Stacks cost more than most inputs; a failure is run again with them.
  Error.stackTraceLimit = 0;
  port.on('message', (chunk: Chunk) => port.postMessage(runChunk(chunk, schedule, order)));
  port.postMessage('ready');
}

function runChunk(chunk: Chunk, schedule: Schedule, { places, slot }: WorkerOrder): ChunkResult {
  const outcomes = new Map<string, number>();
  const milliseconds = new Map<string, number>();
  const failures: Failure[] = [];
  for (const target of schedule.targets) {
    const started = cpuMilliseconds();
    const counts = new Map<string, number>();
    for (let index = chunk.from; index < chunk.to; index++) {
      if (schedule.targetOf(index) !== target || chunk.skip.includes(index)) continue;
      Atomics.store(places, slot, index);
      const result = attempt(target, schedule.inputOf(index));
      if (result.kind === 'failure') failures.push(failureAt(index, target, schedule));
      const outcome = result.kind === 'failure' ? 'FAILURE' : result.outcome;
      counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
    }
    for (const [outcome, count] of counts) outcomes.set(`${target.name}\0${outcome}`, count);
    milliseconds.set(target.name, cpuMilliseconds() - started);
  }
  Atomics.store(places, slot, IDLE);
  return { chunk, outcomes, milliseconds, failures };
}

const cpuMilliseconds = (): number => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
};

/** The same input again, for its stack. */
function failureAt(index: number, target: FuzzTarget, schedule: Schedule): Failure {
  Error.stackTraceLimit = 20;
  const result = attempt(target, schedule.inputOf(index));
  Error.stackTraceLimit = 0;
  if (result.kind === 'outcome') return { index, target: target.name, error: 'fails only at times', stack: '' };
  return { index, target: target.name, error: String(result.error), stack: result.error.stack ?? '' };
}
