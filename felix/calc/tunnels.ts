/** Which tunnel links this host should have, what is on them, and why one is not there yet. */
import { createHash } from 'node:crypto';
import type { IpAddress } from '../../src/model/ip.ts';
import { formatIpAddress } from '../../src/model/ip.ts';
import type { ClusterNode, DataplaneInputs } from '../inputs.ts';
import { tunnelOf } from './encap.ts';
import type { HostView } from './host-view.ts';

/** Calico's names, which its users look for. */
export const TUNNEL_LINKS = { ipip: 'tunl0', vxlan: 'vxlan.calico' } as const;
export type TunnelKind = keyof typeof TUNNEL_LINKS;

/** What the outer headers take from the parent's MTU: IPv4; IPv4 + UDP + VXLAN + Ethernet. */
export const TUNNEL_OVERHEAD = { ipip: 20, vxlan: 50 } as const;

export interface TunnelSettings {
  /** 0: the parent's MTU less the overhead. */
  readonly ipipMtu: number;
  readonly vxlanMtu: number;
  readonly vxlanVni: number;
  readonly vxlanPort: number;
}

export interface DesiredTunnel {
  readonly kind: TunnelKind;
  readonly name: string;
  readonly mtu: number;
  /** The one address it carries, as /32; absent: not assigned yet, and what is there stays. */
  readonly address?: IpAddress;
  readonly vxlan?: {
    readonly vni: number;
    readonly port: number;
    readonly parentIndex: number;
    readonly local: IpAddress;
    readonly mac: string;
  };
}

export type TunnelPlan =
  | { readonly state: 'wanted'; readonly tunnel: DesiredTunnel }
  /** Wanted, but not to be described now: what exists is left as it is. */
  | { readonly state: 'waiting'; readonly name: string; readonly reason: string }
  | {
      readonly state: 'unwanted';
      readonly kind: TunnelKind;
      readonly name: string;
      /** The addresses of this host's pods: IPAM may have given one of them the tunnel's. */
      readonly taken: readonly IpAddress[];
    };

/** Where the VXLAN link finds another node: its tunnel address, the MAC behind it, and the host that has that MAC. */
export interface DesiredTunnelPeer {
  readonly tunnelAddress: IpAddress;
  readonly mac: string;
  readonly remote: IpAddress;
}

export function planTunnels(inputs: DataplaneInputs, host: HostView, settings: TunnelSettings): readonly TunnelPlan[] {
  return (['ipip', 'vxlan'] as const).map((kind) => {
    const name = TUNNEL_LINKS[kind];
    if (!isTunnelWanted(inputs, kind)) {
      return { state: 'unwanted', kind, name, taken: inputs.endpoints.flatMap(({ addresses }) => addresses) };
    }
    const { parent } = host;
    if (parent === undefined) {
      const address = formatIpAddress(inputs.local.address.address);
      return { state: 'waiting', name, reason: `no interface of this host carries this node's address ${address}` };
    }
    const mtu = tunnelMtu(kind, parent.link.mtu, settings);
    if (kind === 'ipip') {
      const address = inputs.local.ipipTunnelAddress;
      return { state: 'wanted', tunnel: { kind, name, mtu, ...(address && { address }) } };
    }
    const vxlan = {
      vni: settings.vxlanVni,
      port: settings.vxlanPort,
      parentIndex: parent.link.index,
      local: parent.address.address,
      mac: tunnelMac(inputs.local),
    };
    const address = inputs.local.vxlanTunnelAddress;
    return { state: 'wanted', tunnel: { kind, name, mtu, ...(address && { address }), vxlan } };
  });
}

/** Every other node that has a VXLAN tunnel address; none where no pool uses VXLAN. In order of node name. */
export function planTunnelPeers(inputs: DataplaneInputs): readonly DesiredTunnelPeer[] {
  if (!isTunnelWanted(inputs, 'vxlan')) return [];
  return inputs.nodes
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((node) =>
      node.vxlanTunnelAddress === undefined
        ? []
        : [{ tunnelAddress: node.vxlanTunnelAddress, mac: tunnelMac(node), remote: node.address.address }],
    );
}

/** What a pod's packet may measure on this host, whichever tunnel it takes. `parentMtu` in octets. */
export function podMtu(inputs: DataplaneInputs | undefined, parentMtu: number, settings: TunnelSettings): number {
  const kinds = (['ipip', 'vxlan'] as const).filter((kind) => inputs && isTunnelWanted(inputs, kind));
  return Math.min(parentMtu, ...kinds.map((kind) => tunnelMtu(kind, parentMtu, settings)));
}

function tunnelMtu(kind: TunnelKind, parentMtu: number, { ipipMtu, vxlanMtu }: TunnelSettings): number {
  const configured = kind === 'ipip' ? ipipMtu : vxlanMtu;
  return configured > 0 ? configured : parentMtu - TUNNEL_OVERHEAD[kind];
}

const isTunnelWanted = ({ pools }: DataplaneInputs, kind: TunnelKind): boolean =>
  pools.some((pool) => tunnelOf(pool)?.kind === kind && pool.cidr.address.family === 4);

/** Felix's derivation: `66`, then the first five octets of the SHA-1 of the node's name. It survives re-creation. */
export function tunnelMac({ name, vxlanTunnelMac }: Pick<ClusterNode, 'name' | 'vxlanTunnelMac'>): string {
  if (vxlanTunnelMac !== undefined) return vxlanTunnelMac.toLowerCase();
  const digest = createHash('sha1').update(name).digest();
  return [0x66, ...digest.subarray(0, 5)].map((octet) => octet.toString(16).padStart(2, '0')).join(':');
}
