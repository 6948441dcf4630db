import { formatPrefix, parseIpAddress, prefixOf } from '../../model/ip.ts';
import type { Cluster } from '../cluster.ts';
import { onHost } from '../layout.ts';
import { addHosts, removeHosts } from '../namespaces.ts';
import { readPing } from '../ping-output.ts';
import { attachPod, removePod } from '../pods.ts';
import type { Pod } from '../pods.ts';
import { startRecorder } from '../process.ts';
import { RouteMonitor } from '../route-monitor.ts';
import { NODES, SWITCHES } from '../topology.ts';
import { until } from '../wait.ts';
import type { Check } from './check.ts';

const NODE = 'node-a1';
const FARTHEST = 'node-b2';
const BLOCK_LENGTH = 26;
const BLOCK_SIZE = 2 ** (32 - BLOCK_LENGTH);
const WATCHED = [...NODES.filter(({ name }) => name !== NODE), ...SWITCHES].map(({ name }) => name);

/**
 * A pod that needs a new block: the node's first block is filled with pods that do nothing, and the one that no
 * longer fits is measured.
 */
export const newPod: Check = {
  name: 'new-pod',
  title: `a new pod on a new block: milliseconds until the farthest node routes to it and a ping is answered`,
  run: async (cluster) => {
    const { layout } = cluster;
    const target = cluster.pods.find(({ node }) => node === FARTHEST)!;
    const monitor = await RouteMonitor.start(cluster, WATCHED);
    const fillers = Array.from({ length: BLOCK_SIZE }, (_, i) => `fill-${i + 1}`);
    await addHosts(layout, fillers);
    const made: Pod[] = [];
    try {
      const { pod, claimedAt } = await fillBlock(cluster, fillers, made);
      const answeredAt = await firstAnswer(cluster, pod, target);
      const block = formatPrefix(prefixOf(parseIpAddress(pod.address), BLOCK_LENGTH));
      const arrivals = await routeArrivals(cluster, monitor, block);
      await monitor.stop();
      const after = (at: number): number => Math.round((at - claimedAt) * 10) / 10;
      const routeMs = Object.fromEntries(arrivals.map(([host, at]) => [host, after(at)]));
      const pingMs = after(answeredAt);
      return {
        ok: true,
        lines: [
          `block ${block} claimed on ${NODE} for ${pod.address}, after ${made.length - 1} pods had filled the first one`,
          `route in the kernel of ${FARTHEST}, the farthest node, after ${routeMs[FARTHEST]!} ms ` +
            `(${arrivals
              .filter(([host]) => host !== FARTHEST)
              .map(([host]) => `${host} ${routeMs[host]!}`)
              .join(', ')})`,
          `first ping to ${target.host} answered after ${pingMs} ms`,
        ],
        data: { block, node: NODE, farthest: FARTHEST, routeMs, pingMs },
      };
    } finally {
      for (const { host } of made) await removePod(layout, NODE, host);
      await removeHosts(fillers.map((host) => `${layout.prefix}${host}`));
    }
  },
};

/** Attaches pods until one of them made the node claim a block; that one is returned. */
async function fillBlock(
  { layout, signal }: Cluster,
  hosts: readonly string[],
  made: Pod[],
): Promise<{ pod: Pod; claimedAt: number }> {
  // One by one: all of them want an address of the same block, and the one that matters needs the node to itself.
  for (const host of hosts) {
    signal.throwIfAborted();
    const { pod, result } = await attachPod(layout, NODE, host);
    made.push(pod);
    const claimedAt = result.timings.blockClaimedAt;
    if (claimedAt !== undefined) return { pod, claimedAt };
  }
  throw new Error(`${hosts.length} pods on ${NODE}, and still no second block was claimed`);
}

/** When the first answer came; the pod asks every 10 ms from the moment it is there. */
async function firstAnswer({ layout, signal }: Cluster, pod: Pod, target: Pod): Promise<number> {
  const ping = await startRecorder(onHost(layout, pod.host, ['ping', '-n', '-D', '-i', '0.01', target.address]));
  try {
    return await until(
      () => {
        const [first] = readPing(ping.text()).answeredAt;
        return Promise.resolve(first === undefined ? { missing: 'no answer yet' } : { value: first });
      },
      { what: `a ping from ${pod.host} to ${target.host}`, timeoutMs: 30_000, signal, intervalMs: 20 },
    );
  } finally {
    await ping.stop();
  }
}

/** When each host's kernel first had the block's route. */
function routeArrivals(
  { signal }: Cluster,
  monitor: RouteMonitor,
  block: string,
): Promise<readonly (readonly [string, number])[]> {
  return Promise.all(
    WATCHED.map((host) =>
      until(
        () => {
          const event = monitor.events(host).find(({ prefix, deleted }) => prefix === block && !deleted);
          return Promise.resolve(event === undefined ? { missing: 'nothing' } : { value: [host, event.at] as const });
        },
        { what: `the route to ${block} on ${host}`, timeoutMs: 30_000, signal },
      ),
    ),
  );
}
