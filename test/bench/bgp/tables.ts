/** A summary as tables: rows of cells, the first names the columns. Pure. */
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

export const aimsTable = (aims: readonly AimResult[]): Table => [
  ['load', 'aim', 'at most', 'measured', ''],
  ...aims.map(({ load, what, limit, unit, measured, isReached }) => [
    ...[load, what, `${limit} ${unit}`.trim()],
    measured === undefined ? 'failed' : formatFigure(measured),
    isReached ? 'reached' : 'missed',
  ]),
];

export const leadsTable = (leads: readonly GeneratorLead[]): Table => [
  ['the generator alone', 's', 'fastest measured', 's', 'times'],
  ...leads.map(({ load, seconds, fastest, fastestSeconds, lead }) => [
    ...[load, formatFigure(seconds), fastest, formatFigure(fastestSeconds), lead.toFixed(1)],
  ]),
];
