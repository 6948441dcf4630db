/** `calicoctl-ts node doctor`: everything that is known to break pod routing on a host, each looked at. */
import { SystemError } from '../../linux/libc.ts';
import type { ProbeResult, ProbeSource, ProbeTarget } from '../probe/probe.ts';
import type { HostReader } from '../reader.ts';
import type { NodeProbe } from './between-nodes.ts';
import { judgeProbes } from './between-nodes.ts';
import { checkBgpPort } from './bgp-port.ts';
import type { Finding } from './finding.ts';
import { checkOf } from './finding.ts';
import type { ClockFacts, ClusterFacts, HostFacts, HostLink, NodeFacts } from './host-facts.ts';
import { parentOf } from './host-facts.ts';
import { checkNetworkManager } from './network-manager.ts';
import { checkNetworkd } from './networkd.ts';
import { ourLinks } from './our-links.ts';
import {
  checkClock,
  checkConntrack,
  checkForwarding,
  checkModules,
  checkNodeAddress,
  checkOwnMtu,
  checkReversePath,
} from './own-host.ts';

/** The host and the network as the doctor touches them; it changes neither. */
export interface DoctorPorts {
  readonly reader: HostReader;
  links(): Promise<readonly HostLink[]>;
  /** Throws SystemError. */
  clock(): ClockFacts;
  /** Needs CAP_NET_RAW; throws SystemError. */
  probe(targets: readonly ProbeTarget[], source: ProbeSource): Promise<readonly ProbeResult[]>;
}

export interface DoctorQuestion {
  readonly cluster: ClusterFacts | { readonly unknown: string };
  readonly agentPid?: number;
  /** Only these nodes are asked; absent: all, up to a limit. */
  readonly nodes?: readonly string[];
}

/** More packets at once would look like an attack. */
const MAX_PROBED = 100;

export async function examine(ports: DoctorPorts, question: DoctorQuestion): Promise<readonly Finding[]> {
  const { cluster, agentPid } = question;
  const facts: HostFacts = {
    ...{ reader: ports.reader, cluster },
    links: await ports.links(),
    clock: clockFacts(ports),
    ...(agentPid !== undefined && { agentPid }),
  };
  const ours = ourLinks(facts);
  return [
    ...checkForwarding(facts),
    ...checkReversePath(facts),
    ...checkNodeAddress(facts),
    ...checkBgpPort(facts),
    ...checkModules(facts),
    ...checkOwnMtu(facts),
    ...checkNetworkManager(ports.reader, ours),
    ...checkNetworkd(ports.reader, ours),
    ...checkConntrack(facts),
    ...checkClock(facts),
    ...(await checkOtherNodes(ports, facts, question.nodes)),
  ];
}

function clockFacts(ports: DoctorPorts): HostFacts['clock'] {
  try {
    return ports.clock();
  } catch (error) {
    return { unknown: (error as Error).message };
  }
}

async function checkOtherNodes(
  ports: DoctorPorts,
  facts: HostFacts,
  names: readonly string[] | undefined,
): Promise<readonly Finding[]> {
  const check = checkOf('other nodes');
  const { cluster } = facts;
  if ('unknown' in cluster) return [check.unknown(`who they are is not known: ${cluster.unknown}`)];
  const { self, others, pools } = cluster;
  const parent = parentOf(facts);
  if (self === undefined || parent === undefined) return [check.unknown('this node has no address to ask them from')];
  const strangers = (names ?? []).filter((name) => !others.some((node) => node.name === name));
  const wanted = others.filter(({ name }) => names === undefined || names.includes(name));
  const asked = wanted.slice(0, MAX_PROBED);
  const unasked = [
    ...strangers.map((name) => check.unknown(`${name} is no other node with an IPv4 address`)),
    ...(wanted.length > asked.length
      ? [
          check.unknown(`${wanted.length - asked.length} of ${wanted.length} were not asked`, {
            todo: '--nodes NAME …',
          }),
        ]
      : []),
  ];
  if (asked.length === 0) return [...unasked, ...(strangers.length === 0 ? [check.ok('there are none')] : [])];
  try {
    const probes = await probeNodes(ports, asked, { self, parent });
    return [
      ...unasked,
      ...judgeProbes(probes, { mtu: parent.mtu, link: parent.name, wantsIpip: pools.some(({ ipip }) => ipip) }),
    ];
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    const hint = error.code === 'EPERM' ? 'asking them takes root or CAP_NET_RAW' : 'they could not be asked';
    return [...unasked, check.unknown(`${hint}: ${error.message}`)];
  }
}

async function probeNodes(
  ports: DoctorPorts,
  nodes: readonly NodeFacts[],
  { self, parent }: { readonly self: NodeFacts; readonly parent: HostLink },
): Promise<readonly NodeProbe[]> {
  const word = ({ address }: NodeFacts['address']): number => address.words[0] ?? 0;
  const tunnelAddress = self.ipipTunnelAddress?.words[0];
  const source = {
    address: word(self.address),
    mtu: parent.mtu,
    ...(tunnelAddress !== undefined && { tunnelAddress }),
  };
  const results = await ports.probe(
    nodes.map(({ address }) => ({ address: word(address) })),
    source,
  );
  return results.map((result, i) => ({ ...result, node: nodes[i]!.name }));
}
