import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';

export interface FuzzOptions {
  readonly runs: number;
  readonly seed: number;
  readonly workers: number;
  readonly target: string | undefined;
  readonly replay: string | undefined;
}

const LARGEST = 0x7fff_ffff;

/** `--runs N --seed S --workers W --target NAME --replay FILE`. Throws an Error that names the flag. */
export function parseOptions(args: readonly string[]): FuzzOptions {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...args],
    options: { runs: text, seed: text, workers: text, target: text, replay: text },
  });
  return {
    runs: positive('runs', values.runs ?? '1000000'),
    seed: positive('seed', values.seed ?? '1'),
    workers: positive('workers', values.workers ?? String(availableParallelism())),
    target: values.target,
    replay: values.replay,
  };
}

function positive(flag: string, text: string): number {
  const value = Number(text.replaceAll(/[_,]/g, ''));
  if (!Number.isInteger(value) || value < 1 || value > LARGEST) {
    throw new Error(`--${flag} is ${text}: a whole number from 1 to ${LARGEST} is wanted`);
  }
  return value;
}
