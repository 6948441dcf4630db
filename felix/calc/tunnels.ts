/** Which tunnel links this host should have, what is on them, and why one is not there yet. */
import type { IpAddress, IpFamily } from '../../src/model/ip.ts';
import { formatIpAddress } from '../../src/model/ip.ts';
import type { DataplaneInputs, Pool } from '../inputs.ts';
import { addressOf } from '../inputs.ts';
import { TUNNEL_LINKS, tunnelOf } from './encap.ts';
import type { TunnelName } from './encap.ts';
import type { HostView } from './host-view.ts';
import { parentOf } from './host-view.ts';
import { peerLinkLocal, tunnelMac } from './tunnel-mac.ts';

interface TunnelRow {
  readonly name: TunnelName;
  readonly kind: 'ipip' | 'vxlan';
  readonly family: IpFamily;
  /** What the outer headers take from the parent's MTU: IP; IP + UDP + VXLAN + Ethernet. */
  readonly overhead: number;
}

const TUNNELS: readonly TunnelRow[] = [
  { name: TUNNEL_LINKS.ipip, kind: 'ipip', family: 4, overhead: 20 },
  { name: TUNNEL_LINKS.vxlan, kind: 'vxlan', family: 4, overhead: 50 },
  { name: TUNNEL_LINKS['vxlan-v6'], kind: 'vxlan', family: 6, overhead: 70 },
];

export interface TunnelSettings {
  /** 0: the parent's MTU less the overhead. */
  readonly ipipMtu: number;
  readonly vxlanMtu: number;
  /** Of vxlan-v6.calico. Absent: 0. */
  readonly vxlanMtuV6?: number;
  readonly vxlanVni: number;
  readonly vxlanPort: number;
}

export interface DesiredTunnel {
  readonly kind: TunnelRow['kind'];
  readonly name: string;
  readonly mtu: number;
  /** The one address it carries, as /32 or /128; absent: not assigned yet, and what is there stays. */
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
      readonly kind: TunnelRow['kind'];
      readonly name: string;
      /** The addresses of this host's pods: IPAM may have given one of them the tunnel's. */
      readonly taken: readonly IpAddress[];
    };

/** Where a VXLAN link finds another node: the gateway of its routes, the MAC behind it, and the host that has that MAC. */
export interface DesiredTunnelPeer {
  readonly interfaceName: TunnelName;
  /** IPv4: the other node's tunnel address. IPv6: the link-local address of its MAC. */
  readonly gateway: IpAddress;
  readonly mac: string;
  readonly remote: IpAddress;
}

export function planTunnels(inputs: DataplaneInputs, host: HostView, settings: TunnelSettings): readonly TunnelPlan[] {
  return TUNNELS.map((row) => planTunnel(row, inputs, { host, settings }));
}

interface TunnelSurroundings {
  readonly host: HostView;
  readonly settings: TunnelSettings;
}

function planTunnel(row: TunnelRow, inputs: DataplaneInputs, { host, settings }: TunnelSurroundings): TunnelPlan {
  const { name, kind, family } = row;
  const { local } = inputs;
  if (!isTunnelWanted(inputs, row)) {
    return { state: 'unwanted', kind, name, taken: inputs.endpoints.flatMap(({ addresses }) => addresses) };
  }
  const own = addressOf(local, family);
  if (own === undefined) return { state: 'waiting', name, reason: `this node has no IPv${family} address` };
  const parent = parentOf(host, family);
  if (parent === undefined) {
    const address = formatIpAddress(own.address);
    return { state: 'waiting', name, reason: `no interface of this host carries this node's address ${address}` };
  }
  const mtu = tunnelMtu(row, parent.link.mtu, settings);
  if (kind === 'ipip') {
    const address = local.ipipTunnelAddress;
    return { state: 'wanted', tunnel: { kind, name, mtu, ...(address && { address }) } };
  }
  const vxlan = {
    vni: settings.vxlanVni,
    port: settings.vxlanPort,
    parentIndex: parent.link.index,
    local: parent.address.address,
    mac: tunnelMac(local, family),
  };
  const address = family === 4 ? local.vxlanTunnelAddress : local.ipv6?.vxlanTunnelAddress;
  return { state: 'wanted', tunnel: { kind, name, mtu, ...(address && { address }), vxlan } };
}

/** Every other node that has a VXLAN tunnel address, for each VXLAN link that a pool asks for. In order of node name. */
export function planTunnelPeers(inputs: DataplaneInputs): readonly DesiredTunnelPeer[] {
  const nodes = inputs.nodes.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const [, ipv4, ipv6] = TUNNELS.map((row) => isTunnelWanted(inputs, row));
  return nodes.flatMap((node): readonly DesiredTunnelPeer[] => {
    const mac = tunnelMac(node);
    const mac6 = tunnelMac(node, 6);
    const remote4 = node.vxlanTunnelAddress === undefined ? undefined : node.address?.address;
    const remote6 = node.ipv6?.vxlanTunnelAddress === undefined ? undefined : node.ipv6.address.address;
    return [
      ...(ipv4 === true && remote4 !== undefined
        ? [{ interfaceName: TUNNEL_LINKS.vxlan, gateway: node.vxlanTunnelAddress!, mac, remote: remote4 }]
        : []),
      ...(ipv6 === true && remote6 !== undefined
        ? [{ interfaceName: TUNNEL_LINKS['vxlan-v6'], gateway: peerLinkLocal(mac6), mac: mac6, remote: remote6 }]
        : []),
    ];
  });
}

/** A tunnel link that pools ask for. `overhead`: octets that its outer headers take. */
export type TunnelNeed = Pick<TunnelRow, 'name' | 'overhead'>;

export const tunnelsOf = (pools: readonly Pool[]): readonly TunnelNeed[] =>
  TUNNELS.filter((row) => isTunnelWanted({ pools }, row));

/** What a pod's packet may measure on this host, whichever tunnel it takes. `parentMtu` in octets. */
export function podMtu(inputs: DataplaneInputs | undefined, parentMtu: number, settings: TunnelSettings): number {
  const rows = TUNNELS.filter((row) => inputs !== undefined && isTunnelWanted(inputs, row));
  return Math.min(parentMtu, ...rows.map((row) => tunnelMtu(row, parentMtu, settings)));
}

function tunnelMtu(row: TunnelRow, parentMtu: number, settings: TunnelSettings): number {
  const configured = configuredMtu(row, settings);
  return configured > 0 ? configured : parentMtu - row.overhead;
}

function configuredMtu({ kind, family }: TunnelRow, { ipipMtu, vxlanMtu, vxlanMtuV6 = 0 }: TunnelSettings): number {
  if (kind === 'ipip') return ipipMtu;
  return family === 4 ? vxlanMtu : vxlanMtuV6;
}

const isTunnelWanted = ({ pools }: Pick<DataplaneInputs, 'pools'>, { name }: TunnelRow): boolean =>
  pools.some((pool) => tunnelOf(pool)?.device === name);
