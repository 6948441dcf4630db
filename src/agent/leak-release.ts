import { collectPod } from '../cni/collect.ts';
import type { CollectPorts } from '../cni/collect.ts';
import { BadReleaseError } from '../ipam/index.ts';
import type { Ipam } from '../ipam/index.ts';
import { parseIpAddress } from '../model/ip.ts';
import type { Leak } from './leaks.ts';

export interface LeakReleasePorts extends Omit<CollectPorts, 'release'> {
  readonly ipam: Pick<Ipam, 'releaseAddress'>;
}

/** Gives back what a container left behind, all of one handle; the reason where the container proves to be there. */
export function releaseLeaks(leaks: readonly [Leak, ...Leak[]], ports: LeakReleasePorts): Promise<string | undefined> {
  const [{ handle, namespace, pod }] = leaks;
  const release = (): Promise<void> => releaseEach(leaks, ports);
  return collectPod({ orchestrator: 'k8s', namespace, pod }, handle, { ...ports, release });
}

/** Only the assignments that were seen; whose address is another's by now keeps it. */
async function releaseEach(leaks: readonly Leak[], { ipam }: LeakReleasePorts): Promise<void> {
  for (const { ip, handle, sequenceNumber } of leaks) {
    await ipam
      .releaseAddress({ address: parseIpAddress(ip), handleId: handle, sequenceNumber })
      .catch((error: unknown) => {
        if (!(error instanceof BadReleaseError)) throw error;
      });
  }
}
