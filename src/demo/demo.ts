/** The demo from its first line to its last, wherever it runs. */
import { readFile } from 'node:fs/promises';
import { release } from 'node:os';
import { CHECKS, runCheck } from './checks/index.ts';
import type { CheckResult } from './checks/index.ts';
import { raiseCluster, removeCluster, reviveCluster } from './cluster.ts';
import type { ClusterChoice } from './choice.ts';
import type { Cluster } from './cluster.ts';
import { CannotRunError, kernelAbilities, pickEncapsulation } from './encapsulation.ts';
import { logFile } from './layout.ts';
import type { Layout } from './layout.ts';
import { listNamespaces } from './namespaces.ts';
import type { DemoOptions, SwitchKind } from './options.ts';
import { formatCheck, formatPick, formatTotal, formatTour, makeReport } from './report.ts';
import type { Report } from './report.ts';
import { isRaiserAlive, loadState, saveState } from './state.ts';
import { missingSwitchSoftware } from './switches.ts';
import { NODES } from './topology.ts';
import { runDemoInVm } from './vm/demo.ts';
import { vmObstacle } from './vm/run-in-vm.ts';

export interface DemoRun {
  readonly options: DemoOptions;
  /** The directory that holds `config` and `dist`. */
  readonly project: string;
  readonly layout: Layout;
  readonly signal: AbortSignal;
  /** Text for people. */
  readonly say: (text: string) => void;
}

/** Picks, raises, checks, reports and takes down. Throws one sentence where it cannot begin. */
export async function runDemo(demo: DemoRun): Promise<Report> {
  const { options, project, layout, say, signal } = demo;
  const start = performance.now();
  const obstacle = await vmObstacle();
  const abilities = { ...(await kernelAbilities()), ...(obstacle === undefined ? {} : { vmObstacle: obstacle }) };
  const { where, encap, reason } = pickEncapsulation(options, abilities);
  if (where === 'vm') {
    say(`between racks: ${encap}, in a VM: ${reason}\n`);
    return runDemoInVm({ options: { ...options, encap }, project, say, signal, reason });
  }
  await refuseSecondCluster(layout, say);
  const switches = await pickSwitches(options);
  const cluster: Report['cluster'] = {
    ...{ where, encap, reason, datastore: options.datastore, kernel: release() },
    ...switches,
  };
  say(formatPick(cluster));
  const choice = { datastore: options.datastore, encap, switches: switches.switches, project };
  const seconds = (): number => Math.round((performance.now() - start) / 100) / 10;
  return withCluster(demo, choice, async (raised) => {
    say(`the cluster is up after ${seconds()} s\n\n`);
    const report = makeReport(cluster, await runChecks(raised, say), seconds());
    if (report.failed > 0) say(await complaints(layout));
    say(formatTotal(report));
    if (options.action === 'keep') {
      await reviveCluster(raised);
      say(`\n${formatTour(layout, report, raised.pods.at(-1)!.address)}`);
    }
    return report;
  });
}

/** One cluster at a time; what a demo that died left behind is removed. */
async function refuseSecondCluster(layout: Layout, say: (text: string) => void): Promise<void> {
  const state = await loadState(layout);
  if (state?.kept === true) {
    throw new CannotRunError('a cluster is up already: look around in it, or remove it with npm run demo -- --down');
  }
  if (state !== undefined && (await isRaiserAlive(state))) {
    throw new CannotRunError(`another demo is running: process ${state.pid}`);
  }
  if (state !== undefined || (await listNamespaces(layout)).length > 0) {
    await removeCluster(layout);
    say('removed what an earlier demo left behind\n');
  }
}

async function pickSwitches({
  switches,
}: DemoOptions): Promise<{ readonly switches: SwitchKind; readonly switchesReason?: string }> {
  if (switches === 'own') return { switches: 'own', switchesReason: '--switches own asks for it' };
  const missing = await missingSwitchSoftware();
  if (missing.length === 0) return { switches: 'real' };
  const reason = `${missing.join(' and ')} not installed`;
  if (switches === 'real') throw new CannotRunError(`--switches = 'real': ${reason}`);
  return { switches: 'own', switchesReason: reason };
}

/** Raises, uses, and takes down, unless it is to be kept and came up. */
async function withCluster(
  { layout, options, signal, say }: DemoRun,
  choice: ClusterChoice,
  use: (cluster: Cluster) => Promise<Report>,
): Promise<Report> {
  let kept = false;
  try {
    const progress = (line: string): void => say(`  ${line}\n`);
    const cluster = await raiseCluster({ layout, choice, signal, progress }).catch(async (error: unknown) => {
      if (!signal.aborted) say(await complaints(layout));
      throw error;
    });
    const report = await use(cluster);
    if (options.action === 'keep') {
      await saveState(layout, { pid: process.pid, kept: true, choice });
      kept = true;
    }
    return report;
  } finally {
    if (!kept) await removeCluster(layout);
  }
}

async function runChecks(cluster: Cluster, say: (text: string) => void): Promise<readonly CheckResult[]> {
  const results: CheckResult[] = [];
  for (const check of CHECKS) {
    cluster.signal.throwIfAborted();
    const result = await runCheck(check, cluster);
    results.push(result);
    say(`${formatCheck(result, results.length)}\n`);
  }
  return results;
}

const SHOWN_LINES = 8;

/** The last warnings of each agent, for those who must find out what went wrong. */
async function complaints(layout: Layout): Promise<string> {
  const parts = await Promise.all(
    NODES.map(async ({ name }) => {
      const text = await readFile(logFile(layout, name, 'calico-node-ts'), 'utf8').catch(() => '');
      // What is not a line of the log is the runtime's own last word.
      const loud = text.split('\n').filter((line) => line !== '' && !/"level":"(trace|debug|info)"/.test(line));
      return loud.slice(-SHOWN_LINES).map((line) => `${name}: ${line}\n`);
    }),
  );
  return parts.flat().join('');
}
