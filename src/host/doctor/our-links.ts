/** The interfaces that calico-ts makes, those of today and those of tomorrow, as the network managers see them. */
import { TUNNEL_LINKS } from '../../../felix/index.ts';
import type { Pool } from '../../../felix/index.ts';
import type { HostFacts } from './host-facts.ts';

export interface OurLink {
  readonly name: string;
  /** Absent: not there yet. */
  readonly index?: number;
  /** NetworkManager's word for its type: `nmcli -f GENERAL.TYPE device show`. */
  readonly managerType: string;
  /** systemd-networkd's word: `networkctl list`. */
  readonly type: string;
  readonly kind: string;
}

const TUNNELS = [
  { name: TUNNEL_LINKS.ipip, managerType: 'ip-tunnel', type: 'tunnel', kind: 'ipip' },
  ...[TUNNEL_LINKS.vxlan, TUNNEL_LINKS['vxlan-v6']].map((name) => ({
    ...{ name, managerType: 'vxlan', type: 'vxlan', kind: 'vxlan' },
  })),
] as const;
const POD = { managerType: 'ethernet', type: 'ether', kind: 'veth' } as const;
/** Stands for the pods to come; a name that no pattern can be meant for but by its `cali`. */
const COMING_POD = 'cali0123456789a';

/** The tunnels that are there or that a pool will ask for (all, where the pools are not known), and pods. */
export function ourLinks({ links, cluster }: Pick<HostFacts, 'links' | 'cluster'>): readonly OurLink[] {
  const indexOf = (name: string): number | undefined => links.find((link) => link.name === name)?.index;
  const named = (link: Omit<OurLink, 'index'>): OurLink => {
    const index = indexOf(link.name);
    return { ...link, ...(index !== undefined && { index }) };
  };
  const pods = links.filter(({ name, kind }) => name.startsWith('cali') && kind === 'veth').map(({ name }) => name);
  const mayCome = (name: string): boolean =>
    'unknown' in cluster || cluster.pools.some((pool) => tunnelOf(pool) === name);
  const tunnels = TUNNELS.map(named).filter(({ name, index }) => index !== undefined || mayCome(name));
  return [...tunnels, ...[COMING_POD, ...pods].map((name) => named({ ...POD, name }))];
}

function tunnelOf({ cidr, ipipMode, vxlanMode }: Pool): string | undefined {
  if (vxlanMode !== 'Never') return TUNNEL_LINKS[cidr.address.family === 4 ? 'vxlan' : 'vxlan-v6'];
  return ipipMode === 'Never' ? undefined : TUNNEL_LINKS.ipip;
}

/** `tunl0, vxlan.calico and pods' interfaces (cali…)`; pods are one, however many. */
export function nameLinks(links: readonly OurLink[]): string {
  const names = links.filter(({ kind }) => kind !== 'veth').map(({ name }) => name);
  const words = links.some(({ kind }) => kind === 'veth') ? [...names, "pods' interfaces (cali…)"] : names;
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)!}`;
}
