import type { DataplaneInputs } from '../inputs.ts';
import type { HostView } from './host-view.ts';

export interface DesiredSysctl {
  /** Below /proc/sys: `net/ipv4/ip_forward`. */
  readonly path: string;
  readonly value: string;
  /** Of a pod's interface: which one, since a new link of the same name begins anew. */
  readonly ifindex?: number;
  /** A kernel without it is a kernel without its cause. */
  readonly isOptional?: true;
}

/**
 * Forwarding for the host, and for each pod's interface what the CNI plugin set when it made it (Calico's endpoint
 * manager): others (NetworkManager, a sysctl.d file read late) like to set these back. `rpFilter` is what new interfaces
 * of this host began with when we started (net.ipv4.conf.default); all other interfaces' stays the administrator's.
 */
export function planSysctls(inputs: DataplaneInputs, host: HostView, rpFilter: string): readonly DesiredSysctl[] {
  const hasIpv6 = inputs.pools.some(({ cidr }) => cidr.address.family === 6);
  const forwarding: readonly DesiredSysctl[] = [
    { path: 'net/ipv4/ip_forward', value: '1' },
    ...(hasIpv6 ? [{ path: 'net/ipv6/conf/all/forwarding', value: '1' }] : []),
  ];
  const ipv6 = new Map<string, boolean>();
  for (const { interfaceName, addresses } of inputs.endpoints) {
    const hasIpv6Address = addresses.some(({ family }) => family === 6);
    ipv6.set(interfaceName, (ipv6.get(interfaceName) ?? false) || hasIpv6Address);
  }
  return [
    ...forwarding,
    ...[...ipv6].flatMap(([name, withIpv6]) => {
      const ifindex = host.links.get(name)?.index;
      return ifindex === undefined ? [] : podSysctls(name, withIpv6, rpFilter).map((one) => ({ ...one, ifindex }));
    }),
  ];
}

const podSysctls = (name: string, withIpv6: boolean, rpFilter: string): readonly DesiredSysctl[] => [
  { path: `net/ipv4/conf/${name}/route_localnet`, value: '1' },
  { path: `net/ipv4/neigh/${name}/proxy_delay`, value: '0' },
  { path: `net/ipv4/conf/${name}/proxy_arp`, value: '1' },
  { path: `net/ipv4/conf/${name}/forwarding`, value: '1' },
  { path: `net/ipv4/conf/${name}/rp_filter`, value: rpFilter },
  { path: `net/ipv6/conf/${name}/accept_ra`, value: '0', isOptional: true },
  ...(withIpv6
    ? [
        { path: `net/ipv6/conf/${name}/proxy_ndp`, value: '1' },
        { path: `net/ipv6/conf/${name}/forwarding`, value: '1' },
      ]
    : []),
];
