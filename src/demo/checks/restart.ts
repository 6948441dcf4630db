import { agentStatus, startAgent, untilSettled } from '../agents.ts';
import type { Cluster } from '../cluster.ts';
import { onHost } from '../layout.ts';
import { readPing } from '../ping-output.ts';
import { startRecorder } from '../process.ts';
import { RouteMonitor } from '../route-monitor.ts';
import { switchKeepsStale } from '../switches.ts';
import { NODES, SWITCHES } from '../topology.ts';
import type { DemoNode } from '../topology.ts';
import { sleep, until } from '../wait.ts';
import type { Check } from './check.ts';

const PING_INTERVAL_SECONDS = 0.02;
const WATCHED = [...NODES, ...SWITCHES].map(({ name }) => name);

/** One killed agent. */
interface Kill {
  readonly node: string;
  /** Who held its routes as stale while it was gone: the nodes, and the switch by its software. */
  readonly helpers: readonly string[];
  readonly goneMs: number;
  readonly settledMs: number;
}

/** One agent per rack is killed, so that both switches have to help. */
export const restart: Check = {
  name: 'restart',
  title: 'kill -9 of an agent and its restart: no packet lost, no route touched, graceful restart seen',
  run: async (cluster) => {
    const { layout, pods, signal } = cluster;
    const from = pods.find(({ node }) => node === 'node-a1')!;
    const to = pods.find(({ node }) => node === 'node-b1')!;
    const monitor = await RouteMonitor.start(cluster, WATCHED);
    const ping = await startRecorder(
      onHost(layout, from.host, ['ping', '-n', '-i', String(PING_INTERVAL_SECONDS), to.address]),
      /bytes from/,
    );
    const kills: Kill[] = [];
    try {
      for (const name of [from.node, to.node])
        kills.push(
          await killAndRestart(
            cluster,
            NODES.find((n) => n.name === name)!,
          ),
        );
      await sleep(1000, undefined, { signal });
    } finally {
      await ping.stop();
    }
    const events = [...(await monitor.stop())].flatMap(([host, list]) => list.map(({ text }) => `${host}: ${text}`));
    const { transmitted, received } = readPing(ping.text());
    const lost = transmitted - received;
    return {
      ok:
        lost === 0 &&
        transmitted > 0 &&
        events.length === 0 &&
        kills.every(({ helpers }) => helpers.length === NODES.length),
      lines: [
        `${from.host} pings ${to.host} every ${PING_INTERVAL_SECONDS * 1000} ms: ${transmitted} sent, ${lost} lost`,
        ...kills.map(
          ({ node, helpers, goneMs, settledMs }) =>
            `${node}: killed, gone for ${goneMs} ms, all sessions Established ${settledMs} ms after its start; ` +
            `routes kept as stale by ${helpers.join(', ')}`,
        ),
        `ip monitor route on ${WATCHED.join(', ')}: ${events.length === 0 ? 'silent' : `${events.length} changes`}`,
        ...events.slice(0, 20).map((event) => `  ${event}`),
      ],
      data: { transmitted, received, kills: kills.map((kill) => ({ ...kill })), routeEvents: events },
    };
  },
};

async function killAndRestart(cluster: Cluster, node: DemoNode): Promise<Kill> {
  const { layout, choice, signal } = cluster;
  const { pid } = await agentStatus(layout, node.name);
  const killedAt = performance.now();
  process.kill(pid, 'SIGKILL');
  const helpers = await until(
    async () => {
      const seen = await helpersOf(cluster, node);
      return seen.length === NODES.length ? { value: seen } : { missing: `only ${seen.join(', ') || 'nobody'} does` };
    },
    { what: `all neighbors of ${node.name} to keep its routes as stale`, timeoutMs: 20_000, signal },
  ).catch((error: unknown) => {
    signal.throwIfAborted();
    return [(error as Error).message];
  });
  const startedAt = performance.now();
  await startAgent(layout, node, choice);
  await until(
    async () => {
      const status = await agentStatus(layout, node.name);
      return status.pid === pid ? { missing: 'the killed one still answers' } : { value: status };
    },
    { what: `the agent of ${node.name} to answer`, timeoutMs: 60_000, signal },
  );
  await untilSettled(layout, { timeoutMs: 120_000, signal });
  const settledMs = Math.round(performance.now() - startedAt);
  return { node: node.name, helpers, goneMs: Math.round(startedAt - killedAt), settledMs };
}

/** Which neighbors know that the node's agent restarts, and keep its routes meanwhile (RFC 4724 §4.2). */
async function helpersOf({ layout, choice }: Cluster, { name, rack, address }: DemoNode): Promise<readonly string[]> {
  const others = NODES.filter((node) => node.name !== name);
  const nodes = await Promise.all(
    others.map(async (other) => {
      const { bgp } = await agentStatus(layout, other.name);
      const restarting = bgp.peers.find((peer) => peer.address === address)?.gracefulRestart;
      return restarting?.peerRestarting === true && restarting.staleRoutes > 0 ? [other.name] : [];
    }),
  );
  const tor = SWITCHES.find((one) => one.rack === rack)!;
  return [...nodes.flat(), ...((await switchKeepsStale(layout, choice.switches, { tor, address })) ? [tor.name] : [])];
}
