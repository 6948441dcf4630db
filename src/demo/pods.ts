/** Pods as a container runtime and the CNI plugin make them: a namespace, then one call to the node's agent. */
import type { PodRequest, PodResult } from '../api/contract.ts';
import { agentClient } from './agents.ts';
import { netnsPath } from './layout.ts';
import type { Layout } from './layout.ts';
import { addHosts } from './namespaces.ts';

export interface Pod {
  /** The host's name within the cluster: `pod-node-a1-1`. */
  readonly host: string;
  readonly node: string;
  readonly address: string;
}

/** What the agent is asked for a pod that lives in the namespace of `host`. */
export function podRequest(layout: Layout, host: string): PodRequest {
  return {
    containerId: `${layout.prefix}${host}`,
    netns: netnsPath(layout, host),
    interfaceName: 'eth0',
    podNamespace: 'demo',
    podName: host,
  };
}

/** The same call that the CNI plugin makes; the namespace must be there. */
export async function attachPod(layout: Layout, node: string, host: string): Promise<{ pod: Pod; result: PodResult }> {
  const result = await agentClient(layout, node).post<PodResult>('/v1/pods', podRequest(layout, host));
  const address = result.addresses[0]?.split('/')[0];
  if (address === undefined) throw new Error(`the agent of ${node} gave ${host} no address`);
  return { pod: { host, node, address }, result };
}

export async function addPod(layout: Layout, node: string, host: string): Promise<Pod> {
  await addHosts(layout, [host]);
  return (await attachPod(layout, node, host)).pod;
}

export const removePod = (layout: Layout, node: string, host: string): Promise<unknown> =>
  agentClient(layout, node).delete(`/v1/pods/${podRequest(layout, host).containerId}`);
