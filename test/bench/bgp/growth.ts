/** `npm run bench -- growth`: how the cost of a load grows with the load. README.md tells the rest. */
import { cpus } from 'node:os';
import { median } from '../rounds.ts';
import type { BenchOptions, Report, Scenario } from '../scenario.ts';
import { formatFigure } from '../table.ts';
import { chosenDaemons, oneLine } from './bgp.ts';
import { exponent, GROWTH_CASES, linearithmic, MEMORY } from './growth-cases.ts';
import type { GrowthCase } from './growth-cases.ts';
import type { Figure } from './loads.ts';
import { measure } from './measure.ts';
import type { LoadRun } from './measure.ts';
import { OURS } from './summary.ts';
import type { Table } from './tables.ts';

/** Two measurements of the same differ by some percent. */
const TOLERANCE = 0.1;
/** Less is the grain of pages and collections, and says nothing. */
const LEAST_MEGABYTES = 4;

export interface Growth {
  readonly name: string;
  readonly what: string;
  readonly daemon: string;
  /** Medians, at each size. */
  readonly work: readonly number[];
  readonly seconds: readonly number[];
  readonly megabytes: readonly number[];
  readonly timeExponent: number;
  /** Absent where there is too little of it. */
  readonly memoryExponent?: number;
  readonly limit: number;
}

export const growth: Scenario = {
  name: 'growth',
  rounds: { standard: 3, least: 1 },
  run: async ({ rounds, loads: names = [], ...options }: BenchOptions): Promise<Report> => {
    const cases = GROWTH_CASES.filter(({ name }) => names.length === 0 || names.includes(name));
    const daemons = chosenDaemons(options.daemons ?? [OURS]);
    const loads = new Map(cases.flatMap(({ sizes }) => sizes.map(({ load }) => [load.name, load] as const)));
    const runs = await measure({
      ...{ daemons, loads: [...loads.values()], rounds },
      ...{ retries: options.retries ?? 1, quietSeconds: options.quietSeconds ?? 30 },
      onRun: (run) => console.error(oneLine(run, loads.get(run.load)!)),
    });
    const grown = daemons.flatMap(({ name }) => cases.flatMap((each) => growthOf(each, name, runs)));
    return report(grown, runs, rounds);
  },
};

function growthOf(
  { name, what, sizes, time }: GrowthCase,
  daemon: string,
  runs: readonly LoadRun[],
): readonly Growth[] {
  const medians = (figure: Figure): readonly number[] =>
    sizes.flatMap(({ load }) => {
      const mine = runs.filter((run) => run.daemon === daemon && run.load === load.name && run.result.ok);
      const values = mine.map(({ result }) => figure.of(result)).filter((value) => value !== undefined);
      return values.length === 0 ? [] : [median(values)];
    });
  const work = sizes.map((size) => size.work);
  const [seconds, megabytes] = [medians(time), medians(MEMORY)];
  // One that failed at a size is told by its run.
  if (seconds.length < sizes.length) return [];
  const hasMemory = megabytes.length === sizes.length && megabytes[0]! >= LEAST_MEGABYTES;
  return [
    {
      ...{ name, what, daemon, work, seconds, megabytes },
      timeExponent: exponent(seconds, work),
      ...(hasMemory ? { memoryExponent: exponent(megabytes, work) } : {}),
      limit: linearithmic(work),
    },
  ];
}

const isBounded = ({ timeExponent, memoryExponent = 0, limit }: Growth): boolean =>
  timeExponent <= limit + TOLERANCE && memoryExponent <= limit + TOLERANCE;

function report(grown: readonly Growth[], runs: readonly LoadRun[], rounds: number): Report {
  const failures = runs.flatMap(({ daemon, load, result }) =>
    result.ok ? [] : [`${load}: ${daemon} failed: ${result.errors.join('; ')}`],
  );
  return {
    heading: [
      `growth: ${rounds} rounds, medians; Node ${process.version}, ${cpus()[0]?.model ?? 'unknown processor'}`,
      'time and memory as powers of the work, which is prefixes told to the daemon and by it; at most what n log n is',
      ...failures,
    ],
    table: growthTable(grown),
    results: { node: process.version, rounds, growth: grown, runs },
    aims: grown
      .filter(({ daemon }) => daemon === OURS)
      .map((each) => ({
        what: `${each.name}: time as a power of the work`,
        limit: (each.limit + TOLERANCE).toFixed(2),
        measured: Math.max(each.timeExponent, each.memoryExponent ?? 0),
        isReached: isBounded(each),
      })),
    wrong: failures.filter((line) => line.includes(`: ${OURS} failed`)),
  };
}

/** A line for each load that grew. */
export const growthTable = (grown: readonly Growth[]): Table => [
  ['load', 'what grows', 'daemon', 'work', 's', 'MB', 'time ~ work^', 'memory ~ work^', 'n log n', ''],
  ...grown.map((each) => [
    ...[each.name, each.what, each.daemon, each.work.map((n) => n.toLocaleString('en')).join(' / ')],
    each.seconds.map(formatFigure).join(' / '),
    each.megabytes.map((value) => value.toFixed(0)).join(' / '),
    each.timeExponent.toFixed(2),
    each.memoryExponent?.toFixed(2) ?? '–',
    each.limit.toFixed(2),
    isBounded(each) ? 'ok' : 'faster',
  ]),
];
