/** `npm run bench -- claim`: a block is claimed on one node of the demo's cluster; when has the farthest node's kernel its route? */
import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, fdatasyncSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { constants as osConstants, cpus, getPriority, setPriority } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createLinuxKernel } from '../../felix/index.ts';
import { raiseCluster, removeCluster } from '../../src/demo/cluster.ts';
import type { Layout } from '../../src/demo/layout.ts';
import { netnsPath } from '../../src/demo/layout.ts';
import { ETCD, NODES, SWITCHES } from '../../src/demo/topology.ts';
import { formatPrefix } from '../../src/model/ip.ts';
import { HAS_ETCD } from '../support/etcd-server.ts';
import { Conversation, LabProcesses, nodeProgram } from '../support/lab-processes.ts';
import { isRoot } from '../support/netns.ts';
import { percentile } from '../support/pod-burst.ts';
import type { Claim } from './claimer.ts';
import { wallNow } from './cluster-clock.ts';
import { ClusterProcessor } from './cluster-processor.ts';
import { atMost, missedLines } from './scenario.ts';
import type { Aim, BenchOptions, Report, Scenario } from './scenario.ts';
import { formatFigure } from './table.ts';

/** Rounds of so many, with a pause after each so that the cluster comes to rest. */
const CLAIMS_PER_ROUND = 20;
const PAUSE_MS = 50;
const REST_MS = 1_000;
const LIMIT_MS = 5_000;
/** In the other rack: two switches lie between. */
const [CLAIMANT, FARTHEST] = ['node-a1', 'node-b2'] as const;
const AIMS = { p50: 5, p99: 20 };

/** Where the cluster keeps its files, etcd's data among them. */
const PLACES = [
  { name: 'on the disk', directory: '/run/ctb-claim' },
  { name: 'in memory', directory: '/dev/shm/ctb-claim' },
] as const;
const SYNCS = 100;
/** As long as the record of a claim in etcd's log, about. */
const RECORD_OCTETS = 512;

interface Latency {
  /** Of etcd's answer to the claim, and of the route in the farthest kernel, from before the write. */
  readonly answeredMs: number;
  readonly routeMs: number;
}

interface Measurement {
  readonly latencies: readonly Latency[];
  /** Processor time of a claim in each process of the cluster, by host, the claimer among them; the mean. */
  readonly processor: readonly (readonly [host: string, ms: number])[];
}

interface Result extends Measurement {
  readonly name: string;
  /** What a write that is waited for takes there, by itself. */
  readonly syncMs: readonly number[];
}

export const claim: Scenario = {
  name: 'claim',
  run: async ({ rounds }: BenchOptions): Promise<Report> => {
    if (!isRoot || !HAS_ETCD) throw new Error('claim needs root and /usr/bin/etcd (Debian: etcd-server)');
    if (!existsSync('dist/calico-node-ts.mjs')) throw new Error('claim starts what npm run build makes: run it first');
    const results: Result[] = [];
    for (const { name, directory } of PLACES) {
      const syncMs = measureSyncs(directory);
      results.push({ name, syncMs, ...(await measure(directory, Math.min(rounds, 10) * CLAIMS_PER_ROUND)) });
    }
    return report(results);
  },
};

function report(results: readonly Result[]): Report {
  const row = (what: string, values: readonly number[]): readonly string[] => [
    what,
    ...[50, 99, 100].map((percent) => formatFigure(percentile(values, percent))),
  ];
  const aims = aimsOf(results[0]!);
  return {
    heading: [
      `claim: ${results[0]!.latencies.length} blocks claimed on ${CLAIMANT} of the demo's cluster, seen in the kernel of ${FARTHEST}; Node ${process.version}, ${cpus()[0]?.model ?? 'unknown processor'}`,
      ...missedLines(aims),
    ],
    table: [
      ['from the write of the claim, ms', 'median', 'p99', 'longest'],
      ...results.flatMap(({ name, latencies, syncMs }) => [
        row(`etcd ${name}: a write is synced, by itself`, syncMs),
        row(
          `etcd ${name}: it has answered`,
          latencies.map(({ answeredMs }) => answeredMs),
        ),
        row(
          `etcd ${name}: the route is in the kernel of ${FARTHEST}`,
          latencies.map(({ routeMs }) => routeMs),
        ),
      ]),
    ],
    footing: results.map(processorLine),
    results: { node: process.version, processor: cpus()[0]?.model, results },
    aims,
  };
}

function processorLine({ name, processor }: Result): string {
  const each = processor.map(([host, ms]) => `${host} ${formatFigure(ms)}`).join(', ');
  const all = processor.reduce((sum, [, ms]) => sum + ms, 0);
  return `etcd ${name}: processor time of a claim, ms: ${formatFigure(all)} (${each})`;
}

