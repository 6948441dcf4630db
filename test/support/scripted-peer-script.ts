/** What a scripted peer is, and what its OPEN says. */
import type { Capability, Family, Open } from '../../bird/bgp-ts/index.ts';
import { AS_TRANS, IPV4_UNICAST, IPV6_UNICAST, parseIpv4 } from '../../bird/bgp-ts/index.ts';

export interface PeerScript {
  readonly asn: number;
  /** As an address: `10.0.0.2`. */
  readonly bgpIdentifier: string;
  /** Our end of the connection. */
  readonly address: string;
  /** The speaker's end, and its port (179). */
  readonly speaker: string;
  readonly port?: number;
  /** Default 90. */
  readonly holdSeconds?: number;
  /** Default: IPv4 and IPv6 unicast, route refresh, four-octet AS numbers. */
  readonly capabilities?: readonly Capability[];
}

export const multiprotocol = (family: Family): Capability => ({ name: 'multiprotocol', family });

/** What a peer says that wants all that is usual and nothing more. */
export const usualCapabilities = (asn: number): readonly Capability[] => [
  multiprotocol(IPV4_UNICAST),
  multiprotocol(IPV6_UNICAST),
  { name: 'route-refresh' },
  { name: 'four-octet-as', asn },
];

/** The OPEN of a script, with what is given in place of the script's. */
export function openOf(script: PeerScript, changes: Partial<Open> = {}): Open {
  const { asn, bgpIdentifier, holdSeconds = 90, capabilities = usualCapabilities(asn) } = script;
  return {
    type: 'open',
    version: 4,
    asn: asn > 0xffff ? AS_TRANS : asn,
    holdSeconds,
    bgpIdentifier: parseIpv4(bgpIdentifier)!,
    capabilities,
    ...changes,
  };
}
