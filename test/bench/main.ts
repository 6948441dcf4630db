/** `npm run bench -- [NAME...] [options]`; without a name, all scenarios. README.md tells the rest. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { bgp } from './bgp/bgp.ts';
import { growth } from './bgp/growth.ts';
import { claim } from './claim.ts';
import { cluster } from './cluster.ts';
import { cni } from './cni.ts';
import { codec } from './codec.ts';
import { readCommandLine } from './command-line.ts';
import type { CommandLine } from './command-line.ts';
import { felix } from './felix.ts';
import { idle } from './idle.ts';
import { outage } from './outage.ts';
import { plan } from './plan.ts';
import { pods } from './pods.ts';
import { reaction } from './reaction.ts';
import { rib } from './rib.ts';
import type { Report, Scenario } from './scenario.ts';
import { scrape } from './scrape.ts';
import { sessions } from './sessions.ts';
import { start } from './start.ts';
import { startup } from './startup.ts';
import { formatSummary } from './summary.ts';
import type { Outcome } from './summary.ts';
import { formatTable } from './table.ts';
import { turns } from './turns.ts';

/** One row per scenario. */
const scenarios: readonly Scenario[] = [
  ...[codec, rib, felix, turns, reaction, pods, cni, outage, startup, scrape, plan, idle, sessions],
  ...[cluster, start, claim, bgp, growth],
];

const RESULTS = join('.cache', 'bench');

async function run(scenario: Scenario, { options, json }: CommandLine): Promise<Report> {
  const { standard } = scenario.rounds ?? { standard: 7 };
  const report = await scenario.run({ ...options, rounds: options.rounds ?? standard });
  const file = json ?? join(RESULTS, `${scenario.name}.json`);
  mkdirSync(dirname(file), { recursive: true });
  const written = {
    scenario: scenario.name,
    ...report.results,
    ...(report.aims === undefined ? {} : { aims: report.aims }),
  };
  writeFileSync(file, `${JSON.stringify(written, undefined, 2)}\n`);
  const lines = [...report.heading, '', formatTable(report.table), ...(report.footing ?? []), '', `written to ${file}`];
  console.log(lines.join('\n'));
  return report;
}

/** A scenario that fails does not keep the others from running. */
async function outcomeOf(scenario: Scenario, commandLine: CommandLine): Promise<Outcome> {
  const startedAt = performance.now();
  const seconds = (): number => (performance.now() - startedAt) / 1000;
  try {
    const { aims = [], wrong = [] } = await run(scenario, commandLine);
    return { name: scenario.name, seconds: seconds(), aims, wrong };
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    return { name: scenario.name, seconds: seconds(), aims: [], wrong: [said] };
  }
}

async function main(): Promise<void> {
  const commandLine = readCommandLine(process.argv.slice(2), scenarios);
  const outcomes: Outcome[] = [];
  for (const scenario of commandLine.chosen) outcomes.push(await outcomeOf(scenario, commandLine));
  if (outcomes.length > 1) console.log(`\n${formatSummary(outcomes)}`);
  for (const { name, wrong } of outcomes) {
    for (const each of wrong) console.error(`bench: ${name}: ${each}`);
    if (wrong.length > 0) process.exitCode = 1;
  }
}

try {
  await main();
} catch (error) {
  console.error(`bench: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
