/** `npm run bench -- outage`: what a process that follows an etcd costs while the etcd is away, one way of being away at a time. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { cpus } from 'node:os';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { openEtcdStore } from '../../src/datastore/etcd.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { EtcdServer } from '../support/etcd-server.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { atMost } from './scenario.ts';
import type { Report, Scenario } from './scenario.ts';
import { formatFigure } from './table.ts';

/** From the loss on: the first seconds, in which it asks most often, are in it. */
const WINDOW_MS = 30_000;
const ENTRIES = 5_000;
const AIM_PERCENT = 2;

interface Sample {
  readonly cpuMs: number;
  readonly rss: number;
  readonly stale?: string;
}

interface Result {
  readonly state: string;
  readonly cpuPercent: number;
  readonly rssMegabytes: number;
  readonly stale: string;
}

const WAYS = ['there, idle', 'refuse', 'stall', 'blackHole'] as const;

export const outage: Scenario = {
  name: 'outage',
  run: async (): Promise<Report> => {
    const results = await measure();
    const heading = `outage: ${ENTRIES} entries followed, ${WINDOW_MS / 1000} s for each state, processor time of the following process alone, aim ${AIM_PERCENT} %; Node ${process.version}, ${cpus()[0]?.model ?? 'unknown processor'}`;
    const rows = results.map(({ state, cpuPercent, rssMegabytes, stale }) => [
      ...[state, formatFigure(cpuPercent), formatFigure(rssMegabytes), stale],
    ]);
    return {
      heading: [heading],
      table: [['etcd', 'cpu %', 'rss MB', 'stale'], ...rows],
      results: { node: process.version, processor: cpus()[0]?.model, entries: ENTRIES, windowMs: WINDOW_MS, results },
      aims: results
        .slice(1)
        .map(({ state, cpuPercent }) => atMost(`processor, ${state}`, cpuPercent, [AIM_PERCENT, '%'])),
    };
  },
};

async function measure(): Promise<readonly Result[]> {
  const server = await EtcdServer.start();
  const proxy = await FaultProxy.start(server.port);
  const child = spawn(
    process.execPath,
    ['--max-semi-space-size=16', 'test/bench/outage-follower.ts', `http://127.0.0.1:${proxy.port}`],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  try {
    await fill(server.endpoint);
    const next = samplesOf(child);
    await next();
    const results: Result[] = [];
    for (const way of WAYS) {
      // What the listing and the fault before cost is over.
      await sleep(5_000);
      const before = await next();
      if (way !== 'there, idle') await proxy[way]();
      await sleep(WINDOW_MS);
      const after = await next();
      const cpuPercent = ((after.cpuMs - before.cpuMs) / WINDOW_MS) * 100;
      results.push({ state: way, cpuPercent, rssMegabytes: after.rss / 2 ** 20, stale: after.stale ?? '' });
      proxy.pass();
      proxy.cutAll();
      await proxy.accept();
      await untilFresh(next);
    }
    return results;
  } finally {
    child.kill('SIGKILL');
    await proxy.close();
    await server.remove();
  }
}

async function fill(endpoint: string): Promise<void> {
  const store = await openEtcdStore({ endpoints: [endpoint] }, { clock: systemClock, random: Math.random });
  for (let i = 0; i < ENTRIES; i += 100) {
    const keys = Array.from({ length: 100 }, (_, j) => `/calico/ipam/v2/handle/${i + j}`);
    await store.writeAll(keys.map((key) => ({ type: 'create', key, value: { block: { '10.0.0.0/26': 1 } } })));
  }
  await store.close();
}

/** The next line that the process prints. */
function samplesOf({ stdout }: ChildProcess): () => Promise<Sample> {
  if (stdout === null) throw new Error('the follower has no output');
  const lines = createInterface({ input: stdout });
  return () => new Promise((resolve) => lines.once('line', (line) => resolve(JSON.parse(line) as Sample)));
}

async function untilFresh(next: () => Promise<Sample>): Promise<void> {
  for (let i = 0; (await next()).stale !== undefined; i++) {
    if (i > 60) throw new Error('the follower did not come back within a minute');
  }
}
