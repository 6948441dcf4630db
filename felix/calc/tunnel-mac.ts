/** The Ethernet address of a node's VXLAN device: the same on every node that works it out, and after each re-creation. */
import { createHash } from 'node:crypto';
import type { IpAddress, IpFamily } from '../../src/model/ip.ts';
import type { ClusterNode } from '../inputs.ts';

/** Felix's derivation: `66`, then the first five octets of the SHA-1 of the node's name; for IPv6 of the name and `-v6`. */
export function tunnelMac(
  { name, vxlanTunnelMac, ipv6 }: Pick<ClusterNode, 'name' | 'vxlanTunnelMac' | 'ipv6'>,
  family: IpFamily = 4,
): string {
  const configured = family === 4 ? vxlanTunnelMac : ipv6?.vxlanTunnelMac;
  if (configured !== undefined) return configured.toLowerCase();
  const digest = createHash('sha1')
    .update(family === 4 ? name : `${name}-v6`)
    .digest();
  return [0x66, ...digest.subarray(0, 5)].map((octet) => octet.toString(16).padStart(2, '0')).join(':');
}

/** The link-local address that belongs to a MAC: modified EUI-64, RFC 4291 appendix A. */
export function peerLinkLocal(mac: string): IpAddress {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = mac.split(':').map((octet) => parseInt(octet, 16));
  const upper = (((a ^ 2) << 24) | (b << 16) | (c << 8) | 0xff) >>> 0;
  const lower = ((0xfe << 24) | (d << 16) | (e << 8) | f) >>> 0;
  return { family: 6, words: [0xfe80_0000, 0, upper, lower] };
}
