import type { Command } from 'commander';
import { AgentError } from '../../api/client.ts';
import type { NodeStatus } from '../../api/contract.ts';
import { installedCni } from '../../cni/install/installed.ts';
import { cniPlaces } from '../../cni/install/settings.ts';
import { planHostUninstall, uninstallHost } from '../../host/uninstall.ts';
import type { StepReport, UninstallReport } from '../../host/uninstall.ts';
import type { AgentOptions } from '../agent-option.ts';
import { addSocketOption, agentClient, agentSocket } from '../agent-option.ts';
import type { CliIo } from '../io.ts';
import { CommandError } from '../io.ts';
import { formatJson, outputOption } from '../output-option.ts';

interface Options extends AgentOptions {
  readonly dryRun?: true;
  readonly stop?: true;
  readonly force?: true;
  readonly output: string;
}

const DEFAULT_NODENAME_FILE = '/var/lib/calico/nodename';
/** An agent that was told to leave closes its sessions first. */
const STOP_TRIES = 150;
const STOP_STEP_MS = 100;
const MAX_NAMED = 5;

export function addUninstallCommand(node: Command, io: CliIo): void {
  addSocketOption(node.command('uninstall'))
    .description(
      'takes calico-ts off this host: its routes, tunnels, pod interfaces, files and CNI plugin go, sysctls become what they were',
    )
    .option('--dry-run', 'say what would be done, change nothing')
    .option('--stop', 'tell a running agent to leave first; otherwise it is refused while one runs')
    .option('--force', 'also where pods of this node lose their network by it')
    .addOption(outputOption())
    .action((options: Options) => uninstall(options, io));
}

async function uninstall(options: Options, io: CliIo): Promise<void> {
  const isDry = options.dryRun === true;
  const running = await runningAgent(options, io);
  const nodeNameFile = io.env['CALICO_NODENAME_FILE'] || DEFAULT_NODENAME_FILE;
  // Read before it goes.
  const name = io.reader.text(nodeNameFile)?.trim() ?? (await io.nodeName());
  const cni = installedCni(cniPlaces(io.env));
  const host = await io.openHost({ nodeNameFile, socket: agentSocket(options, io), cni });
  try {
    const plan = await planHostUninstall(host);
    const refusals = [
      ...(running === undefined || options.stop === true ? [] : [agentRefusal(running)]),
      ...(plan.pods.length === 0 || options.force === true ? [] : [podsRefusal(plan.pods)]),
    ];
    if (!isDry && refusals.length > 0) throw new CommandError(refusals.join('\n'));
    // Only now: an agent that left for an uninstall that is refused would be missed.
    if (!isDry && running !== undefined) await endAgent(running, options, io);
    const report = isDry ? plan : await uninstallHost(host);
    const end = isDry ? dryEnd(refusals) : realEnd(report, name);
    io.stdout(options.output === 'json' ? formatJson(report) : formatReport(report, end));
    const failed = failures(report);
    if (failed > 0) {
      throw new CommandError(`${failed} of ${report.steps.length} steps failed, the rest is done: call it again`);
    }
  } finally {
    await host.nftables?.close();
    await host.kernel.close();
  }
}

const runningAgent = (options: AgentOptions, io: CliIo): Promise<NodeStatus | undefined> =>
  agentClient(options, io).get<NodeStatus>('/v1/status').catch(nobody);

/** It would put back within a second what we take away. */
async function endAgent(running: NodeStatus, options: Options, io: CliIo): Promise<void> {
  await agentClient(options, io).post('/v1/stop', { message: 'calico-ts is uninstalled from this node' });
  for (let tries = 0; tries < STOP_TRIES; tries++) {
    if ((await runningAgent(options, io)) === undefined) return;
    await io.sleep(STOP_STEP_MS);
  }
  throw new CommandError(
    `calico-node-ts (process ${running.pid}) was told to leave and still runs; nothing was changed`,
  );
}

/** Whoever refuses to answer is there; only where nobody listens nobody is. */
function nobody(error: unknown): undefined {
  if (error instanceof AgentError && error.isAbsent) return undefined;
  throw error;
}

const agentRefusal = ({ pid }: NodeStatus): string =>
  `calico-node-ts runs here (process ${pid}) and would put everything back: end it first, or --stop`;

function podsRefusal(pods: readonly string[]): string {
  const more = pods.length > MAX_NAMED ? ` and ${pods.length - MAX_NAMED} more` : '';
  const names = `${pods.slice(0, MAX_NAMED).join(', ')}${more}`;
  const who =
    pods.length === 1 ? '1 pod of this node would lose its' : `${pods.length} pods of this node would lose their`;
  return `${who} network (${names}): move ${pods.length === 1 ? 'it' : 'them'} first, or --force`;
}

const dryEnd = (refusals: readonly string[]): readonly string[] => [
  'That is what would be done; nothing was changed.',
  ...refusals.map((sentence) => `For now it would be refused: ${sentence}.`),
];

const realEnd = (report: UninstallReport, name: string): readonly string[] =>
  failures(report) > 0 ? [] : [`That was done. The cluster still knows the node: calicoctl-ts delete node ${name}`];

const failures = ({ steps }: UninstallReport): number => steps.filter(({ error }) => error !== undefined).length;

/** `end`: said where there was anything to do. */
function formatReport({ steps, left }: UninstallReport, end: readonly string[]): string {
  const line = ({ what, error }: StepReport): string => (error === undefined ? what : `FAILED ${what}: ${error}`);
  const lines =
    steps.length === 0
      ? ['There is nothing of calico-ts on this host.', ...left]
      : [...steps.map(line), ...left, ...(end.length === 0 ? [] : ['', ...end])];
  return `${lines.join('\n')}\n`;
}
