import type { RouteReport } from '../../api/contract.ts';
import { agentClient } from '../agents.ts';
import type { Cluster } from '../cluster.ts';
import { HOLD_SECONDS } from '../environment.ts';
import { cliOnNode } from '../datastore.ts';
import { mustRun } from '../process.ts';
import { RouteMonitor } from '../route-monitor.ts';
import { NODES, SWITCHES } from '../topology.ts';
import { until } from '../wait.ts';
import type { Check, Finding } from './check.ts';

const STOPPED = 'node-a2';
const SILENT = 'node-b2';
/** Timers fire, kernels are written and monitors report in some time of their own. */
const ALLOWANCE_MS = 2000;

/** One node says goodbye, then another one falls silent. */
export const leave: Check = {
  name: 'leave',
  title: 'a node that leaves: its routes are gone at once on a clean stop, within the hold time on silence',
  run: async (cluster) => {
    const stopped = await measure(cluster, {
      node: STOPPED,
      present: [...NODES, ...SWITCHES].map(({ name }) => name).filter((name) => name !== STOPPED),
      depart: () => cliOnNode(cluster.layout, STOPPED, cluster.choice.project)(['node', 'stop']),
      what: 'calicoctl-ts node stop',
      limitMs: ALLOWANCE_MS,
    });
    const silent = await measure(cluster, {
      node: SILENT,
      present: [...NODES, ...SWITCHES].map(({ name }) => name).filter((name) => name !== STOPPED && name !== SILENT),
      depart: () => mustRun(['ip', '-n', `${cluster.layout.prefix}${SILENT}`, 'link', 'set', 'eth0', 'down']),
      what: 'its uplink set down',
      limitMs: HOLD_SECONDS * 1000 + ALLOWANCE_MS,
    });
    return {
      ok: stopped.ok && silent.ok,
      lines: [...stopped.lines, ...silent.lines],
      data: { holdSeconds: HOLD_SECONDS, stopped: stopped.data, silent: silent.data },
    };
  },
};

interface Departure {
  readonly node: string;
  /** The hosts that must forget it. */
  readonly present: readonly string[];
  readonly depart: () => Promise<unknown>;
  readonly what: string;
  readonly limitMs: number;
}

async function measure(cluster: Cluster, { node, present, depart, what, limitMs }: Departure): Promise<Finding> {
  const { layout, signal } = cluster;
  const routes = await agentClient(layout, node).get<readonly RouteReport[]>('/v1/routes');
  const blocks = routes.filter((route) => route.class === 'local-block').map(({ prefix }) => prefix);
  if (blocks.length === 0) throw new Error(`${node} has no block whose routes could go`);
  const monitor = await RouteMonitor.start(cluster, present);
  const askedAt = Date.now();
  await depart();
  const askingMs = Date.now() - askedAt;
  const gone = await Promise.all(
    present.flatMap((host) =>
      blocks.map((block) =>
        until(
          () => {
            const last = monitor.events(host).findLast(({ prefix }) => prefix === block);
            const missing = last === undefined ? 'it was not touched' : `it is there: ${last.text}`;
            return Promise.resolve(last?.deleted === true ? { value: { host, at: last.at } } : { missing });
          },
          { what: `the route to ${block} to leave ${host}`, timeoutMs: limitMs + 20_000, signal },
        ),
      ),
    ),
  );
  await monitor.stop();
  const left = (
    await Promise.all(present.flatMap((host) => blocks.map((block) => kernelRoute(cluster, host, block))))
  ).flat();
  const slowest = gone.reduce((a, b) => (b.at > a.at ? b : a));
  const ms = Math.round(slowest.at - askedAt);
  const verdict = `${node}, ${what}: ${blocks.join(', ')} gone from ${present.join(', ')}`;
  return {
    ok: ms <= askingMs + limitMs && left.length === 0,
    lines: [
      `${verdict} after ${ms} ms (limit ${limitMs} ms, and ${askingMs} ms that the command itself took)`,
      ...left.map((line) => `  still there: ${line}`),
    ],
    data: { node, blocks, ms, askingMs, limitMs, slowest: slowest.host, left },
  };
}

async function kernelRoute({ layout }: Cluster, host: string, block: string): Promise<readonly string[]> {
  const told = await mustRun(['ip', '-n', `${layout.prefix}${host}`, '-4', 'route', 'show', block]);
  return told.trim() === '' ? [] : [`${host}: ${told.trim()}`];
}
