import { createHash } from 'node:crypto';
import type { AttachmentKey, Workload } from './attachment.ts';

/** The CNI network's name in Calico's conflist; first part of every pod's IPAM handle. */
export const NETWORK_NAME = 'k8s-pod-network';

const DIGITS = 11;

const digits = (text: string): string => createHash('sha1').update(text).digest('hex').slice(0, DIGITS);

/**
 * `cali` and eleven hex digits: fits IFNAMSIZ. Of a pod those of SHA-1 of `namespace.pod`, so that a re-created one gets it again. Of a
 * container without a pod the first of its ID, as in Calico; of an ID that is no number those of its SHA-1, since names such as
 * `cnitool-…` begin alike.
 */
export function hostInterfaceName(workload: Workload): string {
  if (workload.orchestrator === 'k8s') return `cali${digits(`${workload.namespace}.${workload.pod}`)}`;
  const { containerId } = workload;
  return /^[0-9a-f]{11}/.test(containerId) ? `cali${containerId.slice(0, DIGITS)}` : `cali${digits(containerId)}`;
}

/** What `hostInterfaceName` makes, and Calico. */
export const isHostInterfaceName = (name: string): boolean => /^cali[0-9a-f]{11}$/.test(name);

/** Calico's handle of a pod's addresses. */
export const handleId = ({ network, containerId }: Pick<AttachmentKey, 'network' | 'containerId'>): string =>
  `${network}.${containerId}`;

/** `pod default/web-0`, `container c1` */
export const workloadText = (workload: Workload): string =>
  workload.orchestrator === 'k8s' ? `pod ${workload.namespace}/${workload.pod}` : `container ${workload.containerId}`;
