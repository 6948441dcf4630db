import { containerTurn } from './add.ts';
import type { Workload } from './attachment.ts';
import { handleId, hostInterfaceName, NETWORK_NAME } from './names.ts';
import type { Endpoint, PodPorts } from './ports.ts';

export interface CollectPorts extends Pick<PodPorts, 'inTurn' | 'endpointsOf'> {
  /** Whether the node has an interface of this name. */
  hasInterface(name: string): boolean;
  /** Only those assignments that the caller saw. */
  release(): Promise<void>;
}

/**
 * Gives back what a container left behind whose DEL never came, or came to no end. In turn with its ADD and DEL, and looked at once
 * more in there: a container with an endpoint keeps its addresses, and so does one whose interface is still there. Gives the reason then.
 */
export function collectPod(workload: Workload, handle: string, ports: CollectPorts): Promise<string | undefined> {
  const hostInterface = hostInterfaceName(workload);
  const collect = async (): Promise<string | undefined> => {
    const there = await ports.endpointsOf(workload);
    if (there.some((endpoint) => handleOf(endpoint) === handle)) return 'its endpoint is there';
    // Of a younger sandbox of that name the interface has an endpoint.
    const isClaimed = there.some((endpoint) => endpoint.hostInterface === hostInterface);
    if (!isClaimed && ports.hasInterface(hostInterface)) return `its interface ${hostInterface} is there`;
    await ports.release();
    return undefined;
  };
  const containerId = handle.slice(NETWORK_NAME.length + 1);
  return ports.inTurn(containerTurn(containerId), () => ports.inTurn(hostInterface, collect));
}

const handleOf = ({ network = NETWORK_NAME, containerId }: Endpoint): string => handleId({ network, containerId });
