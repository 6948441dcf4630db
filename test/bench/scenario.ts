/** What the command line asks of every scenario. */
export interface BenchOptions {
  /** How often all contenders run in turn; 5 or more. */
  readonly rounds: number;
  /** How long one that watches something watches it; absent: as long as it deems right. */
  readonly seconds?: number;
}

export interface Report {
  /** Lines above the table: what was measured, on what. */
  readonly heading: readonly string[];
  /** The first row names the columns. */
  readonly table: readonly (readonly string[])[];
  /** The same in numbers, every round kept, for the JSON file. */
  readonly results: object;
}

/** One benchmark, `npm run bench -- NAME`: one file and one row in main.ts. Throws where a result is wrong. */
export interface Scenario {
  readonly name: string;
  run(options: BenchOptions): Report | Promise<Report>;
}
