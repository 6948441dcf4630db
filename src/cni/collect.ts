import { handleId, hostInterfaceName } from './names.ts';
import type { Holder, PodPorts } from './ports.ts';

export interface CollectPorts extends Pick<PodPorts, 'inTurn' | 'endpointsOf'> {
  /** Whether the node has an interface of this name. */
  hasInterface(name: string): boolean;
  /** Only those assignments that the caller saw. */
  release(): Promise<void>;
}

/**
 * Gives back what a container left behind whose DEL never came, or came to no end. In turn with the pod's ADD and DEL, and looked at once
 * more in there: a container with an endpoint keeps its addresses, and so does one whose interface is still there. Gives the reason then.
 */
export function collectPod(pod: Holder, handle: string, ports: CollectPorts): Promise<string | undefined> {
  const hostInterface = hostInterfaceName({ podNamespace: pod.namespace, podName: pod.pod });
  return ports.inTurn(hostInterface, async () => {
    const there = await ports.endpointsOf(pod);
    if (there.some(({ containerId }) => handleId(containerId) === handle)) return 'its endpoint is there';
    // Of a younger sandbox of that name the interface has an endpoint.
    const isClaimed = there.some((endpoint) => endpoint.hostInterface === hostInterface);
    if (!isClaimed && ports.hasInterface(hostInterface)) return `its interface ${hostInterface} is there`;
    await ports.release();
    return undefined;
  });
}
