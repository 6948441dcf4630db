import type { IpAddress } from '../model/ip.ts';
import type { Attachment } from './attachment.ts';
import { CNI_CODE, CniError } from './errors.ts';
import { handleId, hostInterfaceName, workloadText } from './names.ts';
import type { Endpoint, PodPorts } from './ports.ts';

/** What ADD made, or found made. */
export interface Attached {
  readonly hostInterface: string;
  /** Of the pod's side. */
  readonly mac: string;
  readonly mtu: number;
  readonly addresses: readonly IpAddress[];
  /** Wall-clock times, milliseconds since 1970. */
  readonly timings: { readonly blockClaimedAt?: number; readonly routeProgrammedAt: number };
}

/** Throws where there is no time left for another step. */
export type Limit = () => void;

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

/** Verbs of one container do not overtake each other: a runtime that gave up on an ADD sends a DEL while it is still at work. */
export const containerTurn = (containerId: string): string => `container ${containerId}`;

/**
 * CNI ADD: addresses, veth pair with its routes, WorkloadEndpoint, in this order, so that whoever finds the endpoint finds the
 * interface. Called again for the same container it ends the same. A new sandbox takes the pod's name over from an older
 * one, as in Calico. A call that fails takes back what it made itself and leaves what was there before: the runtime
 * sends a DEL for what is to go (CNI specification, "ADD").
 */
export function addPod(attachment: Attachment, ports: PodPorts, limit: Limit = () => undefined): Promise<Attached> {
  const hostInterface = hostInterfaceName(attachment.workload);
  const add = async (): Promise<Attached> => {
    limit();
    await ports.requireNamespace(attachment.netns);
    const before = await lookBefore(attachment, ports);
    const progress: Progress = { interfaceTried: false, interfaceMade: false };
    try {
      return await connectPod(attachment, progress, { ports, limit });
    } catch (error) {
      await undo(attachment, { before, progress }, ports);
      throw error;
    }
  };
  return ports.inTurn(containerTurn(attachment.containerId), () => ports.inTurn(hostInterface, add));
}

async function lookBefore(attachment: Attachment, ports: PodPorts): Promise<Before> {
  const { containerId, interfaceName, workload } = attachment;
  const hostInterface = hostInterfaceName(workload);
  const there = await ports.endpointsOf(workload);
  const other = there.find((one) => one.containerId === containerId && one.containerInterface !== interfaceName);
  if (other !== undefined) {
    throw new CniError(
      CNI_CODE.invalidEnvironment,
      `CNI_IFNAME = '${interfaceName}': ${workloadText(workload)} has its interface ${other.containerInterface}, and one is all it gets`,
    );
  }
  const onLink = there.filter((endpoint) => endpoint.hostInterface === hostInterface);
  return {
    hasEndpoint: onLink.some((endpoint) => endpoint.containerId === containerId),
    isTakeover: onLink.some((endpoint) => endpoint.containerId !== containerId),
    hasAddresses: (await ports.held(handleId(attachment))) !== undefined,
  };
}

interface Work {
  readonly ports: PodPorts;
  readonly limit: Limit;
}

async function connectPod(attachment: Attachment, progress: Progress, { ports, limit }: Work): Promise<Attached> {
  const { network, containerId, interfaceName: containerInterface, netns, workload } = attachment;
  const hostInterface = hostInterfaceName(workload);
  const { addresses, blockClaimedAt } = await ports.assign(attachment);
  limit();
  progress.interfaceTried = true;
  const { mac, mtu } = await ports.addInterface({
    ...{ netns, containerInterface, hostInterface, addresses, mtu: attachment.mtu },
    allowIpForwarding: attachment.allowIpForwarding,
  });
  progress.interfaceMade = true;
  const routeProgrammedAt = ports.now();
  limit();
  progress.endpointTried = { workload, network, containerId, containerInterface, hostInterface, mac, addresses };
  await ports.putEndpoint(progress.endpointTried);
  limit();
  const timings = { routeProgrammedAt, ...(blockClaimedAt === undefined ? {} : { blockClaimedAt }) };
  return { hostInterface, mac, mtu, addresses, timings };
}

interface Failed {
  readonly before: Before;
  readonly progress: Progress;
}

/** In the order of DEL, and like it safe to kill. The first failure is the one to tell, so those in here are not. */
async function undo(attachment: Attachment, { before, progress }: Failed, ports: PodPorts): Promise<void> {
  if (before.hasEndpoint && before.hasAddresses) return;
  // Until this call has made its own pair, one of that name may be the older sandbox's.
  const isOurs = progress.interfaceMade || (progress.interfaceTried && !before.isTakeover);
  if (isOurs) await ports.removeInterface(hostInterfaceName(attachment.workload)).catch(() => undefined);
  if (!before.hasAddresses) await ports.release(handleId(attachment)).catch(() => undefined);
  if (progress.endpointTried) await ports.removeEndpoint(progress.endpointTried).catch(() => undefined);
}
