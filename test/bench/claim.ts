/** `npm run bench -- claim`: a block is claimed on one node of the demo's cluster; when has the farthest node's kernel its route? */
import { existsSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createLinuxKernel } from '../../felix/index.ts';
import { raiseCluster, removeCluster } from '../../src/demo/cluster.ts';
import type { Layout } from '../../src/demo/layout.ts';
import { netnsPath } from '../../src/demo/layout.ts';
import { ETCD } from '../../src/demo/topology.ts';
import { formatPrefix } from '../../src/model/ip.ts';
import { HAS_ETCD } from '../support/etcd-server.ts';
import { Conversation, LabProcesses, nodeProgram } from '../support/lab-processes.ts';
import { isRoot } from '../support/netns.ts';
import { percentile } from '../support/pod-burst.ts';
import type { Claim } from './claimer.ts';
import { wallNow } from './cluster-clock.ts';
import type { BenchOptions, Report, Scenario } from './scenario.ts';
import { formatFigure } from './table.ts';

/** Rounds of so many, with a pause after each so that the cluster comes to rest. */
const CLAIMS_PER_ROUND = 20;
const PAUSE_MS = 50;
const LIMIT_MS = 5_000;
/** In the other rack: two switches lie between. */
const [CLAIMANT, FARTHEST] = ['node-a1', 'node-b2'] as const;
const LAYOUT: Layout = { prefix: 'ctb-claim-', directory: '/run/ctb-claim' };
const AIMS = { p50: 5, p99: 20 };

interface Latency {
  /** Of etcd's answer to the claim, and of the route in the farthest kernel, from before the write. */
  readonly answeredMs: number;
  readonly routeMs: number;
}

export const claim: Scenario = {
  name: 'claim',
  run: async ({ rounds }: BenchOptions): Promise<Report> => {
    if (!isRoot || !HAS_ETCD) throw new Error('claim needs root and /usr/bin/etcd (Debian: etcd-server)');
    if (!existsSync('dist/calico-node-ts.mjs')) throw new Error('claim starts what npm run build makes: run it first');
    const latencies = await measure(Math.min(rounds, 10) * CLAIMS_PER_ROUND);
    const row = (name: string, values: readonly number[]): readonly string[] => [
      name,
      ...[50, 99, 100].map((percent) => formatFigure(percentile(values, percent))),
    ];
    const routeMs = latencies.map((each) => each.routeMs);
    const [p50, p99] = [percentile(routeMs, 50), percentile(routeMs, 99)];
    return {
      heading: [
        `claim: ${latencies.length} blocks claimed on ${CLAIMANT} of the demo's cluster, seen in the kernel of ${FARTHEST}; Node ${process.version}, ${cpus()[0]?.model ?? 'unknown processor'}`,
        ...(p50 > AIMS.p50 ? [`missed: median ${formatFigure(p50)} ms, not ${AIMS.p50}`] : []),
        ...(p99 > AIMS.p99 ? [`missed: p99 ${formatFigure(p99)} ms, not ${AIMS.p99}`] : []),
      ],
      table: [
        ['from the write of the claim, ms', 'median', 'p99', 'longest'],
        row(
          'etcd has answered',
          latencies.map(({ answeredMs }) => answeredMs),
        ),
        row(`the route is in the kernel of ${FARTHEST}`, routeMs),
      ],
      results: { node: process.version, processor: cpus()[0]?.model, latencies },
    };
  },
};

async function measure(claims: number): Promise<readonly Latency[]> {
  const stop = new AbortController();
  const processes = new LabProcesses();
  try {
    const choice = { datastore: 'etcd', encap: 'vxlan', switches: 'own', project: process.cwd() } as const;
    await raiseCluster({ layout: LAYOUT, choice, signal: stop.signal, progress: () => undefined });
    const kernel = createLinuxKernel({ netns: netnsPath(LAYOUT, FARTHEST) });
    const seen = new Map<string, number>();
    await kernel.watch((event) => {
      if (event.kind !== 'route' || event.change !== 'set') return;
      const prefix = formatPrefix(event.route.prefix);
      if (!seen.has(prefix)) seen.set(prefix, wallNow());
    }, stop.signal);
    const claimer = processes.start(
      `${LAYOUT.prefix}${CLAIMANT}`,
      nodeProgram(),
      ...[join(import.meta.dirname, 'claimer.ts'), CLAIMANT, `http://${ETCD.address}:2379`],
    );
    const talk = new Conversation('the claimer', claimer);
    const latencies: Latency[] = [];
    for (let i = 0; i < claims; i++) {
      const { block, claimedAt, answeredAt } = (await talk.ask({ claim: i })) as Claim;
      const routeAt = await when(block, seen);
      latencies.push({ answeredMs: answeredAt - claimedAt, routeMs: routeAt - claimedAt });
      await sleep(PAUSE_MS);
    }
    stop.abort();
    await kernel.close();
    return latencies;
  } finally {
    stop.abort();
    await processes.end();
    await removeCluster(LAYOUT);
  }
}

async function when(block: string, seen: ReadonlyMap<string, number>): Promise<number> {
  for (const startedAt = wallNow(); wallNow() - startedAt < LIMIT_MS;) {
    const at = seen.get(block);
    if (at !== undefined) return at;
    await sleep(1);
  }
  throw new Error(`${FARTHEST} has no route to ${block} ${LIMIT_MS / 1000} s after it was claimed`);
}
