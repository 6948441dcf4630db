import { containerTurn } from './add.ts';
import type { AttachmentKey, Workload } from './attachment.ts';
import { handleId, hostInterfaceName } from './names.ts';
import type { Held, PodPorts } from './ports.ts';

/** Without an interface's name: whichever the container has. */
export type Removed = Pick<AttachmentKey, 'network' | 'containerId'> & Partial<AttachmentKey>;

/**
 * CNI DEL: interface, addresses, and last the endpoint, which tells the next DEL what there is to do where this one is
 * killed or fails; an ADD that did not come as far as its endpoint is known by its addresses. Success where there is
 * nothing. What an older sandbox leaves behind goes, the interface of the sandbox that took its name over stays.
 */
export function removePod(removed: Removed, ports: PodPorts): Promise<void> {
  const { containerId } = removed;
  return ports.inTurn(containerTurn(containerId), async () => {
    const workload = await workloadOfContainer(removed, ports);
    // A handle without an address may still be there: its record is written first.
    if (workload === undefined) return ports.release(handleId(removed));
    const hostInterface = hostInterfaceName(workload);
    await ports.inTurn(hostInterface, () => remove(removed, { workload, hostInterface }, ports));
  });
}

interface Found {
  readonly workload: Workload;
  readonly hostInterface: string;
}

async function remove(removed: Removed, { workload, hostInterface }: Found, ports: PodPorts): Promise<void> {
  const { containerId, network, interfaceName } = removed;
  const there = await ports.endpointsOf(workload);
  const own = there.find((endpoint) => endpoint.containerId === containerId);
  // The ADD of another interface of this container was refused; the one that it has is not meant.
  if (own !== undefined && interfaceName !== undefined && own.containerInterface !== interfaceName) return;
  const link = own?.hostInterface ?? hostInterface;
  const isTakenOver = there.some((other) => other.hostInterface === link && other !== own);
  if (!isTakenOver) await ports.removeInterface(link);
  await ports.release(handleId(removed));
  // The network's name was another when it came.
  if (own?.network !== undefined && own.network !== network) {
    await ports.release(handleId({ network: own.network, containerId }));
  }
  if (own !== undefined) await ports.removeEndpoint(own);
}

/** By its addresses, which are found by the container; by all endpoints where they are given back already. */
async function workloadOfContainer(removed: Removed, ports: PodPorts): Promise<Workload | undefined> {
  const { containerId } = removed;
  const held = await ports.held(handleId(removed));
  if (held !== undefined) return holderOf(held, containerId);
  return (await ports.endpoints()).find((endpoint) => endpoint.containerId === containerId)?.workload;
}

export const holderOf = ({ pod }: Held, containerId: string): Workload =>
  pod === undefined
    ? { orchestrator: 'cni', containerId }
    : { orchestrator: 'k8s', namespace: pod.namespace, pod: pod.name };
