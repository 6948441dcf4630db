import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createAgentClient } from '../../src/api/client.ts';
import type { AgentClient } from '../../src/api/client.ts';
import type { NodeStatus, PodResult } from '../../src/api/contract.ts';
import { runCli } from '../../src/cli/program.ts';
import { systemIo } from '../../src/cli/system-io.ts';
import { makeNetns } from './netns.ts';
import type { TestNetns } from './netns.ts';

export interface LabNode {
  readonly name: string;
  readonly netns: TestNetns;
  readonly client: AgentClient;
  /** What the agent and calicoctl-ts are told on this node. */
  readonly environment: Readonly<Record<string, string>>;
  /** Starts the agent from source, as in production but for short timers; `other` variables go before the lab's. */
  start(other?: Readonly<Record<string, string>>): void;
  /** Ends it, and resolves when it is gone. */
  kill(signal: NodeJS.Signals): Promise<void>;
  /** One that does not end it. */
  signal(signal: NodeJS.Signals): void;
  /** Lines of `ip monitor route` about `protocol` since the monitor started; default 80, ours. */
  readonly routeEvents: (protocol?: string) => readonly string[];
  /** calicoctl-ts as an operator runs it on the node, in a process of its own. */
  readonly ctl: (...args: readonly string[]) => CtlResult;
  readonly log: () => string;
}

export interface CtlResult {
  readonly status: number;
  /** What it printed, on either stream. */
  readonly said: string;
}

export interface AgentLab {
  readonly nodes: readonly LabNode[];
  /** The directory of the datastore. */
  readonly store: string;
  /** calicoctl-ts over the lab's datastore. */
  readonly cli: (args: readonly string[], manifest?: string) => Promise<void>;
  /** The same, with what it prints. */
  readonly text: (args: readonly string[]) => Promise<string>;
  readonly remove: () => Promise<void>;
}

export interface AgentLabSetup {
  /** Joins the two by an eth0 in each; default: a cable. */
  readonly join?: (a: TestNetns, b: TestNetns) => void;
  /** What the agents are told beside what every agent of a lab is. */
  readonly environment?: Readonly<Record<string, string>>;
  /** The program that is started as an agent; default: the agent. */
  readonly program?: string;
}

