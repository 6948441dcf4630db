/** Asks the other nodes with packets, from here: which of them, in which family, through which tunnel. What the answers mean is said elsewhere. */
import { TUNNEL_LINKS, addressOf, encapDecision, tunnelMac } from '../../../felix/index.ts';
import type { ClusterNode, Pool } from '../../../felix/index.ts';
import { SystemError } from '../../linux/libc.ts';
import type { InterfaceAddress, IpFamily } from '../../model/ip.ts';
import { sameAddress } from '../../model/ip.ts';
import type { DialOutcome, DialTarget } from '../probe/dial.ts';
import type { ProbeResult } from '../probe/probe.ts';
import type { ProbeSource, ProbeTarget } from '../probe/questions.ts';
import type { NodeProbe } from './between-nodes.ts';
import { judgeMtu } from './between-nodes.ts';
import { calleesOf, judgeSessions } from './bgp-sessions.ts';
import type { Finding } from './finding.ts';
import { checkOf } from './finding.ts';
import type { HostFacts, HostLink } from './host-facts.ts';
import { parentOf } from './host-facts.ts';
import { judgeTunnel } from './tunnels.ts';
import type { Tunnel } from './tunnels.ts';

export interface ProbingPorts {
  /** All of one family. Needs CAP_NET_RAW; throws SystemError. */
  probe(targets: readonly ProbeTarget[], source: ProbeSource): Promise<readonly ProbeResult[]>;
  dial(targets: readonly DialTarget[]): Promise<readonly DialOutcome[]>;
}

/** More packets at once would look like an attack. */
const MAX_PROBED = 100;
const check = checkOf('other nodes');

/** `names`: only these nodes; absent: all, up to a limit. */
export async function checkOtherNodes(
  ports: ProbingPorts,
  facts: HostFacts,
  names: readonly string[] | undefined,
): Promise<readonly Finding[]> {
  return [...(await checkSessions(ports, facts, names)), ...(await checkPaths(ports, facts, names))];
}

async function checkSessions(
  ports: ProbingPorts,
  facts: HostFacts,
  names: readonly string[] | undefined,
): Promise<readonly Finding[]> {
  const { cluster } = facts;
  const self = 'unknown' in cluster ? undefined : cluster.self;
  const callees = calleesOf(facts, names);
  const asked = callees.slice(0, MAX_PROBED);
  const outcomes = await ports.dial(
    asked.map(({ address, port }) => {
      const source = self && addressOf(self, address.family)?.address;
      return { address, port, ...(source && { source }) };
    }),
  );
  const left = callees.length - asked.length;
  return [
    ...judgeSessions(
      facts,
      asked.map((callee, i) => ({ callee, outcome: outcomes[i]! })),
    ),
    ...(left > 0 ? [checkOf('BGP sessions').unknown(`${left} more were not dialled`, { todo: '--nodes NAME …' })] : []),
  ];
}

async function checkPaths(
  ports: ProbingPorts,
  facts: HostFacts,
  names: readonly string[] | undefined,
): Promise<readonly Finding[]> {
  const { cluster } = facts;
  if ('unknown' in cluster) return [check.unknown(`who they are is not known: ${cluster.unknown}`)];
  const { self, others, pools } = cluster;
  const strangers = (names ?? []).filter((name) => !others.some((node) => node.name === name));
  const wanted = others.filter(({ name }) => names === undefined || names.includes(name));
  const asked = wanted.slice(0, MAX_PROBED);
  const left = wanted.length - asked.length;
  const unasked = [
    ...strangers.map((name) =>
      check.unknown(`${name} is no other node with an IPv4 address`, {
        todo: 'calicoctl-ts get node shows their names',
      }),
    ),
    ...(left > 0 ? [check.unknown(`${left} of ${wanted.length} were not asked`, { todo: '--nodes NAME …' })] : []),
  ];
  if (self === undefined || parentOf(facts) === undefined) {
    return [...unasked, check.unknown('this node has no address to ask them from', { todo: "see 'node address'" })];
  }
  if (asked.length === 0) return [...unasked, ...(strangers.length === 0 ? [check.ok('there are none')] : [])];
  try {
    const findings = [
      ...(await askAll(ports, { facts, self, asked, pools, family: 4 })),
      ...(await askAll(ports, { facts, self, asked, pools, family: 6 })),
    ];
    return [...unasked, ...findings, ...unneeded(findings)];
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    const hint = error.code === 'EPERM' ? 'asking them takes root or CAP_NET_RAW' : 'they could not be asked';
    return [...unasked, check.unknown(`${hint}: ${error.message}`)];
  }
}

