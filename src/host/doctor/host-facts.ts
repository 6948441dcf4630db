/** What the doctor looks at, read before the first check: a check is a function of it. */
import { TUNNEL_LINKS } from '../../../felix/index.ts';
import type { InterfaceAddress, IpAddress, Prefix } from '../../model/ip.ts';
import { sameAddress } from '../../model/ip.ts';
import type { HostReader } from '../reader.ts';

export interface HostLink {
  readonly index: number;
  readonly name: string;
  /** `veth`, `ipip`, `vxlan` …; absent on hardware. */
  readonly kind?: string;
  readonly mtu: number;
  readonly up: boolean;
  readonly addresses: readonly InterfaceAddress[];
}

export interface NodeFacts {
  readonly name: string;
  readonly address: InterfaceAddress;
  readonly ipipTunnelAddress?: IpAddress;
}

export interface PoolFacts {
  readonly cidr: Prefix;
  readonly ipip: boolean;
  readonly vxlan: boolean;
  readonly nat: boolean;
}

/** What the datastore says of the cluster. */
export interface ClusterFacts {
  /** Absent: there is no Node of this host's name, or it has no IPv4 address. */
  readonly self?: NodeFacts;
  readonly others: readonly NodeFacts[];
  readonly pools: readonly PoolFacts[];
  readonly bgpPort: number;
}

/** adjtimex(2). */
export interface ClockFacts {
  readonly isSynchronized: boolean;
  readonly maxErrorMs: number;
}

export interface HostFacts {
  readonly reader: HostReader;
  readonly links: readonly HostLink[];
  /** Why it is not known, where it is not. */
  readonly cluster: ClusterFacts | { readonly unknown: string };
  /** The agent's process, where one answers. */
  readonly agentPid?: number;
  readonly clock: ClockFacts | { readonly unknown: string };
}

export const readSysctl = ({ reader }: Pick<HostFacts, 'reader'>, path: string): string | undefined =>
  reader.text(`/proc/sys/${path}`)?.trim();

const TUNNEL_NAMES: ReadonlySet<string> = new Set(Object.values(TUNNEL_LINKS));

/** The interface that carries the node's address. */
export function parentOf({ links, cluster }: HostFacts): HostLink | undefined {
  if ('unknown' in cluster || cluster.self === undefined) return undefined;
  const own = cluster.self.address.address;
  return links.find(
    ({ name, addresses }) => !TUNNEL_NAMES.has(name) && addresses.some(({ address }) => sameAddress(address, own)),
  );
}
