import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import type { NodeStatus, SpeakerStatus } from '../../api/contract.ts';
import { AgentError } from '../../api/client.ts';
import type { Store } from '../../datastore/store.ts';
import { NotFoundError } from '../../datastore/store.ts';
import type { ResourceClient } from '../../resources/index.ts';
import { addSocketOption, agentClient } from '../agent-option.ts';
import type { AgentOptions } from '../agent-option.ts';
import { nodeRows, nodeTable, summary } from '../node/cluster-status.ts';
import type { NodeRow } from '../node/cluster-status.ts';
import type { CliIo } from '../io.ts';
import { CommandError, UsageError } from '../io.ts';
import { askNodes } from '../node/node-questions.ts';
import { formatNodeStatus } from '../node/node-status.ts';
import { EXIT_CODE, verdictOf } from '../node/node-verdict.ts';
import { formatJson } from '../output-option.ts';
import { withResources } from '../session.ts';
import { formatTabs } from '../table.ts';

interface StatusOptions extends AgentOptions {
  readonly output: 'table' | 'wide' | 'json' | 'yaml' | 'name';
  readonly all?: boolean;
  /** Milliseconds. */
  readonly timeout: number;
}

/** 128 and the number of SIGINT, as a shell has it. */
const INTERRUPTED = 130;

export function addNodeStatusCommand(node: Command, io: CliIo): void {
  addSocketOption(node.command('status'))
    .description(
      "BGP peers in calicoctl's layout and whatever is not well: of this host's agent, over its socket; of the nodes that are named, or of all, through the datastore from anywhere. Needs no root. Exit code 0: all is well, 1: degraded, 2: unreachable",
    )
    .argument('[nodes...]', 'by the names of their Node resources; none: this host')
    .option('--all', 'one line for each node of the cluster, the worst first')
    .option('--timeout <seconds>', 'how long the nodes are waited for', seconds, 5000)
    .addOption(
      new Option('-o, --output <format>', 'how to print')
        .choices(['table', 'wide', 'json', 'yaml', 'name'])
        .default('table'),
    )
    .action(async (names: readonly string[], options: StatusOptions) => {
      if (options.all !== true && names.length === 0) return ownStatus(options, io);
      if (options.all === true && names.length > 0) throw new UsageError('--all or names of nodes, not both');
      if (options.socket !== undefined) throw new UsageError('--socket is for the agent on this host alone');
      return othersStatus(names, options, io);
    });
}

async function ownStatus(options: StatusOptions, io: CliIo): Promise<void> {
  const status = await agentClient(options, io)
    .get<SpeakerStatus | NodeStatus>('/v1/status')
    .catch((error: unknown) => {
      if (!(error instanceof AgentError)) throw error;
      const running = error.isAbsent ? 'Calico process is not running.\n' : '';
      throw new CommandError(`${running}${error.message}`, { exitCode: EXIT_CODE.unreachable });
    });
  io.stdout(await own(status, options.output, io));
  end(EXIT_CODE[verdictOf(status).state]);
}

/** One node, as it is printed on the node itself. */
async function own(status: SpeakerStatus | NodeStatus, output: StatusOptions['output'], io: CliIo): Promise<string> {
  if (output === 'json') return formatJson(status);
  if (output === 'yaml') return formatYaml(status);
  return output === 'name' ? `node/${status.node}\n` : formatNodeStatus(status, io.now());
}

async function othersStatus(names: readonly string[], options: StatusOptions, io: CliIo): Promise<void> {
  const interruption = io.interruption();
  const rows = await withResources(io, (client, store) =>
    ask({ client, store, names, options, interruption }, io),
  ).catch((error: unknown) => {
    throw new CommandError((error as Error).message, { exitCode: EXIT_CODE.unreachable });
  });
  if (interruption.aborted) throw new CommandError('', { exitCode: INTERRUPTED });
  if (options.all === true) io.stdout(await everyNode(rows, options.output));
  else if (rows.length === 1) await oneNode(rows[0]!, options.output, io);
  else io.stdout(await severalNodes(rows, options.output, io));
  end(Math.max(...rows.map(({ state }) => EXIT_CODE[state])));
}

interface Wanted {
  readonly client: ResourceClient;
  readonly store: Store;
  readonly names: readonly string[];
  readonly options: StatusOptions;
  readonly interruption: AbortSignal;
}

async function ask({ client, store, names, options, interruption }: Wanted, io: CliIo): Promise<readonly NodeRow[]> {
  const nodes = new Map((await client.list('Node')).map((node) => [node.metadata.name, node]));
  const wanted = options.all === true ? [...nodes.keys()] : [...new Set(names)];
  if (wanted.length === 0) throw new CommandError('the datastore has no Node resource: no agent has registered yet');
  await refuseLocked(client);
  const known = wanted.filter((name) => nodes.has(name));
  const { timeout: timeoutMs } = options;
  const answers =
    known.length === 0 ? new Map() : await askNodes({ client, store, nodes: known, timeoutMs, interruption }, io);
  return nodeRows(wanted, { nodes, answers, timeoutMs });
}

/** Nobody writes into a datastore that is being migrated. */
async function refuseLocked(client: ResourceClient): Promise<void> {
  const information = await client.get('ClusterInformation', 'default').catch((error: unknown) => {
    if (error instanceof NotFoundError) return undefined;
    throw error;
  });
  if (information?.spec.datastoreReady !== false) return;
  throw new CommandError(
    'the datastore is locked for a migration, so that nobody can be asked through it: calicoctl-ts node status on the node itself',
  );
}

/** Loaded only for who wants it. */
const formatYaml = async (value: object): Promise<string> => (await import('../output/yaml.ts')).formatYaml(value);

async function everyNode(rows: readonly NodeRow[], output: StatusOptions['output']): Promise<string> {
  if (output === 'json') return formatJson(rows);
  if (output === 'yaml') return formatYaml(rows);
  if (output === 'name') return rows.map(({ node }) => `node/${node}\n`).join('');
  return `${formatTabs(nodeTable(rows, output === 'wide'))}${summary(rows)}\n`;
}

/** What the node itself would print; of one that does not answer, why. */
async function oneNode({ status, ...row }: NodeRow, output: StatusOptions['output'], io: CliIo): Promise<void> {
  if (status !== undefined) io.stdout(await own(status, output, io));
  else if (output !== 'table' && output !== 'wide') io.stdout(await everyNode([row], output));
  else if (row.state === 'unreachable') io.stderr(`${row.node} is unreachable: ${row.why}\n`);
  else io.stdout(formatTabs(nodeTable([row], output === 'wide')));
}

async function severalNodes(rows: readonly NodeRow[], output: StatusOptions['output'], io: CliIo): Promise<string> {
  if (output !== 'table' && output !== 'wide') return everyNode(rows, output);
  const blocks = rows.map(({ node, state, why, status }) => {
    const head = `Node ${node}: ${state}${why === '' ? '' : `, ${why}`}\n`;
    return status === undefined ? head : `${head}${formatNodeStatus(status, io.now())}`;
  });
  return `${blocks.join('\n')}\n${summary(rows)}\n`;
}

/** All was said. */
function end(exitCode: number): void {
  if (exitCode !== 0) throw new CommandError('', { exitCode });
}

function seconds(text: string): number {
  const value = Number(text);
  if (/^\d+(\.\d+)?$/.test(text) && value > 0 && value <= 600) return value * 1000;
  throw new InvalidArgumentError('It must be a number of seconds, at most 600.');
}
