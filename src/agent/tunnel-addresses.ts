import { formatIpAddress, parseIpAddress, parsePrefix, prefixContainsAddress } from '../model/ip.ts';
import { tunnelHandle } from '../ipam/index.ts';
import type { Ipam, IpamPool, TunnelKind } from '../ipam/index.ts';
import type { IpPool, Node, ResourceClient } from '../resources/index.ts';
import { tunnelPools } from './cluster-view.ts';
import type { Knowledge } from './cluster-view.ts';

const KINDS = ['ipip', 'vxlan'] as const satisfies readonly TunnelKind[];
type Ipv4TunnelKind = (typeof KINDS)[number];

const addressOf = ({ spec }: Node, kind: Ipv4TunnelKind): string | undefined =>
  kind === 'ipip' ? spec.bgp?.ipv4IPIPTunnelAddr : spec.ipv4VXLANTunnelAddr;

/** What is to do so that this node has just the tunnel addresses that the pools ask for. Calico's allocateip. */
export function tunnelWork(
  knowledge: Knowledge,
): readonly { readonly kind: Ipv4TunnelKind; readonly pools: readonly IpPool[] }[] {
  const self = knowledge.resources.Node.get(knowledge.node);
  if (self === undefined) return [];
  return KINDS.flatMap((kind) => {
    const pools = tunnelPools(knowledge, kind);
    const text = addressOf(self, kind);
    const isSettled =
      text === undefined
        ? pools.length === 0
        : pools.some(({ spec }) => prefixContainsAddress(parsePrefix(spec.cidr), parseIpAddress(text)));
    return isSettled ? [] : [{ kind, pools }];
  });
}

export interface TunnelPorts {
  readonly ipam: Ipam;
  readonly resources: ResourceClient;
}

/** Takes or gives back tunnel addresses and writes them into the Node resource; done when there is nothing to do. */
export async function settleTunnelAddresses(knowledge: Knowledge, { ipam, resources }: TunnelPorts): Promise<void> {
  const { node } = knowledge;
  for (const { kind, pools } of tunnelWork(knowledge)) {
    if (pools.length === 0) {
      await ipam.releaseByHandle(tunnelHandle(kind, node));
      await writeAddress({ resources, node, kind, address: undefined });
      continue;
    }
    const address = await ipam.ensureTunnelAddress({ node, kind, pools: pools.map(ipamPool) });
    await writeAddress({ resources, node, kind, address: formatIpAddress(address) });
  }
}

/** An IPPool in IPAM's words. */
export const ipamPool = ({ metadata, spec }: IpPool): IpamPool => ({
  name: metadata.name,
  cidr: parsePrefix(spec.cidr),
  blockSize: spec.blockSize,
});

interface AddressToWrite {
  readonly resources: ResourceClient;
  readonly node: string;
  readonly kind: Ipv4TunnelKind;
  readonly address: string | undefined;
}

async function writeAddress({ resources, node, kind, address }: AddressToWrite): Promise<void> {
  const stored = await resources.get('Node', node);
  if (addressOf(stored, kind) === address) return;
  const { ipv4VXLANTunnelAddr, bgp, ...rest } = stored.spec;
  const { ipv4IPIPTunnelAddr, ...otherBgp } = bgp ?? {};
  const ipip = kind === 'ipip' ? address : ipv4IPIPTunnelAddr;
  const vxlan = kind === 'vxlan' ? address : ipv4VXLANTunnelAddr;
  await resources.update({
    ...stored,
    spec: {
      ...rest,
      bgp: { ...otherBgp, ...(ipip === undefined ? {} : { ipv4IPIPTunnelAddr: ipip }) },
      ...(vxlan === undefined ? {} : { ipv4VXLANTunnelAddr: vxlan }),
    },
  });
}
