import type { Dataplane } from '../../felix/index.ts';
import type { PodRequest, PodResult } from '../api/contract.ts';
import { addPod } from '../cni/add.ts';
import type { Workload } from '../cni/attachment.ts';
import { removePod } from '../cni/del.ts';
import { NETWORK_NAME } from '../cni/names.ts';
import { requireNamespace } from '../cni/netns.ts';
import type { Endpoint, Held, HeldHandle, PodPorts } from '../cni/ports.ts';
import { Turns } from '../cni/turns.ts';
import { ConflictError, NotFoundError } from '../datastore/store.ts';
import type { Assignment, Ipam } from '../ipam/index.ts';
import { formatPrefix, hostPrefix, parsePrefix } from '../model/ip.ts';
import { API_VERSION, DEFAULT_NAMESPACE, endpointsPrefix, workloadEndpointName } from '../resources/index.ts';
import type { ResourceClient, WorkloadEndpoint } from '../resources/index.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Knowledge } from './cluster-view.ts';
import { assignAddresses, namespaceOf } from './pod-addresses.ts';
import type { NewEndpoints } from './new-endpoints.ts';

export interface PodsPorts {
  readonly node: string;
  readonly clock: Clock;
  readonly ipam: Ipam;
  readonly dataplane: Dataplane;
  readonly resources: ResourceClient;
  readonly knowledge: () => Knowledge;
  readonly newEndpoints: NewEndpoints;
}

/** The CNI network that an endpoint belongs to; Calico does not say it. */
const NETWORK_ANNOTATION = 'calico-ts/cni-network';

/** What the CNI verbs need, over this agent's own parts. */
export function podPorts(parts: PodsPorts): PodPorts {
  const turns = new Turns();
  const { node, ipam, dataplane, resources, newEndpoints } = parts;
  return {
    node,
    now: () => parts.clock.wallTime(),
    inTurn: (name, work) => turns.inTurn(name, work),
    requireNamespace,
    held: async (handle) => heldBy(await ipam.assignmentsOf(handle)),
    heldHere: () => heldHere(parts),
    assign: (attachment) => assignAddresses(attachment, parts),
    release: (handle) => ipam.releaseByHandle(handle),
    addInterface: async (workload) => {
      newEndpoints.expect(workload);
      try {
        return await dataplane.addWorkloadInterface(workload);
      } catch (error) {
        newEndpoints.forget(workload.hostInterface);
        throw error;
      }
    },
    removeInterface: (name) => {
      newEndpoints.forget(name);
      return dataplane.removeWorkloadInterface(name);
    },
    look: (names, addresses) => dataplane.lookAtWorkloadInterface(names, addresses),
    veths: () => vethsWithoutOthers(parts),
    putEndpoint: async (endpoint) => {
      const { hostInterface } = endpoint;
      try {
        const { metadata } = await resources.apply(workloadEndpoint(node, endpoint));
        newEndpoints.written(hostInterface, Number(metadata.resourceVersion ?? 0));
      } catch (error) {
        newEndpoints.forget(hostInterface);
        throw error;
      }
    },
    endpointsOf: (workload) => endpointsOf(parts, workload),
    endpoints: () => endpoints(parts),
    removeEndpoint: (endpoint) => removeEndpoint(parts, endpoint),
  };
}

export interface Pods {
  add(request: PodRequest): Promise<PodResult>;
  remove(containerId: string): Promise<void>;
}

/** POST and DELETE /v1/pods: the same verbs for whoever has no network configuration. A pod gets an address of each family that a pool is there for. */
export const createPods = (ports: PodPorts): Pods => ({
  add: async ({ containerId, netns, interfaceName, podNamespace, podName }) => {
    const { hostInterface, mac, addresses, timings } = await addPod(
      {
        ...{ network: NETWORK_NAME, containerId, interfaceName, netns, mtu: 0, allowIpForwarding: false },
        workload: { orchestrator: 'k8s', namespace: podNamespace, pod: podName },
        wish: { kind: 'assigned', families: 'available', pools: {} },
      },
      ports,
    );
    return { hostInterface, mac, addresses: addresses.map((one) => formatPrefix(hostPrefix(one))), timings };
  },
  remove: (containerId) => removePod({ network: NETWORK_NAME, containerId }, ports),
});

