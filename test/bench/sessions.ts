/** `npm run bench -- sessions`: what it costs to hold many sessions, beside BIRD where it is installed. Needs `npm run build`. */
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { packedIpv4 } from './codec-input.ts';
import { median } from './rounds.ts';
import type { BenchOptions, Report, Scenario } from './scenario.ts';
import { ASN, HOLD_SECONDS, peerAddress, SessionPeers } from './session-peers.ts';
import { formatFigure } from './table.ts';

const PROGRAM = join('dist', 'calico-node-ts.mjs');
const SIZES = [250, 500, 1000] as const;
/** Keepalives are watched for so long while nothing else happens, and for so long while one peer says its table. */
const WATCH_MS = 3000;
/** Of the table, which no other peer is told. */
const TABLE_OCTETS = 2_000_000;
const START_MS = 20_000;

interface Daemon {
  readonly name: string;
  readonly file: string;
  readonly config: (place: Place, peers: number) => string;
  readonly command: (directory: string) => readonly [string, ...string[]];
}

interface Place {
  readonly directory: string;
  readonly port: number;
}

interface Sample {
  readonly startMs: number;
  readonly upMs: number;
  readonly upCpuMs: number;
  readonly idleRss: number;
  readonly rss: number;
  readonly idleLateMs: readonly number[];
  readonly busyLateMs: readonly number[];
  readonly lost: number;
}

const peersOf = (count: number, line: (address: string, i: number) => string): string =>
  Array.from({ length: count }, (_, i) => line(peerAddress(i + 1), i)).join('\n');

const ours: Daemon = {
  name: 'calico-ts',
  file: 'speaker.yaml',
  config: ({ directory, port }, peers) => `asn: ${ASN}
bgpIdentifier: 10.255.0.1
listen: [{address: 127.0.0.1, port: ${port}}]
socket: ${join(directory, 'speaker.sock')}
defaults: {asn: ${ASN}, passive: true, holdSeconds: ${HOLD_SECONDS}}
peers:
${peersOf(peers, (address) => `- {address: ${address}}`)}
`,
  command: (directory) => [
    process.execPath,
    '--max-semi-space-size=16',
    join(process.cwd(), PROGRAM),
    ...['speaker', '--config', join(directory, 'speaker.yaml')],
  ],
};

const bird: Daemon = {
  name: 'BIRD',
  file: 'bird.conf',
  config: ({ port }, peers) => `router id 10.255.0.1;
protocol device {}
template bgp peer {
  local 127.0.0.1 port ${port} as ${ASN};
  multihop; passive on; hold time ${HOLD_SECONDS};
  ipv4 { import all; export none; };
}
${peersOf(peers, (address, i) => `protocol bgp p${i} from peer { neighbor ${address} as ${ASN}; }`)}
`,
  command: (directory) => ['bird', '-f', '-c', join(directory, 'bird.conf'), '-s', join(directory, 'bird.ctl')],
};

const daemons = (): readonly Daemon[] => (spawnSync('bird', ['--version']).error === undefined ? [bird, ours] : [ours]);

export const sessions: Scenario = {
  name: 'sessions',
  run: async ({ rounds }: BenchOptions): Promise<Report> => {
    if (!existsSync(PROGRAM)) throw new Error(`${PROGRAM} is not there: npm run build`);
    const table = tableOctets();
    const kinds = daemons().flatMap((daemon) => SIZES.map((size) => ({ daemon, size, samples: [] as Sample[] })));
    for (let round = 0; round < rounds; round++) {
      for (const { daemon, size, samples } of kinds) samples.push(await sampleOf(daemon, size, table));
    }
    return report(kinds, rounds);
  },
};

/** Whole UPDATEs of a full table, the first of them. */
function tableOctets(): Uint8Array {
  const { frames, stream } = packedIpv4();
  let octets = 0;
  for (const frame of frames) {
    if (octets + frame.length > TABLE_OCTETS) break;
    octets += frame.length;
  }
  return stream.subarray(0, octets);
}

/** One daemon, started anew. Throws where a session does not come up. */
async function sampleOf(daemon: Daemon, size: number, table: Uint8Array): Promise<Sample> {
  const directory = mkdtempSync(join(tmpdir(), 'calico-ts-bench-'));
  const port = await freePort();
  writeFileSync(join(directory, daemon.file), daemon.config({ directory, port }, size));
  const [command, ...args] = daemon.command(directory);
  const began = performance.now();
  const child = spawn(command, args, { cwd: directory, stdio: 'ignore' });
  try {
    await isListening(child, port);
    const startMs = performance.now() - began;
    await sleep(500);
    return { startMs, ...(await conversation(child.pid!, { port, size, table })) };
  } finally {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    rmSync(directory, { recursive: true, force: true });
  }
}

