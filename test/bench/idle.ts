/** `npm run bench -- idle`: what a daemon with five peers costs while nothing happens. Needs root and `npm run build`. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { NODE_FLAGS } from '../../src/runtime/node-flags.ts';
import { nodeProgram } from '../support/lab-processes.ts';
import { CONTENDERS, IdleLab, PEERS } from './idle-lab.ts';
import type { Contender } from './idle-lab.ts';
import { memoryOf, processorUseOf } from './process-figures.ts';
import type { ProcessMemory } from './process-figures.ts';
import { median } from './rounds.ts';
import { atMost, missedLines } from './scenario.ts';
import type { Aim, BenchOptions, Report, Scenario } from './scenario.ts';
import { formatFigure } from './table.ts';

const DEFAULT_SECONDS = 60;
/** Of a kubelet, by default; a scrape as often is more than Prometheus does. */
const ASK_SECONDS = 10;
/** What the start costs is over, and V8 has given back what it does not need. */
const REST_MS = 12_000;
const NOTHING = 'node';
const AIMS = { agentRss: 80, speakerRss: 65, cpuPercent: 0.3, startMs: 250 };

interface Running {
  readonly name: string;
  readonly pid: number;
}

/** Of one contender: a value for each round but for the processor, which is that of the whole time. */
interface Result {
  readonly name: string;
  readonly startMs: readonly number[];
  readonly memory: readonly ProcessMemory[];
  readonly cpuPercent: number;
  readonly waitsPerSecond: number;
  readonly threads: number;
}

export const idle: Scenario = {
  name: 'idle',
  run: async ({ rounds, seconds = DEFAULT_SECONDS }: BenchOptions): Promise<Report> => {
    const lab = new IdleLab();
    const nothing = spawn(nodeProgram(), [...NODE_FLAGS, '-e', 'setInterval(() => undefined, 2 ** 30)']);
    try {
      await lab.startPeers();
      const starts = await measureStarts(lab, rounds);
      const running = [{ name: NOTHING, pid: nothing.pid! }];
      for (const contender of CONTENDERS) running.push({ name: contender.name, pid: (await lab.start(contender)).pid });
      for (const contender of CONTENDERS) await lab.established(contender.name);
      const results = await watch(lab, running, { rounds, seconds });
      return report(
        results.map((result) => ({ ...result, startMs: starts.get(result.name) ?? [] })),
        seconds,
      );
    } finally {
      nothing.kill('SIGKILL');
      await lab.close();
    }
  },
};

/** In turn, each alone; the first of each, which makes what a first start makes, does not count. */
async function measureStarts(lab: IdleLab, rounds: number): Promise<ReadonlyMap<string, readonly number[]>> {
  const starts = new Map(CONTENDERS.map(({ name }): [string, number[]] => [name, []]));
  for (let round = -1; round < rounds; round++) {
    for (const contender of CONTENDERS) {
      const { child, ms } = await lab.start(contender);
      if (round >= 0) starts.get(contender.name)!.push(ms);
      await end(child);
    }
  }
  return starts;
}

async function end(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  await gone;
}

/** All at once, so that they have the same minute. */
async function watch(
  lab: IdleLab,
  running: readonly Running[],
  { rounds, seconds }: Required<Pick<BenchOptions, 'rounds' | 'seconds'>>,
): Promise<readonly Omit<Result, 'startMs'>[]> {
  const asking = keepAsking(lab, CONTENDERS);
  try {
    await sleep(REST_MS);
    const before = running.map(({ pid }) => processorUseOf(pid));
    const memory = running.map((): ProcessMemory[] => []);
    for (let round = 0; round < rounds; round++) {
      await sleep((seconds * 1000) / rounds);
      for (const [i, { pid }] of running.entries()) memory[i]!.push(memoryOf(pid));
    }
    const after = running.map(({ pid }) => processorUseOf(pid));
    for (const contender of CONTENDERS) await lab.established(contender.name);
    return running.map(({ name }, i) => ({
      ...{ name, memory: memory[i]!, threads: after[i]!.threads },
      cpuPercent: ((after[i]!.ms - before[i]!.ms) / (seconds * 1000)) * 100,
      waitsPerSecond: (after[i]!.waits - before[i]!.waits) / seconds,
    }));
  } finally {
    clearInterval(asking);
  }
}

function keepAsking(lab: IdleLab, contenders: readonly Contender[]): NodeJS.Timeout {
  const ask = (): void => contenders.filter(({ isAsked }) => isAsked).forEach(({ name }) => lab.ask(name));
  ask();
  return setInterval(ask, ASK_SECONDS * 1000);
}

const megabytes = (octets: number): number => octets / 2 ** 20;

const medianOf = (memory: readonly ProcessMemory[], kind: keyof ProcessMemory): number =>
  megabytes(median(memory.map((sample) => sample[kind])));

function report(results: readonly Result[], seconds: number): Report {
  const aims = aimsOf(results);
  const [nothing] = results;
  const floor = medianOf(nothing!.memory, 'rss');
  const birds = results.find(({ name }) => name === 'BIRD');
  const rows = results.map(({ name, memory, startMs, cpuPercent, waitsPerSecond, threads }) => [
    name,
    ...(['rss', 'pss', 'private', 'anonymous'] as const).map((kind) => medianOf(memory, kind).toFixed(1)),
    (medianOf(memory, 'rss') / floor).toFixed(2),
    birds === undefined ? '' : (medianOf(memory, 'rss') / medianOf(birds.memory, 'rss')).toFixed(1),
    cpuPercent.toFixed(3),
    waitsPerSecond.toFixed(1),
    String(threads),
    startMs.length === 0 ? '' : formatFigure(median(startMs)),
  ]);
  return {
    heading: [
      `idle: ${PEERS} peers, ${seconds} s; Node ${process.version} ${NODE_FLAGS.join(' ')}, ${cpus()[0]?.model ?? 'unknown processor'}`,
      `MB are 2^20 octets; 'start ms' is until it listens for BGP; agent-asked is probed and scraped every ${ASK_SECONDS} s`,
      ...missedLines(aims),
    ],
    aims,
    table: [
      ['daemon', 'rss MB', 'pss', 'private', 'anon', 'rss/node', 'rss/BIRD', 'cpu %', 'waits/s', 'threads', 'start ms'],
      ...rows,
    ],
    results: {
      node: process.version,
      processor: cpus()[0]?.model,
      peers: PEERS,
      seconds,
      flags: NODE_FLAGS,
      daemons: results,
    },
  };
}

function aimsOf(results: readonly Result[]): readonly Aim[] {
  return results
    .filter(({ name }) => name !== NOTHING && name !== 'BIRD')
    .flatMap(({ name, memory, startMs, cpuPercent }) => {
      const rssAim = name === 'speaker' ? AIMS.speakerRss : AIMS.agentRss;
      return [
        atMost(`${name}: resident`, medianOf(memory, 'rss'), [rssAim, 'MB']),
        atMost(`${name}: of a core`, cpuPercent, [AIMS.cpuPercent, '%']),
        atMost(`${name}: from start to listening`, median(startMs), [AIMS.startMs, 'ms']),
      ];
    });
}