/** Of etcd as it is run: it answers when its log is on the disk. */
function aimsOf({ latencies }: Result): readonly Aim[] {
  const routeMs = latencies.map((each) => each.routeMs);
  return [
    atMost('median', percentile(routeMs, 50), [AIMS.p50, 'ms']),
    atMost('p99', percentile(routeMs, 99), [AIMS.p99, 'ms']),
  ];
}

function measureSyncs(directory: string): readonly number[] {
  const file = `${directory}-sync`;
  mkdirSync(join(file, '..'), { recursive: true });
  const descriptor = openSync(file, 'w');
  try {
    return Array.from({ length: SYNCS }, () => {
      writeSync(descriptor, new Uint8Array(RECORD_OCTETS));
      const startedAt = performance.now();
      fdatasyncSync(descriptor);
      return performance.now() - startedAt;
    });
  } finally {
    closeSync(descriptor);
    rmSync(file);
  }
}

async function measure(directory: string, claims: number): Promise<Measurement> {
  const layout: Layout = { prefix: 'ctb-claim-', directory };
  const stop = new AbortController();
  const processes = new LabProcesses();
  const priority = getPriority();
  try {
    const choice = { datastore: 'etcd', encap: 'vxlan', switches: 'own', project: process.cwd() } as const;
    await raiseCluster({ layout, choice, signal: stop.signal, progress: () => undefined });
    const claimer = processes.start(
      `${layout.prefix}${CLAIMANT}`,
      nodeProgram(),
      ...[join(import.meta.dirname, 'claimer.ts'), CLAIMANT, `http://${ETCD.address}:2379`],
    );
    // Who watches waits for no core: what it waits is no part of a claim. Its thread is made with the first watch, and inherits it.
    setPriority(osConstants.priority.PRIORITY_HIGHEST);
    const kernel = createLinuxKernel({ netns: netnsPath(layout, FARTHEST) });
    const seen = new Sightings();
    await kernel.watch((event) => {
      if (event.kind === 'route' && event.change === 'set') seen.note(formatPrefix(event.route.prefix));
    }, stop.signal);
    hurry('-f', 1);
    const talk = new Conversation('the claimer', claimer);
    const latencies: Latency[] = [];
    // Who starts is over it.
    await talk.ask({ claim: 'the first' });
    await sleep(REST_MS);
    const processor = new ClusterProcessor(
      layout,
      [...NODES, ...SWITCHES, ETCD].map((host) => host.name),
    );
    for (let i = 0; i < claims; i++) {
      const { block, claimedAt, answeredAt } = (await talk.ask({ claim: i })) as Claim;
      const routeAt = await seen.of(block);
      latencies.push({ answeredMs: answeredAt - claimedAt, routeMs: routeAt - claimedAt });
      await sleep(PAUSE_MS);
    }
    const taken = processor.since();
    stop.abort();
    await kernel.close();
    return { latencies, processor: taken.map(([host, ms]) => [host, ms / claims]) };
  } finally {
    stop.abort();
    hurry('-o', 0);
    setPriority(priority);
    await processes.end();
    await removeCluster(layout);
  }
}

/**
 * All threads of this process, and no child of theirs, by chrt(1). Of the fair scheduler even who has the highest priority waits for the slice
 * of who runs: some ms for a route that is in the kernel already. A host that refuses it, or has no chrt, is watched as before.
 */
function hurry(policy: '-f' | '-o', priority: number): void {
  spawnSync('chrt', ['-a', ...(policy === '-f' ? ['-R'] : []), policy, '-p', String(priority), String(process.pid)]);
}

/** When each prefix was seen first. Who waits for one costs the cluster nothing meanwhile. */
class Sightings {
  readonly #at = new Map<string, number>();
  #heard: () => void = () => undefined;

  note(prefix: string): void {
    if (this.#at.has(prefix)) return;
    this.#at.set(prefix, wallNow());
    this.#heard();
  }

  async of(prefix: string): Promise<number> {
    const stop = new AbortController();
    const limit = sleep(LIMIT_MS, undefined, { signal: stop.signal }).then(
      () => {
        throw new Error(`${FARTHEST} has no route to ${prefix} ${LIMIT_MS / 1000} s after it was claimed`);
      },
      () => 0,
    );
    const sight = (async () => {
      for (;;) {
        const at = this.#at.get(prefix);
        if (at !== undefined) return at;
        await new Promise<void>((resolve) => (this.#heard = resolve));
      }
    })();
    try {
      return await Promise.race([sight, limit]);
    } finally {
      stop.abort();
    }
  }
}
