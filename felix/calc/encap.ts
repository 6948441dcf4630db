import type { InterfaceAddress, IpAddress } from '../../src/model/ip.ts';
import { formatIpAddress, formatPrefix, prefixContainsAddress, prefixOf } from '../../src/model/ip.ts';
import type { Pool } from '../inputs.ts';

/** Calico's names, which its users look for. */
export const TUNNEL_LINKS = { ipip: 'tunl0', vxlan: 'vxlan.calico', 'vxlan-v6': 'vxlan-v6.calico' } as const;
export type TunnelName = (typeof TUNNEL_LINKS)[keyof typeof TUNNEL_LINKS];

export interface EncapDecision {
  /** `direct`: plain IP towards the node; `ipip`: through tunl0; `vxlan`: through vxlan.calico. */
  readonly kind: 'direct' | 'ipip' | 'vxlan';
  /** One sentence with the values that decided. */
  readonly reason: string;
}

/** A node's address in the pool's family. */
interface Endpoint {
  readonly address: InterfaceAddress;
}

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
  const isSame = isSameSubnet(local.address, remote.address.address);
  const verdict = isSame ? 'contains' : 'does not contain';
  const values = `${formatPrefix(local.address)} ${verdict} ${formatIpAddress(remote.address.address)}`;
  const path = isSame ? 'direct' : `through ${device}`;
  return {
    kind: isSame ? 'direct' : kind,
    reason: `ippool ${pool.name} is ${title} CrossSubnet and ${values}, so ${path}`,
  };
}

export const isSameSubnet = (local: InterfaceAddress, remote: IpAddress): boolean =>
  prefixContainsAddress(prefixOf(local.address, local.length), remote);

/** The tunnel that a pool asks for, if any; IPIP carries IPv4 alone, so an IPv6 pool never asks for it. */
export function tunnelOf({ vxlanMode, ipipMode, cidr }: Pool) {
  if (vxlanMode !== 'Never') {
    const device = cidr.address.family === 4 ? TUNNEL_LINKS.vxlan : TUNNEL_LINKS['vxlan-v6'];
    return { kind: 'vxlan', mode: vxlanMode, title: 'VXLAN', device } as const;
  }
  if (ipipMode !== 'Never' && cidr.address.family === 4) {
    return { kind: 'ipip', mode: ipipMode, title: 'IPIP', device: TUNNEL_LINKS.ipip } as const;
  }
  return undefined;
}
