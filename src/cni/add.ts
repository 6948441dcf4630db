import type { PodRequest, PodResult } from '../api/contract.ts';
import { formatPrefix, hostPrefix } from '../model/ip.ts';
import { handleId, hostInterfaceName } from './names.ts';
import type { Endpoint, PodPorts } from './ports.ts';

/** What of this pod was there before the call. */
interface Before {
  readonly hasEndpoint: boolean;
  readonly hasAddresses: boolean;
  /** An older sandbox has the pod's name, and with it the host interface. */
  readonly isTakeover: boolean;
}

/** How far a call came; an attempt that failed may have been done all the same. */
interface Progress {
  interfaceTried: boolean;
  interfaceMade: boolean;
  endpointTried?: Endpoint;
}

/**
 * CNI ADD: addresses, veth pair, WorkloadEndpoint, route, in this order, so that whoever finds the endpoint finds the
 * interface. Called again for the same container it ends the same. A new sandbox takes the pod's name over from an older
 * one, as in Calico. A call that fails takes back what it made itself and leaves what was there before: the runtime
 * sends a DEL for what is to go (CNI specification, "ADD").
 */
export function addPod(request: PodRequest, ports: PodPorts): Promise<PodResult> {
  return ports.inTurn(hostInterfaceName(request), async () => {
    await ports.requireNamespace(request.netns);
    const before = await lookBefore(request, ports);
    const progress: Progress = { interfaceTried: false, interfaceMade: false };
    try {
      return await connectPod(request, progress, ports);
    } catch (error) {
      await undo(request, { before, progress }, ports);
      throw error;
    }
  });
}

async function lookBefore(request: PodRequest, ports: PodPorts): Promise<Before> {
  const hostInterface = hostInterfaceName(request);
  const pod = { namespace: request.podNamespace, pod: request.podName };
  const there = (await ports.endpointsOf(pod)).filter((endpoint) => endpoint.hostInterface === hostInterface);
  return {
    hasEndpoint: there.some(({ containerId }) => containerId === request.containerId),
    isTakeover: there.some(({ containerId }) => containerId !== request.containerId),
    hasAddresses: (await ports.held(handleId(request.containerId))) !== undefined,
  };
}

async function connectPod(request: PodRequest, progress: Progress, ports: PodPorts): Promise<PodResult> {
  const { containerId, podName: pod, podNamespace: namespace, interfaceName: containerInterface, netns } = request;
  const hostInterface = hostInterfaceName(request);
  const assignment = await ports.assign(handleId(containerId), { pod, namespace, node: ports.node });
  const { addresses, blockClaimedAt } = assignment;
  progress.interfaceTried = true;
  const { mac } = await ports.addInterface({ netns, containerInterface, hostInterface, addresses, mtu: 0 });
  progress.interfaceMade = true;
  progress.endpointTried = { namespace, pod, containerId, containerInterface, hostInterface, mac, addresses };
  await ports.putEndpoint(progress.endpointTried);
  await ports.routed(addresses);
  return {
    hostInterface,
    mac,
    addresses: addresses.map((address) => formatPrefix(hostPrefix(address))),
    timings: { routeProgrammedAt: ports.now(), ...(blockClaimedAt === undefined ? {} : { blockClaimedAt }) },
  };
}

interface Failed {
  readonly before: Before;
  readonly progress: Progress;
}

/** In the order of DEL, and like it safe to kill. The first failure is the one to tell, so those in here are not. */
async function undo(request: PodRequest, { before, progress }: Failed, ports: PodPorts): Promise<void> {
  if (before.hasEndpoint && before.hasAddresses) return;
  // Until this call has made its own pair, one of that name may be the older sandbox's.
  const isOurs = progress.interfaceMade || (progress.interfaceTried && !before.isTakeover);
  if (isOurs) await ports.removeInterface(hostInterfaceName(request)).catch(() => undefined);
  if (!before.hasAddresses) await ports.release(handleId(request.containerId)).catch(() => undefined);
  if (progress.endpointTried) await ports.removeEndpoint(progress.endpointTried).catch(() => undefined);
}
