import type { Finding } from '../host/doctor/finding.ts';

type Verdict = Finding['verdict'];

/** The worst first, for a reader who stops after the first. */
const ORDER: readonly Verdict[] = ['problem', 'warning', 'unknown', 'ok'];
const WORDS: Readonly<Record<Verdict, string>> = {
  problem: 'PROBLEM',
  warning: 'WARNING',
  unknown: 'UNKNOWN',
  ok: 'ok',
};
const WIDTH = 7;

export function tally(findings: readonly Finding[]): Readonly<Record<Verdict, number>> {
  const count = (verdict: Verdict): number => findings.filter((finding) => finding.verdict === verdict).length;
  return { problem: count('problem'), warning: count('warning'), unknown: count('unknown'), ok: count('ok') };
}

export function formatFindings(findings: readonly Finding[]): string {
  const sorted = ORDER.flatMap((verdict) => findings.filter((finding) => finding.verdict === verdict));
  const { problem, warning, unknown, ok } = tally(findings);
  const end = `${counted(problem, 'problem')}, ${counted(warning, 'warning')}, ${unknown} unknown, ${ok} ok`;
  return `${[...sorted.map(paragraph), end].join('\n')}\n`;
}

const counted = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`;

/** What is well is one line; its evidence is in the JSON. */
function paragraph({ check, verdict, what, why, todo, evidence = [] }: Finding): string {
  const line = (label: string, text: string): string => `${' '.repeat(WIDTH)}  ${label} ${text}`;
  return [
    `${WORDS[verdict].padEnd(WIDTH)}  ${check}: ${what}`,
    ...(why === undefined ? [] : [line('why: ', why)]),
    ...(todo === undefined ? [] : [line('do:  ', todo)]),
    ...(verdict === 'ok' ? [] : evidence.map((each) => line('seen:', each))),
  ].join('\n');
}
