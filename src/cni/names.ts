import { createHash } from 'node:crypto';
import type { PodRequest } from '../api/contract.ts';

/** The CNI network's name in Calico's conflist; first part of every pod's IPAM handle. */
export const NETWORK_NAME = 'k8s-pod-network';

/** `cali` and the first eleven hex digits of SHA-1 of `namespace.pod`: fits IFNAMSIZ, and a re-created pod gets it again. */
export function hostInterfaceName({ podNamespace, podName }: Pick<PodRequest, 'podNamespace' | 'podName'>): string {
  return `cali${createHash('sha1').update(`${podNamespace}.${podName}`).digest('hex').slice(0, 11)}`;
}

/** Calico's handle of a pod's addresses. */
export const handleId = (containerId: string): string => `${NETWORK_NAME}.${containerId}`;
