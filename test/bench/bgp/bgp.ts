/** `npm run bench -- bgp [LOAD...]`: our speaker beside BIRD, FRR, OpenBGPD and GoBGP, over TCP. README.md tells the rest. */
import { execFileSync } from 'node:child_process';
import { arch, cpus, release, totalmem } from 'node:os';
import type { BenchOptions, Report, Scenario } from '../scenario.ts';
import { formatTable } from '../table.ts';
import { GENERATOR_LEAD, generatorLeads, judgeAims } from './aims.ts';
import type { LoadedDaemon } from './daemon.ts';
import { DAEMONS } from './daemons/index.ts';
import { loadNamed, LOADS } from './loads.ts';
import type { Load } from './loads.ts';
import { measure } from './measure.ts';
import type { LoadRun } from './measure.ts';
import { OURS, summarize } from './summary.ts';
import type { SummaryRow } from './summary.ts';
import { aimsTable, leadsTable, mainTable } from './tables.ts';

const DEFAULT_RETRIES = 2;
const DEFAULT_QUIET_SECONDS = 30;

/** What the JSON file holds, and what the page is made of. */
export interface BgpResults {
  readonly machine: Machine;
  readonly rounds: number;
  readonly versions: Readonly<Record<string, string>>;
  readonly rows: readonly SummaryRow[];
  /** Every run as the generator told it. */
  readonly runs: readonly LoadRun[];
}

export interface Machine {
  readonly kernel: string;
  readonly processor: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly node: string;
  /** ISO 8601, the day. */
  readonly day: string;
}

export const bgp: Scenario = {
  name: 'bgp',
  // Few, for a run takes up to two minutes; one is enough to look.
  rounds: { standard: 3, least: 1 },
  run: async (options: BenchOptions): Promise<Report> => {
    if (process.getuid?.() !== 0) throw new Error('bgp: it makes network namespaces, and needs root');
    const { rounds } = options;
    const loads = chosenLoads(options.loads ?? []);
    const daemons = chosenDaemons(options.daemons);
    const versions = Object.fromEntries(daemons.map((daemon) => [daemon.name, daemon.version() ?? '']));
    const runs = await measure({
      ...{ daemons, loads, rounds },
      retries: options.retries ?? DEFAULT_RETRIES,
      quietSeconds: options.quietSeconds ?? DEFAULT_QUIET_SECONDS,
      ...(options.more === undefined ? {} : { more: options.more }),
      onRun: (run) => console.error(oneLine(run, loadNamed(run.load))),
    });
    return report({ machine: machine(), rounds, versions, rows: summarize(runs), runs });
  },
};

/** Without names all; what is measured within another load is measured with that. */
function chosenLoads(names: readonly string[]): readonly Load[] {
  const chosen = names.length === 0 ? LOADS : names.map(loadNamed);
  return [...new Set(chosen.map(({ name, within }) => within ?? name))].map(loadNamed);
}

/** Without names what is installed. */
export function chosenDaemons(names: readonly string[] | undefined): readonly LoadedDaemon[] {
  if (names === undefined) return DAEMONS.filter((daemon) => daemon.version() !== undefined);
  return names.map((name) => {
    const daemon = DAEMONS.find((each) => each.name === name);
    const known = DAEMONS.map((each) => each.name).join(', ');
    if (daemon === undefined) throw new Error(`--daemons: '${name}' is unknown; known: ${known}`);
    if (daemon.version() === undefined) throw new Error(`--daemons: ${name} is not installed here`);
    return daemon;
  });
}

/** Said while it goes on, for it takes long. */
export function oneLine({ load, round, daemon, noise, result }: LoadRun, { figures }: Load): string {
  const [first] = figures;
  const value = first?.of(result);
  const said = result.ok
    ? `${first?.title} ${value?.toFixed(4) ?? '–'} ${first?.unit}`
    : `FAILED: ${result.errors.join('; ')}`;
  return `  round ${round + 1}, ${load}, ${daemon}: ${said}, others ${(100 * noise).toFixed(0)} %`;
}

function report(results: BgpResults): Report {
  const { rows, machine } = results;
  const aims = judgeAims(rows);
  const leads = generatorLeads(rows);
  const names = Object.values(results.versions).filter((version) => version !== 'bgpblast mirror');
  const failures = rows.flatMap(({ load, daemon, failure }) =>
    failure === undefined ? [] : [`${load}: ${daemon} failed, at ${failure.reached}: ${failure.errors.join('; ')}`],
  );
  return {
    heading: [
      `bgp: ${results.rounds} rounds, medians, in parentheses how many times BIRD's of the same round`,
      `${names.join(', ')}; Node ${machine.node}, ${machine.processor}, ${machine.cores} cores`,
      ...failures,
    ],
    table: mainTable(rows),
    footing: [
      ...(leads.length === 0 ? [] : ['', formatTable(leadsTable(leads))]),
      ...(aims.length === 0 ? [] : ['', formatTable(aimsTable(aims))]),
    ],
    results,
    aims: aims.map(({ load, what, limit, unit, measured, isReached }) => ({
      what: `${load}: ${what}`,
      ...{ limit: `${limit} ${unit}`.trim(), measured, isReached },
    })),
    wrong: [
      ...failures.filter((line) => line.includes(`: ${OURS} failed`)),
      ...leads
        .filter(({ lead }) => lead < GENERATOR_LEAD)
        .map(
          ({ load, lead }) => `the generator (${load}) is only ${lead.toFixed(1)} times as fast as what it measures`,
        ),
    ],
  };
}

function machine(): Machine {
  return {
    kernel: `${execFileSync('uname', ['-s'], { encoding: 'utf8' }).trim()} ${release()} ${arch()}`,
    processor: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    day: new Date().toISOString().slice(0, 10),
  };
}
