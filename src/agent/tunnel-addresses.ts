import type { IpAddress } from '../model/ip.ts';
import { formatIpAddress, parseIpAddress, prefixContainsAddress } from '../model/ip.ts';
import type { Ipam, IpamPool, TunnelKind } from '../ipam/index.ts';
import type { Node, ResourceClient } from '../resources/index.ts';
import type { Knowledge } from './cluster-view.ts';
import { tunnelPools } from './pool-choice.ts';

const KINDS = ['ipip', 'vxlan', 'vxlan-v6'] as const satisfies readonly TunnelKind[];

/** The tunnel address of a kind that a Node resource says. */
export function tunnelAddressOf({ spec }: Node, kind: TunnelKind): string | undefined {
  if (kind === 'ipip') return spec.bgp?.ipv4IPIPTunnelAddr;
  return kind === 'vxlan' ? spec.ipv4VXLANTunnelAddr : spec.ipv6VXLANTunnelAddr;
}

/** What is to do so that this node has just the tunnel addresses that the pools ask for. Calico's allocateip. */
export function tunnelWork(
  knowledge: Knowledge,
): readonly { readonly kind: TunnelKind; readonly pools: readonly IpamPool[] }[] {
  const self = knowledge.resources.Node.get(knowledge.node);
  if (self === undefined) return [];
  return KINDS.flatMap((kind) => {
    const pools = tunnelPools(knowledge, kind);
    const text = tunnelAddressOf(self, kind);
    const isSettled =
      text === undefined
        ? pools.length === 0
        : pools.some(({ cidr }) => prefixContainsAddress(cidr, parseIpAddress(text)));
    return isSettled ? [] : [{ kind, pools }];
  });
}

export interface TunnelPorts {
  readonly ipam: Ipam;
  readonly resources: ResourceClient;
  /** Resolves when this node's tunnel device is up and carries the address; before that nobody else may hear of it. */
  readonly carry: (kind: TunnelKind, address: IpAddress) => Promise<void>;
}

/**
 * Gives this node the tunnel addresses that the pools ask for. A new one is assigned, put on the device, then written into the Node
 * resource, and only then is the old one given back, since others send to what the Node says. An earlier process may
 * have been killed in between: the first call looks for what is left, and so does each after one that failed.
 */
export class TunnelAddresses {
  readonly #ports: TunnelPorts;
  /** The tunnel handles hold nothing but what the Node says, as far as this process knows. */
  #isTidy = false;

  constructor(ports: TunnelPorts) {
    this.#ports = ports;
  }

  /** Gives the Node resource as it is then; undefined where there was nothing to look for. */
  async settle(knowledge: Knowledge): Promise<Node | undefined> {
    const { node } = knowledge;
    const { ipam, resources } = this.#ports;
    const work = tunnelWork(knowledge);
    if (!knowledge.resources.Node.has(node) || (work.length === 0 && this.#isTidy)) return undefined;
    this.#isTidy = false;
    for (const { kind, pools } of work) {
      const address = pools.length === 0 ? undefined : await ipam.ensureTunnelAddress({ node, kind, pools });
      if (address !== undefined) await this.#ports.carry(kind, address);
      await writeAddress({ resources, node, kind, address: address && formatIpAddress(address) });
    }
    const written = await resources.get('Node', node);
    for (const kind of KINDS) {
      const text = tunnelAddressOf(written, kind);
      const address = text === undefined ? undefined : parseIpAddress(text);
      await ipam.keepOnlyTunnelAddress({ node, kind, address });
    }
    this.#isTidy = true;
    return written;
  }
}

interface AddressToWrite {
  readonly resources: ResourceClient;
  readonly node: string;
  readonly kind: TunnelKind;
  readonly address: string | undefined;
}

async function writeAddress({ resources, node, kind, address }: AddressToWrite): Promise<void> {
  const stored = await resources.get('Node', node);
  if (tunnelAddressOf(stored, kind) === address) return;
  const { ipv4VXLANTunnelAddr, ipv6VXLANTunnelAddr, bgp, ...rest } = stored.spec;
  const { ipv4IPIPTunnelAddr, ...otherBgp } = bgp ?? {};
  const [ipip, vxlan, vxlan6] = [ipv4IPIPTunnelAddr, ipv4VXLANTunnelAddr, ipv6VXLANTunnelAddr].map((before, i) =>
    KINDS[i] === kind ? address : before,
  );
  await resources.update({
    ...stored,
    spec: {
      ...rest,
      bgp: { ...otherBgp, ...(ipip === undefined ? {} : { ipv4IPIPTunnelAddr: ipip }) },
      ...(vxlan === undefined ? {} : { ipv4VXLANTunnelAddr: vxlan }),
      ...(vxlan6 === undefined ? {} : { ipv6VXLANTunnelAddr: vxlan6 }),
    },
  });
}
