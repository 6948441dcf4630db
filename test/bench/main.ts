/** `npm run bench -- [NAME...] [--rounds N] [--json FILE]`; without a name, all scenarios. README.md tells the rest. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { claim } from './claim.ts';
import { cluster } from './cluster.ts';
import { cni } from './cni.ts';
import { codec } from './codec.ts';
import { felix } from './felix.ts';
import { outage } from './outage.ts';
import { plan } from './plan.ts';
import { pods } from './pods.ts';
import { reaction } from './reaction.ts';
import { rib } from './rib.ts';
import type { Scenario } from './scenario.ts';
import { scrape } from './scrape.ts';
import { formatTable } from './table.ts';
import { startup } from './startup.ts';
import { turns } from './turns.ts';

/** One row per scenario. */
const scenarios: readonly Scenario[] = [
  codec,
  rib,
  felix,
  turns,
  reaction,
  pods,
  cni,
  outage,
  startup,
  scrape,
  plan,
  cluster,
  claim,
];

const DEFAULT_ROUNDS = '7';
/** Fewer make no median worth printing. */
const MIN_ROUNDS = 5;
const RESULTS = join('.cache', 'bench');

interface CommandLine {
  readonly chosen: readonly Scenario[];
  readonly rounds: number;
  readonly json: string | undefined;
}

/** Throws an Error that names the word it did not understand. */
function readCommandLine(args: readonly string[]): CommandLine {
  const { positionals, values } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { rounds: { type: 'string', default: DEFAULT_ROUNDS }, json: { type: 'string' } },
  });
  const chosen = positionals.length === 0 ? scenarios : positionals.map(scenarioOf);
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < MIN_ROUNDS) {
    throw new Error(`--rounds ${values.rounds}: a whole number of ${MIN_ROUNDS} or more is wanted`);
  }
  if (values.json !== undefined && chosen.length !== 1) throw new Error('--json FILE takes one scenario at a time');
  return { chosen, rounds, json: values.json };
}

function scenarioOf(name: string): Scenario {
  const scenario = scenarios.find((row) => row.name === name);
  if (scenario === undefined) {
    throw new Error(`scenario '${name}' is unknown; known: ${scenarios.map((row) => row.name).join(', ')}`);
  }
  return scenario;
}

async function main(): Promise<void> {
  const { chosen, rounds, json } = readCommandLine(process.argv.slice(2));
  for (const scenario of chosen) {
    const { heading, table, results } = await scenario.run({ rounds });
    const file = json ?? join(RESULTS, `${scenario.name}.json`);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `${JSON.stringify({ scenario: scenario.name, ...results }, undefined, 2)}\n`);
    console.log([...heading, '', formatTable(table), '', `written to ${file}`].join('\n'));
  }
}

try {
  await main();
} catch (error) {
  console.error(`bench: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