interface Asking {
  readonly facts: HostFacts;
  readonly self: ClusterNode;
  readonly asked: readonly ClusterNode[];
  readonly pools: readonly Pool[];
  readonly family: IpFamily;
}

async function askAll(ports: ProbingPorts, asking: Asking): Promise<readonly Finding[]> {
  const { facts, self, asked, family } = asking;
  const parent = parentOf(facts, family);
  const own = addressOf(self, family);
  if (parent === undefined || own === undefined) return [];
  const nodes = asked.flatMap((node) => {
    const address = addressOf(node, family);
    return address === undefined ? [] : [{ node, address }];
  });
  if (nodes.length === 0) return [];
  const masked = withMask(own, parent);
  const targets = nodes.map(({ node, address }) => targetOf(node, address, { ...asking, own: masked }));
  const results = await ports.probe(targets, sourceOf(asking, { own, parent }));
  const probes = results.map((result, i): NodeProbe => ({
    ...result,
    node: nodes[i]!.node.name,
    address: targets[i]!.address,
  }));
  return [
    ...judgeMtu(probes, { mtu: parent.mtu, link: parent.name }),
    ...(['ipip', 'vxlan'] as const).flatMap((kind) => {
      const through = probes.filter((_, i) => targets[i]![kind] !== undefined);
      return through.length === 0 ? [] : judgeTunnel(through, tunnelOf(kind, asking));
    }),
  ];
}

/** A tunnel is asked through where a packet of some pool would take it: a pool that is CrossSubnet needs none within a subnet. */
function targetOf(
  node: ClusterNode,
  address: InterfaceAddress,
  { pools, family, own }: Asking & { readonly own: InterfaceAddress },
): ProbeTarget {
  const kinds = pools
    .filter(({ cidr }) => cidr.address.family === family)
    .map((pool) => encapDecision(pool, { address: own }, { address }).kind);
  return {
    address: address.address,
    ...(kinds.includes('ipip') && { ipip: tunnelEnd(node, 'ipip', family) }),
    ...(kinds.includes('vxlan') && { vxlan: { ...tunnelEnd(node, 'vxlan', family), mac: tunnelMac(node, family) } }),
  };
}

function sourceOf(
  { facts, self, family }: Asking,
  { own, parent }: { readonly own: InterfaceAddress; readonly parent: HostLink },
): ProbeSource {
  return {
    ...{ address: own.address, mtu: parent.mtu, ipip: tunnelEnd(self, 'ipip', family) },
    vxlan: { ...tunnelEnd(self, 'vxlan', family), mac: tunnelMac(self, family), ...vxlanOf(facts, family) },
  };
}

function tunnelEnd(node: ClusterNode, kind: Tunnel['kind'], family: IpFamily): Pick<Tunnel, 'address'> {
  const { ipipTunnelAddress, vxlanTunnelAddress, ipv6 } = node;
  if (kind === 'ipip') return ipipTunnelAddress === undefined ? {} : { address: ipipTunnelAddress };
  const address = family === 4 ? vxlanTunnelAddress : ipv6?.vxlanTunnelAddress;
  return address === undefined ? {} : { address };
}

function tunnelOf(kind: Tunnel['kind'], { facts, self, family }: Asking): Tunnel {
  const link = kind === 'ipip' ? TUNNEL_LINKS.ipip : vxlanLink(family);
  return {
    ...{ kind, link, port: vxlanOf(facts, family).port, ...tunnelEnd(self, kind, family) },
    isUp: facts.links.some(({ name, up }) => name === link && up),
  };
}

const vxlanLink = (family: IpFamily): string => TUNNEL_LINKS[family === 4 ? 'vxlan' : 'vxlan-v6'];

/** Felix's defaults; what our own device has counts more. */
const vxlanOf = ({ links }: HostFacts, family: IpFamily): { readonly vni: number; readonly port: number } =>
  links.find(({ name }) => name === vxlanLink(family))?.vxlan ?? { vni: 4096, port: 4789 };

/** A setting without a mask counts with the interface's, never as /32. */
const withMask = (own: InterfaceAddress, { addresses }: HostLink): InterfaceAddress =>
  addresses.find(({ address }) => sameAddress(address, own.address)) ?? own;

/** What nobody asked about, for nobody needs it: said, so that its absence is no riddle. */
const unneeded = (findings: readonly Finding[]): readonly Finding[] =>
  (
    [
      ['protocol 4', 'no pool sends through tunl0 to any of them, so nobody needs it'],
      ['VXLAN', 'no pool sends through VXLAN to any of them, so nobody needs it'],
    ] as const
  )
    .filter(([name]) => !findings.some((finding) => finding.check === name))
    .map(([name, words]) => checkOf(name).ok(words));
