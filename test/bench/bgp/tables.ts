/** A summary as tables: rows of cells, the first names the columns. Pure. */
import { measuredText } from '../scenario.ts';
import { formatFigure } from '../table.ts';
import type { AimResult, GeneratorLead } from './aims.ts';
import { LOADS } from './loads.ts';
import { BASELINE, DAEMON_ORDER, figureOf, rowOf } from './summary.ts';
import type { SummaryFigure, SummaryLateness, SummaryRow } from './summary.ts';

export type Table = readonly (readonly string[])[];

/** A line for each figure of each load, a column for each daemon: the median, and behind it how many times the baseline's. */
export function mainTable(rows: readonly SummaryRow[]): Table {
  const daemons = DAEMON_ORDER.filter((name) => rows.some(({ daemon }) => daemon === name));
  const loads = LOADS.filter(({ name }) => rows.some(({ load }) => load === name));
  const lines = loads.flatMap(({ name, figures }) => {
    const cells = (title: string, cell: (row: SummaryRow | undefined) => string): readonly string[] => [
      ...[name, title],
      ...daemons.map((daemon) => cell(rowOf(rows, name, daemon))),
    ];
    return [
      ...figures.map(({ title, unit }, i) =>
        cells(unit === '' ? title : `${title}, ${unit}`, (row) => figureCell(row, title, i === 0)),
      ),
      ...(rows.some((row) => row.load === name && row.keepalives)
        ? [cells('keepalives late, ms', (row) => latenessCell(row?.keepalives))]
        : []),
      cells('others, %', (row) => (row === undefined ? '' : (100 * row.noise).toFixed(0))),
    ];
  });
  return [['load', 'figure', ...daemons], ...lines];
}

function figureCell(row: SummaryRow | undefined, title: string, isFirst: boolean): string {
  if (row === undefined) return '';
  if (row.failure !== undefined && isFirst) return `failed at ${row.failure.reached}`;
  const figure = figureOf(row, title);
  return figure === undefined ? '–' : withRatio(figure, row.daemon);
}

const withRatio = ({ median, ratio }: SummaryFigure, daemon: string): string =>
  formatFigure(median) + (ratio === undefined || daemon === BASELINE ? '' : ` (${ratio.toFixed(2)})`);

/** The p99.9, and what was lost. */
const latenessCell = (lateness: SummaryLateness | undefined): string =>
  lateness === undefined
    ? ''
    : formatFigure(lateness.p999Ms) + (lateness.lost === 0 ? '' : `, ${lateness.lost} sessions lost`);

/** Figures that say what a load is about, in words for who has not read about the loads. */
const SHOWN: readonly { readonly load: string; readonly title: string; readonly words: string }[] = [
  { load: 'S1', title: 'converged', words: '100,000 prefixes from one peer to another, s' },
  { load: 'S2', title: 'converged', words: 'a full table of 1,000,000, s' },
  { load: 'S2', title: 'RSS', words: 'the same, memory in MB' },
  { load: 'S3', title: 'converged', words: 'the same 100,000 from 10 peers, the best paths to one, s' },
  { load: 'S4rr', title: 'all peers served', words: 'route reflector: 20,000 pod blocks of 100 nodes to 110, s' },
  { load: 'S5', title: 'p99', words: 'a change among 20,000 prefixes, p99, ms' },
  { load: 'S7', title: 'all sessions up', words: '500 peers: all sessions up, s' },
  { load: 'S7', title: 'all peers served', words: 'and each has the 10,000 blocks of all, s' },
  { load: 'S9', title: 'joined', words: 'a new peer gets a table of 1,000,000, s' },
];

/** Some medians of each daemon. `versions`: `BIRD 2.0.12` by `bird`. */
export function shownTable(rows: readonly SummaryRow[], versions: Readonly<Record<string, string>>): Table {
  const shown = rows.filter(({ load }) => SHOWN.some((each) => each.load === load));
  const daemons = DAEMON_ORDER.filter((name) => shown.some(({ daemon }) => daemon === name));
  const lines = SHOWN.map(({ load, title, words }) => [
    words,
    ...daemons.map((daemon) => shownCell(rowOf(rows, load, daemon), title)),
  ]);
  return [['', ...daemons.map((daemon) => versions[daemon] ?? daemon)], ...lines];
}

const shownCell = (row: SummaryRow | undefined, title: string): string =>
  row === undefined ? '' : measuredText({ measured: figureOf(row, title)?.median });

export const aimsTable = (aims: readonly AimResult[]): Table => [
  ['load', 'aim', 'at most', 'measured', ''],
  ...aims.map(({ load, what, limit, unit, measured, isReached }) => [
    ...[load, what, `${limit} ${unit}`.trim(), measuredText({ measured })],
    isReached ? 'reached' : 'missed',
  ]),
];

export const leadsTable = (leads: readonly GeneratorLead[]): Table => [
  ['the generator alone', 's', 'fastest measured', 's', 'times'],
  ...leads.map(({ load, seconds, fastest, fastestSeconds, lead }) => [
    ...[load, formatFigure(seconds), fastest, formatFigure(fastestSeconds), lead.toFixed(1)],
  ]),
];