const byCable = (a: TestNetns, b: TestNetns): void =>
  void a.run('ip', 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', b.name);

/** Two nodes, 172.30.7.11 and .12, agents on a file datastore. */
export function makeAgentLab(
  prefix: string,
  { join: joined = byCable, environment = {}, program = 'src/main.ts' }: AgentLabSetup = {},
): AgentLab {
  const directory = mkdtempSync(join(tmpdir(), `${prefix}-`));
  const netns = ['a', 'b'].map((name) => makeNetns(`${prefix}-${name}`));
  const [a, b] = netns as [TestNetns, TestNetns];
  joined(a, b);
  const monitors: ChildProcess[] = [];
  const nodes = netns.map((each, i) => {
    each.run('ip', 'link', 'set', 'lo', 'up');
    each.run('ip', 'addr', 'add', `172.30.7.${11 + i}/24`, 'dev', 'eth0');
    each.run('ip', 'link', 'set', 'eth0', 'up');
    each.run('ip', 'route', 'add', 'default', 'via', `172.30.7.${12 - i}`);
    return labNode(each, { name: `node-${'ab'[i]!}`, directory, monitors, environment, program });
  });
  const run = async (args: readonly string[]): Promise<string> => {
    const said: string[] = [];
    const printed: string[] = [];
    const env = { CALICO_FILE_DATASTORE: join(directory, 'store'), DATASTORE_TYPE: 'file' };
    const [stdout, stderr] = [printed, said].map((lines) => (text: string) => void lines.push(text));
    const status = await runCli(args, { ...systemIo('test'), env, stdout: stdout!, stderr: stderr! });
    if (status !== 0) throw new Error(said.join(''));
    return printed.join('');
  };
  const cli = async (args: readonly string[], manifest = ''): Promise<void> => {
    const file = join(directory, 'manifest.yaml');
    writeFileSync(file, manifest);
    await run(manifest === '' ? args : [...args, '-f', file]);
  };
  const remove = async (): Promise<void> => {
    for (const node of nodes) await node.kill('SIGKILL');
    for (const monitor of monitors) monitor.kill('SIGKILL');
    for (const each of netns) each.remove();
    rmSync(directory, { recursive: true, force: true });
  };
  return { nodes, store: join(directory, 'store'), cli, text: run, remove };
}

interface LabParts {
  readonly name: string;
  readonly directory: string;
  readonly monitors: ChildProcess[];
  readonly environment: Readonly<Record<string, string>>;
  readonly program: string;
}

function labNode(netns: TestNetns, { name, directory, monitors, environment, program }: LabParts): LabNode {
  const runDirectory = join(directory, name);
  const logFile = join(directory, `${name}.log`);
  const events: string[] = [];
  const monitor = spawn('ip', ['-n', netns.name, '-4', 'monitor', 'route'], { stdio: ['ignore', 'pipe', 'ignore'] });
  monitor.stdout.on('data', (chunk: Buffer) => events.push(...chunk.toString().split('\n').filter(Boolean)));
  monitors.push(monitor);
  writeFileSync(logFile, '');
  const env = {
    PATH: process.env['PATH'] ?? '',
    NODENAME: name,
    IP: 'autodetect',
    CALICO_IPV4POOL_CIDR: '10.48.0.0/16',
    DATASTORE_TYPE: 'file',
    CALICO_FILE_DATASTORE: join(directory, 'store'),
    CALICO_RUN_DIR: runDirectory,
    CALICO_NODENAME_FILE: join(runDirectory, 'nodename'),
    CALICO_BGP_RESTART_DEFERRAL: '15',
    ...environment,
  };
  let agent: ChildProcess | undefined;
  return {
    name,
    netns,
    client: createAgentClient(join(runDirectory, 'calico-ts.sock')),
    environment: env,
    start: (other = {}) => {
      if (agent !== undefined && agent.exitCode === null && agent.signalCode === null) {
        throw new Error(`${name}: an agent runs already, and a second one would outlive the test`);
      }
      // exec: the agent's own pid, so that a signal reaches it and not `ip`.
      const command = `exec ip netns exec ${netns.name} ${process.execPath} ${program} 2>>${logFile}`;
      agent = spawn('sh', ['-c', command], { env: { ...env, ...other }, stdio: 'ignore' });
    },
    kill: async (signal) => {
      if (agent === undefined || agent.exitCode !== null || agent.signalCode !== null) return;
      const gone = new Promise((resolve) => void agent!.once('exit', resolve));
      agent.kill(signal);
      await gone;
    },
    signal: (signal) => void agent?.kill(signal),
    ctl: (...args) => runCtl(netns, env, args),
    routeEvents: (protocol = '80') => events.filter((line) => line.includes(`proto ${protocol} `)),
    log: () => readFileSync(logFile, 'utf8'),
  };
}

function runCtl(netns: TestNetns, env: NodeJS.ProcessEnv, args: readonly string[]): CtlResult {
  const command = ['netns', 'exec', netns.name, process.execPath, 'src/cli/main.ts', ...args];
  const { status, stdout, stderr } = spawnSync('ip', command, { env, encoding: 'utf8' });
  return { status: status ?? -1, said: `${stdout}${stderr}` };
}

/** What the CNI plugin asks for; gives the address. */
export async function addPod({ client }: LabNode, netns: TestNetns, name: string): Promise<string> {
  const { addresses } = await client.post<PodResult>('/v1/pods', {
    containerId: name,
    netns: netns.path,
    interfaceName: 'eth0',
    podNamespace: 'default',
    podName: name,
  });
  return addresses[0]!.split('/')[0]!;
}

/** Polls until `condition` holds, which is not so where it throws; ends with what `describe` says where it never does. */
export async function until(condition: () => Promise<boolean>, describe: () => string): Promise<void> {
  // Also what throws before there is a promise, such as a ping that is not answered.
  const holds = async (): Promise<boolean> => condition();
  for (let tries = 0; tries < 300; tries++) {
    if (await holds().catch(() => false)) return;
    await sleep(100);
  }
  throw new Error(`it did not come true within 30 s\n${describe()}`);
}

export async function untilSettled(lab: AgentLab): Promise<void> {
  const isSettled = async ({ client }: LabNode): Promise<boolean> => {
    const { bgp } = await client.get<NodeStatus>('/v1/status');
    return bgp.converged && bgp.peers.length > 0 && bgp.peers.every(({ state }) => state === 'Established');
  };
  const all = async (): Promise<boolean> => (await Promise.all(lab.nodes.map(isSettled))).every(Boolean);
  await until(all, () => lab.nodes.map((node) => `${node.name}:\n${node.log()}`).join('\n'));
}
