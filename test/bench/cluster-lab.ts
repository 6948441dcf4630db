/** One host with an agent, and all other nodes of its cluster and etcd in a second namespace behind one cable. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createLinuxKernel } from '../../felix/index.ts';
import type { Kernel } from '../../felix/index.ts';
import { NODE_ENVIRONMENT, NODE_FLAGS } from '../../src/runtime/node-flags.ts';
import { Conversation, LabProcesses, nodeProgram } from '../support/lab-processes.ts';
import { makeNetns } from '../support/netns.ts';
import type { TestNetns } from '../support/netns.ts';
import { ASN, BLOCKS_PER_NODE, blockAddress, dotted, nodeAddress, nodeName, REFLECTORS } from './cluster-data.ts';
import type { ClusterShape } from './cluster-data.ts';
import { wallNow } from './cluster-clock.ts';
import type { Counts, Request } from './cluster-peers.ts';

const ETCD_ADDRESS = '172.20.255.254';
const ENDPOINT = `http://${ETCD_ADDRESS}:2379`;
const LIMIT_MS = 60_000;
const ROUTE_PROTOCOL = 80;

export interface Memory {
  /** MB of 10^6 octets. */
  readonly rssMb: number;
  readonly peakMb: number;
}

export interface StartSample extends Memory {
  /** From the start of the agent's process, ms: the last session, as its peer sees it; the last route in the kernel. */
  readonly sessionsMs: number;
  readonly routesMs: number;
  /** Of the agent, all threads, until the last route. */
  readonly cpuMs: number;
}

export class ClusterLab {
  readonly #shape: ClusterShape;
  readonly #directory = mkdtempSync(join(tmpdir(), 'ctb-cluster-'));
  readonly #node: TestNetns;
  readonly #others: TestNetns;
  readonly #kernel: Kernel;
  readonly #processes = new LabProcesses();
  readonly #stop = new AbortController();
  #peers: Conversation | undefined;
  #agent: ChildProcess | undefined;
  #seen = { routes: 0, lastAt: 0 };

