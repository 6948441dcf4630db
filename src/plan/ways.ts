/** Which way a route leaves a node, by the same decision that felix makes. Pure. */
import { encapDecision, TUNNEL_LINKS } from '../../felix/index.ts';
import type { Pool } from '../../felix/index.ts';
import { felixPool } from '../agent/cluster-view.ts';
import { parseInterfaceAddress, prefixContains, prefixContainsAddress, prefixOf } from '../model/ip.ts';
import type { InterfaceAddress, IpFamily, Prefix } from '../model/ip.ts';
import type { Node } from '../resources/index.ts';
import type { World } from './world.ts';

/** `direct`: plain IP through the node's own interface, whose name only the node knows. */
export type Device = 'direct' | (typeof TUNNEL_LINKS)[keyof typeof TUNNEL_LINKS];

export interface Way {
  readonly device: Device;
  /** `ippool pods is IPIP Always, so through tunl0` */
  readonly reason: string;
}

/** Two nodes by name. */
export interface Ends {
  readonly from: string;
  readonly to: string;
  readonly family: IpFamily;
}

const NO_POOL: Way = { device: 'direct', reason: 'no ippool holds it' };

/** The pools and addresses of one world, with memory: a cluster asks the same for each pair of nodes. */
export class Ways {
  /** The smallest first, as felix has them: of several that hold a prefix the closest one counts. */
  readonly #pools: readonly Pool[];
  readonly #addresses: ReadonlyMap<string, Addresses>;
  /** By pool and family, within the subnet and outside of it. */
  readonly #devices = new Map<Pool, Partial<Record<`${IpFamily} ${'same' | 'other'}`, Device>>>();

  constructor({ resources }: World) {
    this.#pools = [...resources.IPPool.values()]
      .map(felixPool)
      .sort((a, b) => b.cidr.length - a.cidr.length || (a.name < b.name ? -1 : 1));
    this.#addresses = new Map([...resources.Node].map(([name, node]) => [name, addressesOf(node)]));
  }

  poolOf(prefix: Prefix): Pool | undefined {
    return this.#pools.find(({ cidr }) => prefixContains(cidr, prefix));
  }

  address(node: string, family: IpFamily): InterfaceAddress | undefined {
    return this.#addresses.get(node)?.[family]?.address;
  }

  /** From one node to another for a pool's addresses; absent where one of them has no address of the family. */
  device(pool: Pool | undefined, { from, to, family }: Ends): Device | undefined {
    const [own, remote] = [this.#addresses.get(from)?.[family], this.#addresses.get(to)?.[family]];
    if (own === undefined || remote === undefined) return undefined;
    if (pool === undefined) return NO_POOL.device;
    const known = this.#devices.get(pool) ?? {};
    this.#devices.set(pool, known);
    const place = prefixContainsAddress(own.subnet, remote.address.address) ? 'same' : 'other';
    return (known[`${family} ${place}`] ??= decide(pool, own.address, remote.address).device);
  }

  /** The same with the reason. */
  way(pool: Pool | undefined, { from, to, family }: Ends): Way | undefined {
    const [own, remote] = [this.address(from, family), this.address(to, family)];
    if (own === undefined || remote === undefined) return undefined;
    return pool === undefined ? NO_POOL : decide(pool, own, remote);
  }
}

function decide(pool: Pool, own: InterfaceAddress, remote: InterfaceAddress): Way {
  const { kind, reason } = encapDecision(pool, { address: own }, { address: remote });
  if (kind === 'direct') return { device: 'direct', reason };
  if (kind === 'ipip') return { device: TUNNEL_LINKS.ipip, reason };
  return { device: own.address.family === 4 ? TUNNEL_LINKS.vxlan : TUNNEL_LINKS['vxlan-v6'], reason };
}

type Addresses = Readonly<Partial<Record<IpFamily, { readonly address: InterfaceAddress; readonly subnet: Prefix }>>>;

function addressesOf({ spec: { bgp } }: Node): Addresses {
  const one = (text: string) => {
    const address = parseInterfaceAddress(text);
    return { address, subnet: prefixOf(address.address, address.length) };
  };
  return {
    ...(bgp?.ipv4Address !== undefined && { 4: one(bgp.ipv4Address) }),
    ...(bgp?.ipv6Address !== undefined && { 6: one(bgp.ipv6Address) }),
  };
}
