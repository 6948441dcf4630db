/** The node's own addresses, in both families, and whether its tunnels fit into the interfaces that carry them. */
import { TUNNEL_LINKS, addressOf } from '../../../felix/index.ts';
import type { ClusterNode } from '../../../felix/index.ts';
import type { IpFamily } from '../../model/ip.ts';
import { formatIpAddress, sameAddress } from '../../model/ip.ts';
import type { Finding } from './finding.ts';
import { checkOf } from './finding.ts';
import type { HostFacts, HostLink } from './host-facts.ts';
import { parentOf } from './host-facts.ts';

export function checkNodeAddress(facts: HostFacts): readonly Finding[] {
  const check = checkOf('node address');
  const { cluster } = facts;
  if ('unknown' in cluster) return [check.unknown(cluster.unknown)];
  const { self } = cluster;
  if (self === undefined) {
    return [
      check.unknown('the datastore has no Node of this name with an IPv4 address', {
        todo: 'calicoctl-ts get node shows the names there; NODENAME says which is this one; the agent writes it when it starts',
      }),
    ];
  }
  return ([4, 6] as const).flatMap((family) => judgeAddress(facts, { self, others: cluster.others, family }));
}

interface Judged {
  readonly self: ClusterNode;
  readonly others: readonly ClusterNode[];
  readonly family: IpFamily;
}

function judgeAddress(facts: HostFacts, { self, others, family }: Judged): readonly Finding[] {
  const check = checkOf('node address');
  const own = addressOf(self, family)?.address;
  if (own === undefined) return [];
  const text = formatIpAddress(own);
  const twin = others.find((node) => {
    const address = addressOf(node, family)?.address;
    return address !== undefined && sameAddress(address, own);
  });
  if (twin !== undefined) {
    return [
      check.problem(`${text} is node ${twin.name}'s, too`, {
        why: 'the routes of one of them lead to the other',
        todo: `calicoctl-ts get node ${twin.name} -o yaml; set IP on the wrong one, or calicoctl-ts delete node ${twin.name} if that host is no more`,
      }),
    ];
  }
  const parent = parentOf(facts, family);
  if (parent?.up === true) return [check.ok(`${text} is on ${parent.name}`)];
  const where = parent === undefined ? 'on no interface of this host' : `on ${parent.name}, which is down`;
  const otherwise =
    family === 4
      ? 'let the agent detect another address: IP=autodetect and a restart'
      : `set another one: spec.bgp.ipv6Address of the Node (calicoctl-ts get node ${self.name} -o yaml)`;
  return [
    check.problem(`${text} is ${where}`, {
      why: 'other nodes send packets of pods to it',
      todo: parent === undefined ? otherwise : `ip link set ${parent.name} up, or ${otherwise}`,
    }),
  ];
}

/** What a tunnel's headers take, the family of its outer packets, and the setting of its MTU. */
const OVERHEAD = new Map<string, readonly [octets: number, family: IpFamily, setting: string]>([
  [TUNNEL_LINKS.ipip, [20, 4, 'FELIX_IPINIPMTU']],
  [TUNNEL_LINKS.vxlan, [50, 4, 'FELIX_VXLANMTU']],
  [TUNNEL_LINKS['vxlan-v6'], [70, 6, 'FELIX_VXLANMTUV6']],
]);

export function checkOwnMtu(facts: HostFacts): readonly Finding[] {
  const check = checkOf('mtu');
  const parent = parentOf(facts);
  if (parent === undefined) return [check.unknown('no interface carries an address of this node that we know')];
  const tunnels = facts.links.filter(({ name, up }) => OVERHEAD.has(name) && up);
  const parents = [...new Set([parent, parentOf(facts, 6) ?? parent])];
  const evidence = [...parents, ...tunnels].map(({ name, mtu }) => `${name} ${mtu}`);
  const wide = tunnels.flatMap((tunnel) => judgeTunnel(facts, tunnel, evidence));
  if (wide.length > 0) return wide;
  const least = Math.min(...tunnels.map(({ mtu }) => mtu));
  const pods = facts.links.filter(({ name, mtu }) => name.startsWith('cali') && mtu > least);
  if (pods.length === 0)
    return [check.ok(`tunnels fit into ${parents.map(({ name }) => name).join(' and ')}`, evidence)];
  return [
    check.warning(
      `${pods.length} ${pods.length === 1 ? 'pod has' : 'pods have'} a larger MTU than the tunnel they may send through`,
      {
        why: 'their packets to some nodes are too big until path MTU discovery tells them, and never where ICMP is filtered',
        todo: 'start them anew: a pod takes the MTU of the moment it was made',
        evidence: [...evidence, ...pods.slice(0, 3).map(({ name, mtu }) => `${name} ${mtu}`)],
      },
    ),
  ];
}

function judgeTunnel(facts: HostFacts, { name, mtu }: HostLink, evidence: readonly string[]): readonly Finding[] {
  const [overhead, family, setting] = OVERHEAD.get(name)!;
  const parent = parentOf(facts, family);
  if (parent === undefined || mtu + overhead <= parent.mtu) return [];
  return [
    checkOf('mtu').problem(
      `${name} has ${mtu}, and its ${overhead} octets of headers do not fit into the ${parent.mtu} of ${parent.name}`,
      {
        why: 'full packets of pods are fragmented or dropped: connections come up and then hang',
        todo: `leave ${setting} at 0, or at most ${parent.mtu - overhead}, and start the agent anew`,
        evidence,
      },
    ),
  ];
}