  constructor(shape: ClusterShape) {
    this.#shape = shape;
    this.#node = makeNetns('ctb-cluster');
    this.#others = makeNetns('ctb-others');
    layCable(this.#node, this.#others, shape);
    this.#kernel = createLinuxKernel({ netns: this.#node.path });
  }

  /** Sessions that the agent must have. */
  get sessions(): number {
    return this.#shape.peering === 'mesh' ? this.#shape.nodes - 1 : REFLECTORS;
  }

  get routes(): number {
    return this.#shape.nodes * BLOCKS_PER_NODE;
  }

  /** Datastore and peers; the agent is not there yet. */
  async start(): Promise<void> {
    const data = ['--data-dir', join(this.#directory, 'etcd'), '--log-level', 'error'];
    const urls = ['--listen-client-urls', ENDPOINT, '--advertise-client-urls', ENDPOINT];
    // Nobody reads what it prints: its pipe would fill.
    this.#processes
      .start(this.#others.name, 'etcd', ...data, ...urls, '--listen-peer-urls', 'http://127.0.0.1:2380')
      .stderr!.resume();
    const program = join(import.meta.dirname, 'cluster-peers.ts');
    this.#peers = new Conversation('the peers', this.#processes.start(this.#others.name, nodeProgram(), program));
    await this.#ask({ do: 'fill', shape: this.#shape, endpoint: ENDPOINT });
    await this.#ask({ do: 'listen', shape: this.#shape });
    await this.#kernel.watch((event) => {
      if (event.kind !== 'route' || event.change !== 'set' || event.route.protocol !== ROUTE_PROTOCOL) return;
      this.#seen.routes++;
      this.#seen.lastAt = wallNow();
    }, this.#stop.signal);
  }

  /** From nothing in the kernel to all routes in it, verified by iproute2. */
  async measureStart(flags: readonly string[] = []): Promise<StartSample> {
    await this.#ask({ do: 'expect', shape: this.#shape });
    this.#seen = { routes: 0, lastAt: 0 };
    const startedAt = wallNow();
    const pid = this.#startAgent(flags);
    for (;;) {
      if (this.#seen.routes >= this.routes) break;
      if (this.#agent?.exitCode !== null || wallNow() - startedAt > LIMIT_MS) throw new Error(await this.#failure());
      await sleep(50);
    }
    const cpuMs = cpuOf(pid);
    this.#verify();
    // What is garbage by now counts as well: nobody collects it for the agent.
    const memory = memoryOf(pid);
    const counts = await this.#untilAllUp(startedAt);
    return { sessionsMs: counts.lastUpAt - startedAt, routesMs: this.#seen.lastAt - startedAt, cpuMs, ...memory };
  }

  /** RSS after a while of nothing. */
  async memoryAfter(ms: number): Promise<Memory> {
    await sleep(ms);
    return memoryOf(this.#agent!.pid!);
  }

  /** As if the host had started anew: no agent, and nothing of it in the kernel. */
  async reset(): Promise<void> {
    await this.endAgent();
    this.#node.run('ip', 'route', 'flush', 'proto', String(ROUTE_PROTOCOL));
    this.#node.run('sh', '-c', 'ip link del vxlan.calico 2>/dev/null || true');
  }

  async endAgent(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const agent = this.#agent;
    if (agent === undefined || agent.exitCode !== null || agent.signalCode !== null) return;
    const gone = new Promise((resolve) => agent.once('exit', resolve));
    agent.kill(signal);
    await gone;
  }

  log(): string {
    return readFileSync(this.#logFile, 'utf8');
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.endAgent();
    await this.#processes.end();
    await this.#kernel.close();
    for (const each of [this.#node, this.#others]) each.remove();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  get #logFile(): string {
    return join(this.#directory, 'agent.log');
  }

  async #ask(request: Request): Promise<Counts> {
    return (await this.#peers!.ask(request)) as Counts;
  }

  #startAgent(flags: readonly string[]): number {
    const log = openSync(this.#logFile, 'a');
    const program = join('dist', 'calico-node-ts.mjs');
    const command = [nodeProgram(), ...NODE_FLAGS, ...flags, program];
    const env = {
      ...NODE_ENVIRONMENT,
      ...{ PATH: process.env['PATH'] ?? '', NODENAME: nodeName(0), IP: 'autodetect', AS: String(ASN) },
      ...{ DATASTORE_TYPE: 'etcdv3', ETCD_ENDPOINTS: ENDPOINT, NO_DEFAULT_POOLS: 'true' },
      ...{ CALICO_RUN_DIR: join(this.#directory, 'run'), CALICO_NODENAME_FILE: join(this.#directory, 'nodename') },
    };
    this.#agent = spawn('ip', ['netns', 'exec', this.#node.name, ...command], { env, stdio: ['ignore', log, log] });
    closeSync(log);
    return this.#agent.pid!;
  }

  async #untilAllUp(startedAt: number): Promise<Counts> {
    for (;;) {
      const counts = await this.#ask({ do: 'count' });
      const heard = this.sessions * BLOCKS_PER_NODE;
      if (counts.up === this.sessions && counts.heard === heard && counts.faults.length === 0) return counts;
      if (wallNow() - startedAt > LIMIT_MS || counts.faults.length > 0) throw new Error(await this.#failure());
      await sleep(50);
    }
  }

  async #failure(): Promise<string> {
    const { up, heard, faults } = await this.#ask({ do: 'count' });
    const seen = `${this.#seen.routes} of ${this.routes} routes, ${up} of ${this.sessions} sessions, ${heard} prefixes told`;
    return [`the agent did not come to its aim: ${seen}`, ...faults.slice(0, 5), this.log().slice(-4000)].join('\n');
  }

  /** Every block by its way, as iproute2 sees the kernel. */
  #verify(): void {
    const listed = this.#node.run('ip', 'route', 'show', 'proto', String(ROUTE_PROTOCOL));
    const lines = new Set(
      listed
        .split('\n')
        .map((line) => line.trim().replaceAll(/ +/g, ' '))
        .filter(Boolean),
    );
    if (lines.size !== this.routes) throw new Error(`${lines.size} routes are in the kernel instead of ${this.routes}`);
    for (let i = 0; i < this.#shape.nodes; i++) {
      for (let k = 0; k < BLOCKS_PER_NODE; k++) {
        const block = `${dotted(blockAddress(i, k))}/26`;
        const line =
          i === 0 ? `blackhole ${block}` : `${block} via ${dotted(nodeAddress(i, this.#shape))} dev eth0 onlink`;
        if (!lines.has(line))
          throw new Error(`the kernel has no '${line}' but '${[...lines].find((one) => one.includes(block))}'`);
      }
    }
  }
}

function layCable(node: TestNetns, others: TestNetns, shape: ClusterShape): void {
  node.run('ip', 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', others.name);
  for (const each of [node, others]) {
    each.run('ip', 'link', 'set', 'lo', 'up');
    each.run('ip', 'link', 'set', 'eth0', 'up');
    // As an operator of a cluster of this size has it: the kernel's default is 1024 neighbours.
    each.run(
      'sh',
      '-c',
      'for t in 1 2 3; do echo 8192 > /proc/sys/net/ipv4/neigh/default/gc_thresh$t; done 2>/dev/null || true',
    );
    each.run(
      'sh',
      '-c',
      'echo 4096 > /proc/sys/net/core/somaxconn; echo 4096 > /proc/sys/net/ipv4/tcp_max_syn_backlog',
    );
  }
  node.run('ip', 'addr', 'add', `${dotted(nodeAddress(0, shape))}/16`, 'dev', 'eth0');
  const addresses = [
    ETCD_ADDRESS,
    ...Array.from({ length: shape.nodes - 1 }, (_, at) => dotted(nodeAddress(at + 1, shape))),
  ];
  const lines = addresses.map((address) => `addr add ${address}/16 dev eth0`).join('\n');
  others.run('sh', '-c', `ip -batch - <<'LINES'\n${lines}\nLINES`);
}

function memoryOf(pid: number): Memory {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const mb = (field: string): number =>
    (Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(status)?.[1]) * 1024) / 1e6;
  return { rssMb: mb('VmRSS'), peakMb: mb('VmHWM') };
}

/** utime and stime of proc_pid_stat(5), in clock ticks of 10 ms. */
function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