function workloadEndpoint(node: string, endpoint: Endpoint): WorkloadEndpoint {
  const { workload, network, containerId, containerInterface, hostInterface, mac, addresses } = endpoint;
  const namespace = namespaceOf(workload);
  const spec: WorkloadEndpoint['spec'] = {
    orchestrator: workload.orchestrator,
    node,
    ...(workload.orchestrator === 'k8s' && { pod: workload.pod }),
    endpoint: containerInterface,
    containerID: containerId,
    interfaceName: hostInterface,
    mac,
    ipNetworks: addresses.map((address) => formatPrefix(hostPrefix(address))),
  };
  const labels = {
    'projectcalico.org/namespace': namespace,
    'projectcalico.org/orchestrator': workload.orchestrator,
  };
  const annotations = network === undefined ? {} : { annotations: { [NETWORK_ANNOTATION]: network } };
  return {
    apiVersion: API_VERSION,
    kind: 'WorkloadEndpoint',
    metadata: { name: workloadEndpointName(spec), namespace, labels, ...annotations },
    spec,
  };
}

/** The addresses of a pod carry its name, as Calico's do. */
function heldBy(assignments: readonly Assignment[]): Held | undefined {
  const [first] = assignments;
  if (first === undefined) return undefined;
  const { pod: name, namespace } = first.attributes.secondary;
  const addresses = assignments.map(({ address }) => address);
  return { addresses, ...(name !== undefined && namespace !== undefined && { pod: { name, namespace } }) };
}

async function heldHere({ ipam, node }: PodsPorts): Promise<readonly HeldHandle[]> {
  return [...(await ipam.heldOn(node))].flatMap(([handleId, assignments]) => {
    const held = heldBy(assignments);
    const network = assignments[0]?.attributes.secondary['network'];
    return held === undefined ? [] : [{ ...held, handleId, ...(network !== undefined && { network }) }];
  });
}

const isOurs = ({ orchestrator }: WorkloadEndpoint['spec']): boolean =>
  orchestrator === 'k8s' || orchestrator === 'cni';

async function endpointsOf({ resources, node }: PodsPorts, workload: Workload): Promise<readonly Endpoint[]> {
  const { orchestrator } = workload;
  const prefix =
    orchestrator === 'k8s'
      ? endpointsPrefix({ orchestrator, node, pod: workload.pod })
      : endpointsPrefix({ orchestrator, node, containerID: workload.containerId });
  const found = await resources.list('WorkloadEndpoint', namespaceOf(workload), prefix);
  return found
    .filter(({ spec }) => spec.node === node && isOurs(spec))
    .map(endpointOf)
    .filter((endpoint) => isSameWorkload(endpoint.workload, workload));
}

async function endpoints({ resources, node }: PodsPorts): Promise<readonly Endpoint[]> {
  const all = await resources.list('WorkloadEndpoint');
  return all.filter(({ spec }) => spec.node === node && isOurs(spec)).map(endpointOf);
}

/** What another orchestrator (libnetwork, OpenStack) has an endpoint for is none of ours. */
async function vethsWithoutOthers({ dataplane, resources, node }: PodsPorts): Promise<readonly string[]> {
  const [interfaces, all] = await Promise.all([dataplane.interfaces(), resources.list('WorkloadEndpoint')]);
  const others = all.filter(({ spec }) => spec.node === node && !isOurs(spec));
  const taken = new Set(others.map(({ spec }) => spec.interfaceName));
  return interfaces.filter(({ kind, name }) => kind === 'veth' && !taken.has(name)).map(({ name }) => name);
}

const isSameWorkload = (a: Workload, b: Workload): boolean =>
  a.orchestrator === 'k8s'
    ? b.orchestrator === 'k8s' && a.pod === b.pod && a.namespace === b.namespace
    : b.orchestrator === 'cni' && a.containerId === b.containerId;

function endpointOf({ metadata, spec }: WorkloadEndpoint): Endpoint {
  const { namespace = DEFAULT_NAMESPACE } = metadata;
  const network = metadata.annotations?.[NETWORK_ANNOTATION];
  const containerId = spec.containerID ?? '';
  return {
    workload:
      spec.orchestrator === 'k8s'
        ? { orchestrator: 'k8s', namespace, pod: spec.pod ?? '' }
        : { orchestrator: 'cni', containerId },
    ...(network !== undefined && { network }),
    containerId,
    containerInterface: spec.endpoint,
    hostInterface: spec.interfaceName,
    mac: spec.mac ?? '',
    addresses: spec.ipNetworks.map((text) => parsePrefix(text).address),
  };
}

/** Success where there is none, and where the pod's next sandbox has it: also one that takes it between read and write. */
async function removeEndpoint({ resources, node }: PodsPorts, endpoint: Endpoint): Promise<void> {
  const { name, namespace = DEFAULT_NAMESPACE } = workloadEndpoint(node, endpoint).metadata;
  try {
    const { metadata, spec } = await resources.get('WorkloadEndpoint', { name, namespace });
    if (spec.containerID !== endpoint.containerId) return;
    await resources.delete('WorkloadEndpoint', { name, namespace }, metadata.resourceVersion);
  } catch (error) {
    if (!(error instanceof NotFoundError || error instanceof ConflictError)) throw error;
  }
}
