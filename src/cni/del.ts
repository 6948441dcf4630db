import { handleId, hostInterfaceName } from './names.ts';
import type { PodPorts } from './ports.ts';

/**
 * CNI DEL: interface, addresses, and last the endpoint, which tells the next DEL what there is to do where this one is
 * killed or fails; an ADD that did not come as far as its endpoint is known by its addresses. Success where there is
 * nothing. What an older sandbox leaves behind goes, the interface of the sandbox that took its name over stays.
 */
export async function removePod(containerId: string, ports: PodPorts): Promise<void> {
  const handle = handleId(containerId);
  const hostInterface = await interfaceOf(containerId, ports);
  // A handle without an address may still be there: its record is written first.
  if (hostInterface === undefined) return ports.release(handle);
  await ports.inTurn(hostInterface, async () => {
    const there = await ports.endpoints();
    const own = there.find((endpoint) => endpoint.containerId === containerId);
    const isTakenOver = there.some((other) => other.hostInterface === hostInterface && other !== own);
    if (!isTakenOver) await ports.removeInterface(hostInterface);
    await ports.release(handle);
    if (own !== undefined) await ports.removeEndpoint(own);
  });
}

async function interfaceOf(containerId: string, ports: PodPorts): Promise<string | undefined> {
  const endpoint = (await ports.endpoints()).find((candidate) => candidate.containerId === containerId);
  if (endpoint !== undefined) return endpoint.hostInterface;
  const holder = await ports.held(handleId(containerId));
  return holder && hostInterfaceName({ podNamespace: holder.namespace, podName: holder.pod });
}
