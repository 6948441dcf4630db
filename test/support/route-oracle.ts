/** What the hosts of dataplane-lab.ts should have in their kernels, worked out without felix; and what they have. */
import type { EncapMode } from '../../felix/inputs.ts';
import type { DataplaneLab, LabHost } from './dataplane-lab.ts';
import { HOSTS } from './dataplane-lab.ts';

/** The modes of the lab's one pool; at most one of the two is not Never. */
export interface Modes {
  readonly ipip?: EncapMode;
  readonly vxlan?: EncapMode;
}

/** Routes as text: `192.168.2.0/26 via 192.168.2.1 dev vxlan.calico onlink`, in order. */
export type RouteTexts = readonly string[];

export interface Learnt {
  readonly prefix: string;
  readonly owner: LabHost;
}

/** IPv4 routes of ours that a host should have, with more prefixes of other hosts beside their blocks. */
export function expectedRoutes(host: LabHost, modes: Modes, more: readonly Learnt[] = []): RouteTexts {
  const others = HOSTS.filter((one) => one !== host);
  const learnt = [...others.map((owner) => ({ prefix: owner.block, owner })), ...more];
  const ways = learnt
    .filter(({ owner }) => owner !== host)
    .map(({ prefix, owner }) => `${prefix} ${wayTo(owner, host, modes)}`);
  return [`${host.pod} dev cali${host.name}`, `blackhole ${host.block}`, ...ways].sort();
}

function wayTo(owner: LabHost, host: LabHost, { ipip = 'Never', vxlan = 'Never' }: Modes): string {
  const isNear = owner.gateway === host.gateway;
  const uses = (mode: EncapMode): boolean => mode === 'Always' || (mode === 'CrossSubnet' && !isNear);
  if (uses(vxlan)) return `via ${owner.vxlan} dev vxlan.calico onlink`;
  if (uses(ipip)) return `via ${owner.address} dev tunl0 onlink`;
  return isNear ? `via ${owner.address} dev eth0 onlink` : `via ${host.gateway} dev eth0`;
}

interface ShownRoute {
  readonly type?: string;
  readonly dst: string;
  readonly gateway?: string;
  readonly dev?: string;
  readonly flags: readonly string[];
}

/** The same as `ip -j route` shows it. */
export function kernelRoutes(lab: DataplaneLab, { name }: LabHost): RouteTexts {
  const shown = JSON.parse(lab.ip(name, '-j', 'route', 'show', 'proto', '80')) as readonly ShownRoute[];
  return shown
    .map(({ type, dst, gateway, dev, flags }) => {
      const way = [...(gateway === undefined ? [] : ['via', gateway]), ...(dev === undefined ? [] : ['dev', dev])];
      const words = type === 'blackhole' ? [type, dst] : [dst, ...way];
      return [...words, ...flags].join(' ');
    })
    .sort();
}
