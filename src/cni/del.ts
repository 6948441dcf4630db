import { handleId } from './names.ts';
import type { PodPorts } from './ports.ts';

/**
 * CNI DEL: endpoint, interface, addresses; success where any of them is missing. Only the endpoint with this container's
 * id goes: a runtime may DEL an old sandbox after it ADDed the pod's new one.
 */
export async function removePod(containerId: string, ports: PodPorts): Promise<void> {
  const endpoint = await ports.findEndpoint(containerId);
  if (endpoint !== undefined) {
    await ports.removeEndpoint(endpoint);
    await ports.removeInterface(endpoint.hostInterface);
  }
  await ports.release(handleId(containerId));
}
