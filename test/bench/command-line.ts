/** The command line of `npm run bench`. Pure. */
import { parseArgs } from 'node:util';
import { LOADS } from './bgp/loads.ts';
import type { BenchOptions, Scenario } from './scenario.ts';

export interface CommandLine {
  readonly chosen: readonly Scenario[];
  readonly options: Omit<BenchOptions, 'rounds'> & { readonly rounds?: number };
  readonly json: string | undefined;
}

/** Fewer make no median worth printing. */
const LEAST_ROUNDS = 5;

const isLoad = (name: string): boolean => LOADS.some((load) => load.name === name);

/** Names of loads are for `bgp` and `growth`; alone they mean `bgp`. Throws an Error that names the word it did not understand. */
export function readCommandLine(args: readonly string[], scenarios: readonly Scenario[]): CommandLine {
  const { positionals, values } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      ...{ rounds: { type: 'string' }, json: { type: 'string' }, daemons: { type: 'string' } },
      ...{
        retries: { type: 'string' },
        'quiet-wait': { type: 'string' },
        seconds: { type: 'string' },
        load: { type: 'string', multiple: true },
      },
    } as const,
  });
  const loads = positionals.filter(isLoad);
  const named = positionals.filter((name) => !isLoad(name));
  const names = new Set(named.length === 0 && loads.length > 0 ? ['bgp'] : named);
  const chosen = names.size === 0 ? scenarios : [...names].map((name) => scenarioOf(name, scenarios));
  const rounds = wholeNumber('--rounds', values.rounds);
  for (const { rounds: { least } = { least: LEAST_ROUNDS } } of rounds === undefined ? [] : chosen) {
    if (rounds! < least) throw new Error(`--rounds ${rounds}: a whole number of ${least} or more is wanted`);
  }
  if (values.json !== undefined && chosen.length !== 1) throw new Error('--json FILE takes one scenario at a time');
  const retries = wholeNumber('--retries', values.retries);
  const quietSeconds = wholeNumber('--quiet-wait', values['quiet-wait']);
  const seconds = wholeNumber('--seconds', values.seconds);
  if (seconds === 0) throw new Error('--seconds 0: a number above 0 is wanted');
  return {
    chosen,
    options: {
      ...(rounds === undefined ? {} : { rounds }),
      ...(loads.length === 0 ? {} : { loads }),
      ...(values.daemons === undefined ? {} : { daemons: values.daemons.split(',') }),
      ...(retries === undefined ? {} : { retries }),
      ...(seconds === undefined ? {} : { seconds }),
      ...(quietSeconds === undefined ? {} : { quietSeconds }),
      ...(values.load === undefined ? {} : { more: Object.fromEntries(values.load.map(nameAndValue)) }),
    },
    json: values.json,
  };
}

function wholeNumber(option: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (!/^\d+$/.test(value)) throw new Error(`${option} ${value}: a whole number is wanted`);
  return Number(value);
}

function nameAndValue(word: string): readonly [string, string] {
  const [, name, value] = /^([a-z-]+)=(.+)$/.exec(word) ?? [];
  if (name === undefined || value === undefined) throw new Error(`--load ${word}: OPTION=VALUE is wanted`);
  return [name, value];
}

function scenarioOf(name: string, scenarios: readonly Scenario[]): Scenario {
  const scenario = scenarios.find((row) => row.name === name);
  if (scenario === undefined) {
    const known = scenarios.map((row) => row.name).join(', ');
    throw new Error(
      `scenario '${name}' is unknown; known: ${known}; of bgp: ${LOADS.map((row) => row.name).join(', ')}`,
    );
  }
  return scenario;
}
