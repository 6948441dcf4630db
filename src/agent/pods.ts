import type { Dataplane } from '../../felix/index.ts';
import type { PodRequest, PodResult } from '../api/contract.ts';
import { addPod } from '../cni/add.ts';
import { collectPod } from '../cni/collect.ts';
import { removePod } from '../cni/del.ts';
import { requireNamespace } from '../cni/netns.ts';
import type { Endpoint, Holder, PodPorts } from '../cni/ports.ts';
import { Turns } from '../cni/turns.ts';
import { ConflictError, NotFoundError } from '../datastore/store.ts';
import { BadReleaseError } from '../ipam/index.ts';
import type { Ipam } from '../ipam/index.ts';
import { formatPrefix, hostPrefix, parseIpAddress, parsePrefix } from '../model/ip.ts';
import { API_VERSION, DEFAULT_NAMESPACE, podEndpointsPrefix, workloadEndpointName } from '../resources/index.ts';
import type { ResourceClient, WorkloadEndpoint } from '../resources/index.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Knowledge } from './cluster-view.ts';
import type { Leak } from './leaks.ts';
import { requireWorkloadPools } from './pool-choice.ts';
import { RouteWaiters } from './route-waiters.ts';

export interface PodsPorts {
  readonly node: string;
  readonly clock: Clock;
  readonly ipam: Ipam;
  readonly dataplane: Dataplane;
  readonly resources: ResourceClient;
  readonly knowledge: () => Knowledge;
  /** Whether the node has an interface of this name. */
  readonly hasInterface: (name: string) => boolean;
}

export interface Pods {
  add(request: PodRequest): Promise<PodResult>;
  remove(containerId: string): Promise<void>;
  /** Gives back what a container left behind; the reason where it proves to be there. */
  collect(leaks: readonly [Leak, ...Leak[]]): Promise<string | undefined>;
}

/** The CNI verbs over this agent's own parts. */
export function createPods(parts: PodsPorts): Pods {
  const turns = new Turns();
  const routes = new RouteWaiters(parts.dataplane, parts.clock);
  const ports: PodPorts = {
    node: parts.node,
    now: () => parts.clock.wallTime(),
    inTurn: (hostInterface, work) => turns.inTurn(hostInterface, work),
    requireNamespace,
    held: (handleId) => held(parts, handleId),
    assign: (handleId, attributes) => assign(parts, handleId, attributes),
    release: (handleId) => parts.ipam.releaseByHandle(handleId),
    addInterface: (workload) => parts.dataplane.addWorkloadInterface(workload),
    removeInterface: (name) => parts.dataplane.removeWorkloadInterface(name),
    putEndpoint: async (endpoint) => {
      await parts.resources.apply(workloadEndpoint(parts.node, endpoint));
    },
    endpointsOf: (pod) => endpointsOf(parts, pod),
    endpoints: () => endpoints(parts),
    removeEndpoint: (endpoint) => removeEndpoint(parts, endpoint),
    // The endpoint comes back through the datastore's watch, as for every other reader; felix programs it then.
    routed: (addresses) => routes.programmed(addresses.map((address) => formatPrefix(hostPrefix(address)))),
  };
  return {
    add: (request) => addPod(request, ports),
    remove: (containerId) => removePod(containerId, ports),
    collect: (leaks) =>
      collectPod(leaks[0], leaks[0].handle, {
        ...ports,
        hasInterface: parts.hasInterface,
        release: () => releaseLeaks(parts, leaks),
      }),
  };
}

/** Only the assignments that were seen; whose address is another's by now keeps it. */
async function releaseLeaks({ ipam }: PodsPorts, leaks: readonly Leak[]): Promise<void> {
  for (const { ip, handle, sequenceNumber } of leaks) {
    await ipam
      .releaseAddress({ address: parseIpAddress(ip), handleId: handle, sequenceNumber })
      .catch((error: unknown) => {
        if (!(error instanceof BadReleaseError)) throw error;
      });
  }
}

async function assign(
  { ipam, node, knowledge }: PodsPorts,
  handleId: string,
  attributes: Readonly<Record<string, string>>,
): ReturnType<PodPorts['assign']> {
  const pools = requireWorkloadPools(knowledge(), { namespace: attributes['namespace'] ?? DEFAULT_NAMESPACE });
  const { addresses, claimedAt } = await ipam.autoAssign({ node, count: 1, handleId, attributes, pools });
  return { addresses, ...(claimedAt === undefined ? {} : { blockClaimedAt: claimedAt }) };
}

function workloadEndpoint(node: string, endpoint: Endpoint): WorkloadEndpoint {
  const spec: WorkloadEndpoint['spec'] = {
    orchestrator: 'k8s',
    node,
    pod: endpoint.pod,
    endpoint: endpoint.containerInterface,
    containerID: endpoint.containerId,
    interfaceName: endpoint.hostInterface,
    mac: endpoint.mac,
    ipNetworks: endpoint.addresses.map((address) => formatPrefix(hostPrefix(address))),
  };
  const labels = { 'projectcalico.org/namespace': endpoint.namespace, 'projectcalico.org/orchestrator': 'k8s' };
  return {
    apiVersion: API_VERSION,
    kind: 'WorkloadEndpoint',
    metadata: { name: workloadEndpointName(spec), namespace: endpoint.namespace, labels },
    spec,
  };
}

/** The addresses of a pod carry its name, as Calico's do; whatever else has a handle is no pod. */
async function held({ ipam }: PodsPorts, handleId: string): Promise<Holder | undefined> {
  const [assignment] = await ipam.assignmentsOf(handleId);
  const { pod, namespace } = assignment?.attributes.secondary ?? {};
  return pod === undefined || namespace === undefined ? undefined : { pod, namespace };
}

async function endpointsOf({ resources, node }: PodsPorts, { namespace, pod }: Holder): Promise<readonly Endpoint[]> {
  const found = await resources.list('WorkloadEndpoint', namespace, podEndpointsPrefix(node, pod));
  return found.filter(({ spec }) => spec.node === node && spec.pod === pod).map(endpointOf);
}

async function endpoints({ resources, node }: PodsPorts): Promise<readonly Endpoint[]> {
  const all = await resources.list('WorkloadEndpoint');
  return all.filter(({ spec }) => spec.node === node && spec.pod !== undefined).map(endpointOf);
}

const endpointOf = ({ metadata, spec }: WorkloadEndpoint): Endpoint => ({
  namespace: metadata.namespace ?? DEFAULT_NAMESPACE,
  pod: spec.pod ?? '',
  containerId: spec.containerID ?? '',
  containerInterface: spec.endpoint,
  hostInterface: spec.interfaceName,
  mac: spec.mac ?? '',
  addresses: spec.ipNetworks.map((network) => parsePrefix(network).address),
});

/** Success where there is none, and where the pod's next sandbox has it: also one that takes it between read and write. */
async function removeEndpoint({ resources, node }: PodsPorts, endpoint: Endpoint): Promise<void> {
  const name = { name: workloadEndpoint(node, endpoint).metadata.name, namespace: endpoint.namespace };
  try {
    const { metadata, spec } = await resources.get('WorkloadEndpoint', name);
    if (spec.containerID !== endpoint.containerId) return;
    await resources.delete('WorkloadEndpoint', name, metadata.resourceVersion);
  } catch (error) {
    if (!(error instanceof NotFoundError || error instanceof ConflictError)) throw error;
  }
}
