import { kindOf } from './case.ts';
import type { RunReport } from './run.ts';

/** The table of a run: per target its inputs, their speed on one whole core, and what came out, most frequent first. */
export function formatReport({ outcomes, milliseconds, failures, files }: RunReport): string {
  const rows = [...outcomes].map(([key, count]) => {
    const [target = '', outcome = ''] = key.split('\0');
    return { target, outcome, count };
  });
  const lines: string[] = [];
  for (const [target, own] of Map.groupBy(rows, (row) => row.target)) {
    const inputs = own.reduce((sum, { count }) => sum + count, 0);
    const perSecond = Math.round((inputs * 1000) / (milliseconds.get(target) ?? 1));
    lines.push(`${target}: ${grouped(inputs)} inputs, ${grouped(perSecond)} a second of processor time`);
    for (const { outcome, count } of own.sort((a, b) => b.count - a.count)) {
      lines.push(`  ${outcome.padEnd(32)} ${grouped(count).padStart(12)} ${percent(count, inputs)}`);
    }
  }
  for (const [kind, own] of Map.groupBy(failures, kindOf)) {
    const indexes = own.slice(0, 5).map(({ index }) => index);
    lines.push(`FAILURE ${grouped(own.length)} times, first at ${indexes.join(' ')}: ${kind}`);
  }
  return [...lines, ...files.map((file) => `saved ${file}`)].join('\n');
}

const grouped = (value: number): string => String(value).replaceAll(/\B(?=(?:\d{3})+$)/g, ',');

const percent = (count: number, of: number): string => `${((count * 100) / of).toFixed(2)} %`.padStart(9);
