/** What the doctor looks at, read before the first check: a check is a function of it. */
import { TUNNEL_LINKS, addressOf } from '../../../felix/index.ts';
import type { ClusterNode, Pool } from '../../../felix/index.ts';
import type { NodeStatus, SpeakerStatus } from '../../api/contract.ts';
import type { InterfaceAddress, IpFamily } from '../../model/ip.ts';
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
  readonly vxlan?: { readonly vni: number; readonly port: number };
}

/** What the datastore says of the cluster. */
export interface ClusterFacts {
  /** Absent: there is no Node of this host's name, or it has no IPv4 address. */
  readonly self?: ClusterNode;
  readonly others: readonly ClusterNode[];
  readonly pools: readonly Pool[];
  readonly bgp: BgpFacts;
}

export interface BgpFacts {
  readonly hasMesh: boolean;
  /** Of some peering: its listener answers nobody who does not sign. */
  readonly hasPasswords: boolean;
  /** Of a node, or this host's where its name is not known. */
  portOf(node: string | undefined): number;
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
  /** What the agent, or a speaker alone, says of itself; where it says nothing, why, and whether there may be one all the same. */
  readonly agent: NodeStatus | SpeakerStatus | { readonly absent: string; readonly mayBeThere?: boolean };
  readonly clock: ClockFacts | { readonly unknown: string };
}

/** The agent's process, where one answers. */
export const agentPid = ({ agent }: Pick<HostFacts, 'agent'>): number | undefined =>
  'absent' in agent ? undefined : agent.pid;

export const readSysctl = ({ reader }: Pick<HostFacts, 'reader'>, path: string): string | undefined =>
  reader.text(`/proc/sys/${path}`)?.trim();

const TUNNEL_NAMES: ReadonlySet<string> = new Set(Object.values(TUNNEL_LINKS));

/** The interface that carries the node's address of a family. */
export function parentOf(
  { links, cluster }: Pick<HostFacts, 'links' | 'cluster'>,
  family: IpFamily = 4,
): HostLink | undefined {
  if ('unknown' in cluster || cluster.self === undefined) return undefined;
  const own = addressOf(cluster.self, family)?.address;
  if (own === undefined) return undefined;
  return links.find(
    ({ name, addresses }) => !TUNNEL_NAMES.has(name) && addresses.some(({ address }) => sameAddress(address, own)),
  );
}
