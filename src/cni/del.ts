import { handleId, hostInterfaceName } from './names.ts';
import type { Holder, PodPorts } from './ports.ts';

/**
 * CNI DEL: interface, addresses, and last the endpoint, which tells the next DEL what there is to do where this one is
 * killed or fails; an ADD that did not come as far as its endpoint is known by its addresses. Success where there is
 * nothing. What an older sandbox leaves behind goes, the interface of the sandbox that took its name over stays.
 */
export async function removePod(containerId: string, ports: PodPorts): Promise<void> {
  const handle = handleId(containerId);
  const pod = await podOf(containerId, ports);
  // A handle without an address may still be there: its record is written first.
  if (pod === undefined) return ports.release(handle);
  const hostInterface = hostInterfaceName({ podNamespace: pod.namespace, podName: pod.pod });
  await ports.inTurn(hostInterface, async () => {
    const there = await ports.endpointsOf(pod);
    const own = there.find((endpoint) => endpoint.containerId === containerId);
    const link = own?.hostInterface ?? hostInterface;
    const isTakenOver = there.some((other) => other.hostInterface === link && other !== own);
    if (!isTakenOver) await ports.removeInterface(link);
    await ports.release(handle);
    if (own !== undefined) await ports.removeEndpoint(own);
  });
}

/** By its addresses, which are found by the container; by all endpoints where they are given back already. */
async function podOf(containerId: string, ports: PodPorts): Promise<Holder | undefined> {
  const holder = await ports.held(handleId(containerId));
  return holder ?? (await ports.endpoints()).find((endpoint) => endpoint.containerId === containerId);
}
