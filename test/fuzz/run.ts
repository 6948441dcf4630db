import { Worker } from 'node:worker_threads';
import type { Failure } from './case.ts';
import { caseOf, kindOf, saveCase } from './case.ts';
import type { Schedule } from './schedule.ts';
import type { Chunk, ChunkResult, WorkerOrder } from './worker.ts';
import { IDLE } from './worker.ts';

export interface RunOptions {
  readonly runs: number;
  readonly seed: number;
  readonly workers: number;
  /** Name of the one target; undefined: all. */
  readonly target: string | undefined;
  /** URL of a module that exports `targets`; workers load it by themselves. */
  readonly targetsModule: string;
  /** How long one input may take before it is a hang. */
  readonly hangMs: number;
  readonly caseDirectory: string;
  /** Told every few seconds. */
  readonly onProgress?: (done: number, failures: number) => void;
}

export interface RunReport {
  readonly inputs: number;
  readonly seconds: number;
  /** By `target\0outcome`. */
  readonly outcomes: ReadonlyMap<string, number>;
  /** Processor time of all workers together, by target. */
  readonly milliseconds: ReadonlyMap<string, number>;
  readonly failures: readonly Failure[];
  /** Files of the saved cases. */
  readonly files: readonly string[];
}

const CHUNK = 2000;
const PROGRESS_MS = 5000;
/** One bug may fail a million inputs: of one kind so many are saved, and the others are counted. */
const CASES_PER_KIND = 10;

/**
 * Runs inputs 0 to `runs` - 1 in worker threads. A chunk counts as a whole: where an input ends its worker or hangs, the
 * chunk is done again without it, so that the sums depend on nothing but the seed.
 */
export async function runFuzz(options: RunOptions, schedule: Schedule): Promise<RunReport> {
  const started = performance.now();
  const tally = new Tally(options, schedule);
  const places = new Int32Array(new SharedArrayBuffer(4 * options.workers)).fill(IDLE);
  let next = 0;
  const nextChunk = (): Chunk | undefined => {
    if (next >= options.runs) return undefined;
    const from = next;
    next = Math.min(options.runs, from + CHUNK);
    return { from, to: next, skip: [] };
  };
  const report = setInterval(() => options.onProgress?.(tally.inputs, tally.failures.length), PROGRESS_MS);
  try {
    const slots = Array.from({ length: options.workers }, (_, slot) => slot);
    await Promise.all(
      slots.map(async (slot) => {
        for (let chunk = nextChunk(); chunk !== undefined;) {
          const ended = await oneWorker(chunk, { options, places, slot, nextChunk, tally });
          chunk = ended === undefined ? nextChunk() : ended;
        }
      }),
    );
  } finally {
    clearInterval(report);
  }
  return tally.report((performance.now() - started) / 1000);
}

interface Desk {
  readonly options: RunOptions;
  readonly places: Int32Array;
  readonly slot: number;
  readonly nextChunk: () => Chunk | undefined;
  readonly tally: Tally;
}

/** One worker until there is no chunk left, or until an input ends it: then the chunk that is to be done again. */
function oneWorker(first: Chunk, desk: Desk): Promise<Chunk | undefined> {
  const { options, places, slot, nextChunk, tally } = desk;
  const order: WorkerOrder = {
    targetsModule: options.targetsModule,
    only: options.target,
    seed: options.seed,
    places,
    slot,
  };
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData: order });
    let chunk: Chunk | undefined = first;
    let why = 'the worker ended';
    let stack = '';
    let lastPlace = IDLE;
    let hungAt: number | undefined;
    let since = performance.now();
    const watch = setInterval(
      () => {
        const place = Atomics.load(places, slot);
        if (place !== lastPlace || place === IDLE) {
          lastPlace = place;
          since = performance.now();
        } else if (performance.now() - since >= options.hangMs) {
          hungAt = place;
          why = `hang: no end after ${options.hangMs} ms`;
          void worker.terminate();
        }
      },
      Math.min(500, options.hangMs / 4),
    );
    worker.on('message', (message: ChunkResult | 'ready') => {
      if (message !== 'ready') {
        tally.add(message);
        chunk = nextChunk();
      }
      if (chunk === undefined) void worker.terminate();
      else worker.postMessage(chunk);
    });
    worker.on('error', (error: unknown) => {
      why = `the worker ended: ${String(error)}`;
      stack = error instanceof Error ? (error.stack ?? '') : '';
    });
    worker.on('exit', () => {
      clearInterval(watch);
      const last = Atomics.exchange(places, slot, IDLE);
      const index = hungAt ?? last;
      if (chunk === undefined) resolve(undefined);
      else if (index >= chunk.from && index < chunk.to) {
        tally.fail({ index, target: tally.targetOf(index), error: why, stack });
        resolve({ ...chunk, skip: [...chunk.skip, index] });
      } else if (hungAt !== undefined) {
        // It came to its end just then; the chunk after it is whole.
        resolve(chunk);
      } else reject(new Error(`${why}, before its first input\n${stack}`));
    });
  });
}

/** Sums and failures of all workers. */
class Tally {
  inputs = 0;
  readonly failures: Failure[] = [];
  readonly #options: RunOptions;
  readonly #schedule: Schedule;
  readonly #outcomes = new Map<string, number>();
  readonly #milliseconds = new Map<string, number>();
  readonly #perKind = new Map<string, number>();
  readonly #files: string[] = [];

  constructor(options: RunOptions, schedule: Schedule) {
    this.#options = options;
    this.#schedule = schedule;
  }

  targetOf(index: number): string {
    return this.#schedule.targetOf(index).name;
  }

  add({ chunk, outcomes, milliseconds, failures }: ChunkResult): void {
    this.inputs += chunk.to - chunk.from - chunk.skip.length;
    for (const [key, count] of outcomes) addTo(this.#outcomes, key, count);
    for (const [key, time] of milliseconds) addTo(this.#milliseconds, key, time);
    for (const failure of failures) this.#keep(failure);
  }

  /** An input that ended its worker, and so is in no chunk's result. */
  fail(failure: Failure): void {
    this.inputs++;
    addTo(this.#outcomes, `${failure.target}\0FAILURE`, 1);
    this.#keep(failure);
  }

  report(seconds: number): RunReport {
    return {
      inputs: this.inputs,
      seconds,
      outcomes: this.#outcomes,
      milliseconds: this.#milliseconds,
      failures: this.failures.sort((a, b) => a.index - b.index),
      files: this.#files,
    };
  }

  #keep(failure: Failure): void {
    this.failures.push(failure);
    const kind = kindOf(failure);
    addTo(this.#perKind, kind, 1);
    if (this.#perKind.get(kind)! > CASES_PER_KIND) return;
    const found = caseOf(failure, this.#options.seed, this.#schedule.inputOf(failure.index));
    this.#files.push(saveCase(this.#options.caseDirectory, found));
  }
}

function addTo(sums: Map<string, number>, key: string, value: number): void {
  sums.set(key, (sums.get(key) ?? 0) + value);
}
