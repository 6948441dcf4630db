/** What the project wants of its speaker under load, and whether it came to that. Pure. */
import { BASELINE, figureOf, OURS, rowOf } from './summary.ts';
import type { SummaryRow } from './summary.ts';

export interface AimResult {
  readonly load: string;
  readonly what: string;
  /** At most. */
  readonly limit: number;
  readonly unit: string;
  /** Absent where it was not measured, or failed. */
  readonly measured?: number;
  readonly isReached: boolean;
}

type Measure = (rows: readonly SummaryRow[]) => number | undefined;

interface Aim {
  readonly load: string;
  readonly what: string;
  readonly limit: number;
  readonly unit: string;
  readonly measure: Measure;
}

const ratio = (load: string, title: string, limit: number): Aim => ({
  ...{ load, what: title, limit, unit: `× ${BASELINE}` },
  measure: (rows) => figureOf(rowOf(rows, load, OURS), title)?.ratio,
});
const atMost = (load: string, title: string, [limit, unit]: readonly [number, string]): Aim => ({
  ...{ load, what: title, limit, unit },
  measure: (rows) => figureOf(rowOf(rows, load, OURS), title)?.median,
});
/** One figure of a load as a multiple of another of the same. */
const within = (load: string, [title, of]: readonly [string, string], limit: number): Aim => ({
  ...{ load, what: `${title}, to ${of}`, limit, unit: '×' },
  measure: (rows) => {
    const row = rowOf(rows, load, OURS);
    const [value, base] = [figureOf(row, title)?.median, figureOf(row, of)?.median];
    return value === undefined || base === undefined ? undefined : value / base;
  },
});
const keepalives = (
  what: string,
  [limit, unit]: readonly [number, string],
  measure: (row: SummaryRow) => number,
): Aim => ({
  ...{ load: 'all', what, limit, unit },
  measure: (rows) => {
    const mine = rows.filter(({ daemon, keepalives }) => daemon === OURS && keepalives !== undefined);
    return mine.length === 0 ? undefined : Math.max(...mine.map(measure));
  },
});

const AIMS: readonly Aim[] = [
  ratio('S1', 'converged', 0.9),
  ratio('S1v6', 'converged', 0.9),
  ratio('S2', 'converged', 0.5),
  ratio('S2', 'RSS', 1.2),
  atMost('S2', 'a route', [100, 'B']),
  ratio('S3', 'converged', 0.25),
  ratio('S4', 'converged', 0.15),
  ratio('S4rr', 'converged', 0.15),
  atMost('S5', 'p99', [1, 'ms']),
  ratio('S6', 'all withdrawn', 0.5),
  ratio('S7', 'all sessions up', 3),
  ratio('S7', 'converged', 0.1),
  atMost('S7h', 'all sessions up', [0.2, 's']),
  ratio('S9', 'joined', 0.5),
  ratio('S10', 'withdrawn and back', 0.5),
  atMost('M1', 'up and converged', [1.5, 's']),
  atMost('M1', 'RSS', [150, 'MB']),
  atMost('M1rr', 'up and all served', [1.5, 's']),
  atMost('M1rr', 'RSS', [150, 'MB']),
  within('R1', ['the other 90', 'all 100 reading'], 1.1),
  within('R1', ['peak meanwhile', 'RSS'], 1.5),
  within('R1', ['RSS 5 s after', 'RSS'], 1.2),
  keepalives('keepalives late, p99.9 of the worst load', [100, 'ms'], (row) => row.keepalives?.p999Ms ?? 0),
  keepalives('sessions lost with hold time 3', [0, ''], (row) => row.keepalives?.lost ?? 0),
];

/** Of the loads that were measured; `all` where any was. */
export function judgeAims(rows: readonly SummaryRow[]): readonly AimResult[] {
  const ours = rows.filter(({ daemon }) => daemon === OURS);
  return AIMS.filter(({ load }) => ours.some((row) => row.load === load || (load === 'all' && row.keepalives))).map(
    ({ measure, ...aim }) => {
      const measured = measure(rows);
      return {
        ...aim,
        ...(measured === undefined ? {} : { measured }),
        isReached: (measured ?? Infinity) <= aim.limit,
      };
    },
  );
}

/** How many times as fast the generator must be as the fastest of those it measures. */
export const GENERATOR_LEAD = 2;

/** The generator's own run of a load, what is measured with it, and by how much it is ahead of the fastest. */
export interface GeneratorLead {
  readonly load: string;
  readonly seconds: number;
  readonly fastest: string;
  readonly fastestSeconds: number;
  readonly lead: number;
}

const RELAYED = ['S1', 'S1v6', 'S2'];

/**
 * The sink against a full table (what is sent is the same), and the relay where one peer hears what one tells: there it
 * does what a daemon does, less the table.
 */
export function generatorLeads(rows: readonly SummaryRow[]): readonly GeneratorLead[] {
  const ownRuns = [
    { load: 'S2', own: figureOf(rowOf(rows, 'G1', 'sink'), 'sent and acknowledged'), label: 'G1' },
    ...RELAYED.map((load) => ({
      load,
      own: figureOf(rowOf(rows, load, 'relay'), 'converged'),
      label: `${load}, relay`,
    })),
  ];
  return ownRuns.flatMap(({ load, own, label }) => {
    const others = rows
      .filter((row) => row.load === load && row.daemon !== 'relay' && row.daemon !== 'sink')
      .flatMap((row) => {
        const converged = figureOf(row, 'converged');
        return converged === undefined ? [] : [{ daemon: row.daemon, seconds: converged.median }];
      })
      .sort((a, b) => a.seconds - b.seconds);
    const [fastest] = others;
    if (own === undefined || fastest === undefined) return [];
    return [
      {
        ...{ load: label, seconds: own.median, fastest: fastest.daemon, fastestSeconds: fastest.seconds },
        lead: fastest.seconds / own.median,
      },
    ];
  });
}
