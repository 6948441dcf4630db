/** What a run of several scenarios came to. Pure. */
import { missedLines } from './scenario.ts';
import type { Aim } from './scenario.ts';
import { formatTable } from './table.ts';

export interface Outcome {
  readonly name: string;
  readonly seconds: number;
  readonly aims: readonly Aim[];
  /** Why it failed; none where it did not. */
  readonly wrong: readonly string[];
}

/** A line for each scenario, and one for each aim that was missed. */
export function formatSummary(outcomes: readonly Outcome[]): string {
  const rows = outcomes.map(({ name, seconds, aims, wrong }) => [
    ...[name, seconds.toFixed(0)],
    aims.length === 0 ? '' : `${aims.filter(({ isReached }) => isReached).length} of ${aims.length}`,
    wrong.length === 0 ? 'ok' : 'FAILED',
  ]);
  const missed = outcomes.flatMap(({ name, aims }) => missedLines(aims, name));
  return [formatTable([['scenario', 'took s', 'aims reached', ''], ...rows]), '', ...missed].join('\n').trimEnd();
}
