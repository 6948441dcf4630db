/** The interfaces that calico-ts makes, those of today and those of tomorrow, as the network managers see them. */
import type { HostLink } from './host-facts.ts';

export interface OurLink {
  readonly name: string;
  /** Absent: not there yet. */
  readonly index?: number;
  /** NetworkManager's word for its type. */
  readonly managerType: string;
  /** systemd-networkd's words. */
  readonly type: string;
  readonly kind: string;
}

const TUNNELS = [
  { name: 'tunl0', managerType: 'ip-tunnel', type: 'tunnel', kind: 'ipip' },
  { name: 'vxlan.calico', managerType: 'vxlan', type: 'ether', kind: 'vxlan' },
] as const;
const POD = { managerType: 'veth', type: 'ether', kind: 'veth' } as const;
/** Stands for the pods to come; a name that no pattern can be meant for but by its `cali`. */
const COMING_POD = 'cali0123456789a';

export function ourLinks(links: readonly HostLink[]): readonly OurLink[] {
  const indexOf = (name: string): number | undefined => links.find((link) => link.name === name)?.index;
  const named = (link: Omit<OurLink, 'index'>): OurLink => {
    const index = indexOf(link.name);
    return { ...link, ...(index !== undefined && { index }) };
  };
  const pods = links.filter(({ name, kind }) => name.startsWith('cali') && kind === 'veth').map(({ name }) => name);
  return [...TUNNELS.map(named), ...[COMING_POD, ...pods].map((name) => named({ ...POD, name }))];
}

/** `tunl0, vxlan.calico and the interfaces of pods (cali…)`; pods are one, however many. */
export function nameLinks(links: readonly OurLink[]): string {
  const names = links.filter(({ kind }) => kind !== 'veth').map(({ name }) => name);
  const words = links.some(({ kind }) => kind === 'veth') ? [...names, "pods' interfaces (cali…)"] : names;
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)!}`;
}
