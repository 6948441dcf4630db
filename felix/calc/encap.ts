import type { InterfaceAddress } from '../../src/model/ip.ts';
import { formatIpAddress, formatPrefix, prefixContainsAddress, prefixOf } from '../../src/model/ip.ts';
import type { ClusterNode, Pool } from '../inputs.ts';

export interface EncapDecision {
  /** `direct`: plain IP towards the node; `ipip`: through tunl0; `vxlan`: through vxlan.calico. */
  readonly kind: 'direct' | 'ipip' | 'vxlan';
  /** One sentence with the values that decided. */
  readonly reason: string;
}

type Endpoint = Pick<ClusterNode, 'address'>;

/**
 * How a packet for `pool` travels from our node to another. Same subnet is the one-sided test that Calico makes: the
 * remote address lies within our own prefix; the remote's own mask does not count. The caller gives our address with
 * the mask that is to count.
 */
export function encapDecision(pool: Pool, local: Endpoint, remote: Endpoint): EncapDecision {
  const tunnel = tunnelOf(pool);
  if (tunnel === undefined) return { kind: 'direct', reason: `ippool ${pool.name} has no encapsulation, so direct` };
  const { kind, mode, title, device } = tunnel;
  if (mode === 'Always') return { kind, reason: `ippool ${pool.name} is ${title} Always, so through ${device}` };
  const isSame = isSameSubnet(local.address, remote.address);
  const verdict = isSame ? 'contains' : 'does not contain';
  const values = `${formatPrefix(local.address)} ${verdict} ${formatIpAddress(remote.address.address)}`;
  const path = isSame ? 'direct' : `through ${device}`;
  return {
    kind: isSame ? 'direct' : kind,
    reason: `ippool ${pool.name} is ${title} CrossSubnet and ${values}, so ${path}`,
  };
}

export const isSameSubnet = (local: InterfaceAddress, remote: InterfaceAddress): boolean =>
  prefixContainsAddress(prefixOf(local.address, local.length), remote.address);

/** The tunnel that a pool asks for, if any; IPIP carries IPv4 alone, so an IPv6 pool never asks for it. */
export function tunnelOf({ vxlanMode, ipipMode, cidr }: Pool) {
  if (vxlanMode !== 'Never') {
    return { kind: 'vxlan', mode: vxlanMode, title: 'VXLAN', device: 'vxlan.calico' } as const;
  }
  if (ipipMode !== 'Never' && cidr.address.family === 4) {
    return { kind: 'ipip', mode: ipipMode, title: 'IPIP', device: 'tunl0' } as const;
  }
  return undefined;
}
