/** The edge that runs the agents and asks them. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createAgentClient } from '../api/client.ts';
import type { AgentClient } from '../api/client.ts';
import type { NodeStatus } from '../api/contract.ts';
import type { ClusterChoice } from './choice.ts';
import { NODE_ENVIRONMENT, NODE_FLAGS } from '../runtime/node-flags.ts';
import { agentEnvironment } from './environment.ts';
import { agentSocket, hostDirectory, logFile, onHost } from './layout.ts';
import type { Layout } from './layout.ts';
import { startDaemon } from './process.ts';
import { NODES } from './topology.ts';
import type { DemoNode } from './topology.ts';
import { until } from './wait.ts';
import type { Look } from './wait.ts';

/** Starts a node's agent as its unit file would. */
export async function startAgent(layout: Layout, node: DemoNode, choice: ClusterChoice): Promise<void> {
  await mkdir(hostDirectory(layout, node.name), { recursive: true });
  const command = [process.execPath, ...NODE_FLAGS, join(choice.project, 'dist/calico-node-ts.mjs')];
  await startDaemon(onHost(layout, node.name, command), {
    logFile: logFile(layout, node.name, 'calico-node-ts'),
    env: { ...NODE_ENVIRONMENT, ...agentEnvironment(layout, node, choice) },
  });
}

export const agentClient = (layout: Layout, node: string): AgentClient => createAgentClient(agentSocket(layout, node));

export const agentStatus = (layout: Layout, node: string): Promise<NodeStatus> =>
  agentClient(layout, node).get<NodeStatus>('/v1/status');

/** Waits until the agents of all nodes answer. */
export async function untilAnswering(layout: Layout, signal: AbortSignal): Promise<void> {
  await Promise.all(
    NODES.map((node) =>
      until(async () => ({ value: await agentStatus(layout, node.name) }), {
        what: `the agent of ${node.name} to answer`,
        timeoutMs: 120_000,
        signal,
        intervalMs: 250,
      }),
    ),
  );
}

export interface SettledWait {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly nodes?: readonly DemoNode[];
}

/** Waits until each node has all its sessions (the mesh and its switch), has chosen routes and programmed them. */
export async function untilSettled(layout: Layout, wait: SettledWait): Promise<readonly NodeStatus[]> {
  const nodes = wait.nodes ?? NODES;
  return Promise.all(
    nodes.map((node) =>
      until(async () => settled(await agentStatus(layout, node.name), nodes.length), {
        what: `the sessions of ${node.name}`,
        timeoutMs: wait.timeoutMs,
        signal: wait.signal,
        intervalMs: 200,
      }),
    ),
  );
}

/** A node has a session with every other node and one with its switch. */
export function settled(status: NodeStatus, nodes: number): Look<NodeStatus> {
  const { peers, converged } = status.bgp;
  const established = peers.filter(({ state }) => state === 'Established').length;
  if (established < nodes) {
    const others = peers.filter(({ state }) => state !== 'Established');
    const shown = others.map(
      ({ address, state, lastError }) => `${address} is ${state}${lastError ? ` (${lastError})` : ''}`,
    );
    return { missing: `${established} of ${nodes} Established; ${shown.join(', ')}` };
  }
  if (!converged) return { missing: 'route selection still waits for End-of-RIB' };
  const { pending, failed } = status.dataplane;
  return pending + failed > 0 ? { missing: `${pending} routes pending, ${failed} failed` } : { value: status };
}
