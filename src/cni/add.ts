import type { PodRequest, PodResult } from '../api/contract.ts';
import { formatPrefix, hostPrefix } from '../model/ip.ts';
import { handleId, hostInterfaceName } from './names.ts';
import type { Assignment, PodPorts } from './ports.ts';

/**
 * CNI ADD: addresses, veth pair, WorkloadEndpoint, route, in this order, so that whoever finds the endpoint finds the
 * interface. Called again for the same container it ends the same. What it took is given back when it fails.
 */
export async function addPod(request: PodRequest, ports: PodPorts): Promise<PodResult> {
  const handle = handleId(request.containerId);
  const assignment = await ports.assign(handle, {
    pod: request.podName,
    namespace: request.podNamespace,
    node: ports.node,
  });
  try {
    return await connectPod(request, assignment, ports);
  } catch (error) {
    await undo(request, ports);
    throw error;
  }
}

async function connectPod(request: PodRequest, assignment: Assignment, ports: PodPorts): Promise<PodResult> {
  const hostInterface = hostInterfaceName(request);
  const { addresses, blockClaimedAt } = assignment;
  const { mac } = await ports.addInterface({
    netns: request.netns,
    containerInterface: request.interfaceName,
    hostInterface,
    addresses,
    mtu: 0,
  });
  await ports.putEndpoint({
    namespace: request.podNamespace,
    pod: request.podName,
    containerId: request.containerId,
    containerInterface: request.interfaceName,
    hostInterface,
    mac,
    addresses,
  });
  await ports.routed(addresses);
  return {
    hostInterface,
    mac,
    addresses: addresses.map((address) => formatPrefix(hostPrefix(address))),
    timings: { routeProgrammedAt: ports.now(), ...(blockClaimedAt === undefined ? {} : { blockClaimedAt }) },
  };
}

/** A pod that could not be made leaves nothing; the first failure is the one to tell, so those in here are not. */
async function undo(request: PodRequest, ports: PodPorts): Promise<void> {
  const endpoint = await ports.findEndpoint(request.containerId).catch(() => undefined);
  if (endpoint !== undefined) await ports.removeEndpoint(endpoint).catch(() => undefined);
  await ports.removeInterface(hostInterfaceName(request)).catch(() => undefined);
  await ports.release(handleId(request.containerId)).catch(() => undefined);
}
