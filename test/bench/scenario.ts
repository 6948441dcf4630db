import { formatFigure } from './table.ts';

/** What the command line asks of every scenario. */
export interface BenchOptions {
  /** How often all contenders run in turn. */
  readonly rounds: number;
  /** How long one that watches something watches it; absent: as long as it deems right. */
  readonly seconds?: number;
  /** Of `bgp`: loads by name, without any all; daemons by name, without any what is installed. */
  readonly loads?: readonly string[];
  readonly daemons?: readonly string[];
  /** How often a run that others disturbed is repeated. */
  readonly retries?: number;
  /** How long a quiet machine is waited for before a run. */
  readonly quietSeconds?: number;
  /** More options of the load generator, over those of the load. */
  readonly more?: Readonly<Record<string, string>>;
}

export interface Report {
  /** Lines above the table: what was measured, on what. */
  readonly heading: readonly string[];
  /** The first row names the columns. */
  readonly table: readonly (readonly string[])[];
  /** Lines below it. */
  readonly footing?: readonly string[];
  /** The same in numbers, every round kept, for the JSON file. */
  readonly results: object;
  /** For the summary; a missed one fails nothing. */
  readonly aims?: readonly Aim[];
  /** Results that are wrong, where they do not prevent a report; each fails the command. */
  readonly wrong?: readonly string[];
}

export interface Aim {
  readonly what: string;
  readonly limit: string;
  readonly measured: number | undefined;
  readonly isReached: boolean;
}

/** An aim that is a highest value in some unit. */
export const atMost = (what: string, measured: number, [limit, unit]: readonly [number, string]): Aim => ({
  ...{ what, measured, limit: `${limit} ${unit}`.trim(), isReached: measured <= limit },
});

/** `failed` where nothing was measured. */
export const measuredText = ({ measured }: Pick<Aim, 'measured'>): string =>
  measured === undefined ? 'failed' : formatFigure(measured);

/** A line for each that is missed; `scenario` where it does not go without saying. */
export const missedLines = (aims: readonly Aim[], scenario?: string): readonly string[] =>
  aims
    .filter(({ isReached }) => !isReached)
    .map((aim) => {
      const name = scenario === undefined ? aim.what : `${scenario}: ${aim.what}`;
      return `missed: ${name}: ${measuredText(aim)}, at most ${aim.limit}`;
    });

/** One benchmark, `npm run bench -- NAME`: one file and one row in main.ts. Throws where a result is wrong. */
export interface Scenario {
  readonly name: string;
  /** How many rounds where none are asked for, and at least; without it 7, and 5. */
  readonly rounds?: { readonly standard: number; readonly least: number };
  run(options: BenchOptions): Report | Promise<Report>;
}
