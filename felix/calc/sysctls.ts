import type { DataplaneInputs } from '../inputs.ts';
import type { HostView } from './host-view.ts';

export interface DesiredSysctl {
  /** Below /proc/sys: `net/ipv4/ip_forward`. */
  readonly path: string;
  readonly value: string;
}

/**
 * Forwarding for the host, and for each pod's interface what the CNI plugin set when it made it: others (NetworkManager,
 * a sysctl.d file read late) like to set these back. rp_filter stays the administrator's: loose and off both work, and
 * strict works too, because replies take the way that the requests came.
 */
export function planSysctls(inputs: DataplaneInputs, host: HostView): readonly DesiredSysctl[] {
  const hasIpv6 = inputs.pools.some(({ cidr }) => cidr.address.family === 6);
  const forwarding: readonly DesiredSysctl[] = [
    { path: 'net/ipv4/ip_forward', value: '1' },
    ...(hasIpv6 ? [{ path: 'net/ipv6/conf/all/forwarding', value: '1' }] : []),
  ];
  const interfaces = inputs.endpoints.map(({ interfaceName }) => interfaceName).filter((name) => host.links.has(name));
  return [
    ...forwarding,
    ...[...new Set(interfaces)].flatMap((name) => [
      { path: `net/ipv4/conf/${name}/proxy_arp`, value: '1' },
      { path: `net/ipv4/conf/${name}/forwarding`, value: '1' },
    ]),
  ];
}