async function conversation(
  pid: number,
  { port, size, table }: { readonly port: number; readonly size: number; readonly table: Uint8Array },
): Promise<Omit<Sample, 'startMs'>> {
  const idle = { rss: residentOctets(pid), cpuMs: processorMs(pid) };
  const peers = new SessionPeers({ port, first: 1, count: size });
  try {
    const upMs = await peers.allUp;
    const upCpuMs = processorMs(pid) - idle.cpuMs;
    await sleep(WATCH_MS);
    const idleLateMs = peers.takeLateness();
    const rss = residentOctets(pid);
    // One after the other, as fast as it is read.
    const isOver = sleep(WATCH_MS, true);
    while (!(await Promise.race([isOver, peers.say(0, table)])));
    const busyLateMs = peers.takeLateness();
    return { upMs, upCpuMs, idleRss: idle.rss, rss, idleLateMs, busyLateMs, lost: size - peers.standing };
  } finally {
    peers.close();
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Whoever asks is a stranger, and is hung up on. */
async function isListening(child: ChildProcess, port: number): Promise<void> {
  for (const end = performance.now() + START_MS; performance.now() < end;) {
    if (await canConnect(port)) return;
    if (child.exitCode !== null) throw new Error(`${child.spawnfile} ended with ${child.exitCode}`);
    await sleep(2);
  }
  throw new Error(`${child.spawnfile} does not listen after ${START_MS / 1000} s`);
}

function canConnect(port: number): Promise<boolean> {
  const socket = connect({ host: '127.0.0.1', port });
  return new Promise<boolean>((resolve) => {
    socket.on('error', () => resolve(false));
    socket.on('connect', () => resolve(true));
  }).finally(() => socket.destroy());
}

/** Of all its threads. */
function processorMs(pid: number): number {
  const nanoseconds = readdirSync(`/proc/${pid}/task`).map((task) =>
    Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]),
  );
  return nanoseconds.reduce((sum, each) => sum + each, 0) / 1e6;
}

const residentOctets = (pid: number): number =>
  1024 * Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);

interface Kind {
  readonly daemon: Daemon;
  readonly size: number;
  readonly samples: readonly Sample[];
}

function report(kinds: readonly Kind[], rounds: number): Report {
  const rows = kinds.map(rowOf);
  return {
    heading: [
      `sessions: peers that all want their sessions at once, 8 connecting at a time, hold time ${HOLD_SECONDS} s, ${rounds} rounds; Node ${process.version}, ${cpus()[0]?.model ?? 'unknown processor'}`,
      'medians; growth is the factor over half as many sessions; late is what a keepalive comes after the second, idle and while one peer says its table',
    ],
    table: [
      [
        ...['daemon', 'sessions', 'start ms', 'all up ms', 'growth', 'cpu ms', 'KB each'],
        ...['late p99.9 idle', 'late p99.9 busy', 'lost'],
      ],
      ...rows.map((row, i) => [
        row.daemon,
        String(row.size),
        formatFigure(row.startMs),
        formatFigure(row.upMs),
        rows[i - 1]?.daemon === row.daemon ? formatFigure(row.upMs / rows[i - 1]!.upMs) : '',
        formatFigure(row.upCpuMs),
        formatFigure(row.octetsEach / 1000),
        formatFigure(row.idleLateMs),
        formatFigure(row.busyLateMs),
        String(row.lost),
      ]),
    ],
    results: { node: process.version, processor: cpus()[0]?.model, rounds, rows },
  };
}

function rowOf({ daemon, size, samples }: Kind) {
  const of = (value: (sample: Sample) => number): number => median(samples.map(value));
  return {
    daemon: daemon.name,
    size,
    startMs: of(({ startMs }) => startMs),
    upMs: of(({ upMs }) => upMs),
    upCpuMs: of(({ upCpuMs }) => upCpuMs),
    octetsEach: of(({ rss, idleRss }) => (rss - idleRss) / size),
    idleLateMs: percentile(samples.flatMap(({ idleLateMs }) => idleLateMs)),
    busyLateMs: percentile(samples.flatMap(({ busyLateMs }) => busyLateMs)),
    lost: samples.reduce((sum, { lost }) => sum + lost, 0),
    rounds: samples.map(({ upMs, upCpuMs, startMs, rss }) => ({ startMs, upMs, upCpuMs, rss })),
  };
}

/** p99.9; 0 where nothing was told. */
function percentile(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.999))] ?? 0;
}
