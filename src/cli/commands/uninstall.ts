import type { Command } from 'commander';
import { AgentError } from '../../api/client.ts';
import type { NodeStatus } from '../../api/contract.ts';
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
      'takes calico-ts off this host: its routes, tunnels, pod interfaces and files go, sysctls become what they were',
    )
    .option('--dry-run', 'say what would be done, change nothing')
    .option('--stop', 'tell a running agent to leave first; otherwise it is refused while one runs')
    .option('--force', 'also where pods of this node lose their network by it')
    .addOption(outputOption())
    .action((options: Options) => uninstall(options, io));
}

async function uninstall(options: Options, io: CliIo): Promise<void> {
  const isDry = options.dryRun === true;
  if (!isDry) await endAgent(options, io);
  const nodeNameFile = io.env['CALICO_NODENAME_FILE'] || DEFAULT_NODENAME_FILE;
  const host = io.openHost({ nodeNameFile, socket: agentSocket(options, io) });
  try {
    const plan = await planHostUninstall(host);
    if (!isDry && options.force !== true && plan.pods.length > 0) throw new CommandError(refusal(plan.pods));
    const report = isDry ? plan : await uninstallHost(host);
    io.stdout(options.output === 'json' ? formatJson(report) : formatReport(report, isDry));
    const failed = report.steps.filter(({ error }) => error !== undefined).length;
    if (failed > 0) throw new CommandError(`${failed} of ${report.steps.length} steps failed; the rest is done`);
  } finally {
    await host.nftables?.close();
    await host.kernel.close();
  }
}

/** It would put back within a second what we take away. */
async function endAgent(options: Options, io: CliIo): Promise<void> {
  const client = agentClient(options, io);
  const running = await client.get<NodeStatus>('/v1/status').catch(nobody);
  if (running === undefined) return;
  if (options.stop !== true) {
    throw new CommandError(
      `calico-node-ts runs here (process ${running.pid}) and would put everything back: end it first, or --stop`,
    );
  }
  await client.post('/v1/stop', { message: 'calico-ts is uninstalled from this node' });
  for (let tries = 0; tries < STOP_TRIES; tries++) {
    if ((await client.get<NodeStatus>('/v1/status').catch(nobody)) === undefined) return;
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

function refusal(pods: readonly string[]): string {
  const more = pods.length > MAX_NAMED ? ` and ${pods.length - MAX_NAMED} more` : '';
  const names = `${pods.slice(0, MAX_NAMED).join(', ')}${more}`;
  return `${pods.length} pods of this node would lose their network (${names}): move them first, or --force`;
}

function formatReport({ steps, left }: UninstallReport, isDry: boolean): string {
  const line = ({ what, error }: StepReport): string => (error === undefined ? what : `FAILED ${what}: ${error}`);
  const lines = [
    ...(steps.length === 0 ? ['There is nothing of calico-ts on this host.'] : steps.map(line)),
    ...left,
    ...(isDry ? ['', 'That is what would be done; nothing was changed.'] : []),
  ];
  return `${lines.join('\n')}\n`;
}
