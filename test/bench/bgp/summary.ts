/** Medians and ratios of many runs. Pure. */
import { median } from '../rounds.ts';
import { LOADS } from './loads.ts';
import type { Figure, Load, Unit } from './loads.ts';
import type { LoadRun } from './measure.ts';
import { reached } from './result.ts';

/** What ratios are to. */
export const BASELINE = 'bird';
export const OURS = 'calico-ts';

/** As they are shown, whoever was measured first. */
export const DAEMON_ORDER: readonly string[] = [BASELINE, OURS, 'frr', 'openbgpd', 'gobgpd', 'relay', 'sink'];

export interface SummaryFigure {
  readonly title: string;
  readonly unit: Unit;
  /** Of each good round. */
  readonly values: readonly number[];
  readonly median: number;
  /** Times the baseline's of the same round, the median of the rounds; absent where there is none, or it is 0. */
  readonly ratio?: number;
}

export interface SummaryRow {
  readonly load: string;
  readonly daemon: string;
  readonly runs: number;
  /** Why a run failed, and how far it came; absent where none did. */
  readonly failure?: { readonly reached: string; readonly errors: readonly string[] };
  readonly noise: number;
  readonly figures: readonly SummaryFigure[];
  readonly keepalives?: SummaryLateness;
}

export interface SummaryLateness {
  readonly n: number;
  readonly lost: number;
  readonly p999Ms: number;
  readonly maxMs: number;
}

/** A row for each load and daemon of which there are runs, in the order of the loads. */
export function summarize(runs: readonly LoadRun[]): readonly SummaryRow[] {
  return LOADS.flatMap((load) => {
    const mine = runs.filter((run) => run.load === (load.within ?? load.name));
    const daemons = [...new Set(mine.map(({ daemon }) => daemon))];
    return daemons.map((daemon) => row(load, daemon, mine));
  });
}

function row(load: Load, daemon: string, runs: readonly LoadRun[]): SummaryRow {
  const mine = runs.filter((run) => run.daemon === daemon);
  const bad = mine.find(({ result }) => !result.ok);
  const keepalives = load.watched && load.within === undefined ? lateness(mine) : undefined;
  return {
    ...{ load: load.name, daemon, runs: mine.length },
    ...(bad === undefined ? {} : { failure: { reached: reached(bad.result), errors: bad.result.errors.slice(0, 3) } }),
    noise: Math.max(...mine.map(({ noise }) => noise)),
    figures: load.figures.flatMap((figure) => summaryFigure(figure, mine, runs)),
    ...(keepalives === undefined ? {} : { keepalives }),
  };
}

function summaryFigure(figure: Figure, mine: readonly LoadRun[], all: readonly LoadRun[]): readonly SummaryFigure[] {
  const valueOf = ({ result }: LoadRun): number | undefined => (result.ok ? figure.of(result) : undefined);
  const values = mine.map(valueOf).filter((value) => value !== undefined);
  if (values.length === 0) return [];
  const ratios = mine.flatMap((run) => {
    const base = all.find(({ daemon, round }) => daemon === BASELINE && round === run.round);
    const [ours, theirs] = [valueOf(run), base === undefined ? undefined : valueOf(base)];
    return ours === undefined || theirs === undefined || theirs === 0 ? [] : [ours / theirs];
  });
  const { title, unit } = figure;
  return [{ title, unit, values, median: median(values), ...(ratios.length === 0 ? {} : { ratio: median(ratios) }) }];
}

/** Over all runs together, for one alone has too few for a p99.9. */
function lateness(runs: readonly LoadRun[]): SummaryLateness | undefined {
  const each = runs.flatMap(({ result }) => (result.keepalives === undefined ? [] : [result.keepalives]));
  const n = each.reduce((sum, { n }) => sum + n, 0);
  if (n === 0) return undefined;
  const worst = each.flatMap(({ worst_ms }) => worst_ms).sort((a, b) => b - a);
  return {
    ...{ n, lost: each.reduce((sum, { lost }) => sum + lost, 0) },
    ...{ p999Ms: worst[Math.floor(n * 0.001)] ?? 0, maxMs: worst[0] ?? 0 },
  };
}

export const rowOf = (rows: readonly SummaryRow[], load: string, daemon: string): SummaryRow | undefined =>
  rows.find((row) => row.load === load && row.daemon === daemon);

export const figureOf = (row: SummaryRow | undefined, title: string): SummaryFigure | undefined =>
  row?.figures.find((figure) => figure.title === title);
