/** What can be seen on this host alone. */
import { formatIpAddress, formatPrefix } from '../../model/ip.ts';
import { checkSystem } from '../checksystem.ts';
import type { Purpose } from '../kernel-features.ts';
import type { Finding } from './finding.ts';
import { checkOf } from './finding.ts';
import type { HostFacts, HostLink, PoolFacts } from './host-facts.ts';
import { parentOf, readSysctl } from './host-facts.ts';

export function checkForwarding(facts: HostFacts): readonly Finding[] {
  const check = checkOf('ip_forward');
  const value = readSysctl(facts, 'net/ipv4/ip_forward');
  if (value === undefined) return [check.unknown('net.ipv4.ip_forward cannot be read')];
  if (value !== '0') return [check.ok('this host forwards IPv4')];
  const runs = facts.agentPid !== undefined;
  const more = {
    why: 'packets of pods to other nodes, and of other nodes to pods here, are dropped',
    evidence: ['net.ipv4.ip_forward = 0'],
  };
  if (!runs)
    return [
      check.warning('this host does not forward IPv4', {
        ...more,
        todo: 'nothing, if no agent runs here: it switches it on',
      }),
    ];
  const todo = 'the agent sets it back: look who turns it off (sysctl.d, NetworkManager, a hardening script)';
  return [check.problem('this host does not forward IPv4, although an agent runs', { ...more, todo })];
}

/** What counts is the stricter of `all` and the interface's own. */
export function checkReversePath(facts: HostFacts): readonly Finding[] {
  const check = checkOf('rp_filter');
  const names = new Set(['tunl0', 'vxlan.calico', parentOf(facts)?.name]);
  const links = facts.links.filter(({ name }) => names.has(name));
  const all = Number(readSysctl(facts, 'net/ipv4/conf/all/rp_filter') ?? 0);
  const own = (name: string): number => Number(readSysctl(facts, `net/ipv4/conf/${name}/rp_filter`) ?? 0);
  const strict = links.filter(({ name }) => Math.max(all, own(name)) === 1).map(({ name }) => name);
  if (links.length === 0) return [check.unknown('none of the interfaces that carry packets of pods is there yet')];
  if (strict.length === 0) return [check.ok(`is not strict on ${links.map(({ name }) => name).join(', ')}`)];
  return [
    check.warning(`is strict on ${strict.join(', ')}`, {
      why: 'a packet is dropped, without a trace, where its answer would leave by another interface: several uplinks, ECMP, or two nodes that do not agree on encapsulation for a moment',
      todo: `net.ipv4.conf.${strict[0]!}.rp_filter = 2 (loose) in /etc/sysctl.d, and net.ipv4.conf.all.rp_filter not 1`,
      evidence: [`all = ${all}`, ...strict.map((name) => `${name} = ${own(name)}`)],
    }),
  ];
}

export function checkClock({ clock }: HostFacts): readonly Finding[] {
  const check = checkOf('clock');
  if ('unknown' in clock) return [check.unknown(clock.unknown)];
  const { isSynchronized, maxErrorMs } = clock;
  const evidence = [
    `adjtimex: ${isSynchronized ? 'synchronized' : 'TIME_ERROR, not synchronized'}, maximum error ${maxErrorMs} ms`,
  ];
  if (isSynchronized) return [check.ok('is kept by a time service', evidence)];
  return [
    check.warning('is not kept by any time service', {
      why: "certificates of etcd may count as not valid yet or any more, and the nodes' logs cannot be laid side by side",
      todo: 'chrony or systemd-timesyncd',
      evidence,
    }),
  ];
}

const OVERHEAD = { tunl0: 20, 'vxlan.calico': 50 } as const;

export function checkOwnMtu(facts: HostFacts): readonly Finding[] {
  const check = checkOf('mtu');
  const parent = parentOf(facts);
  if (parent === undefined) return [check.unknown('no interface carries an address of this node that we know')];
  const tunnels = facts.links.filter(
    (link): link is HostLink & { name: keyof typeof OVERHEAD } => link.name in OVERHEAD && link.up,
  );
  const evidence = [parent, ...tunnels].map(({ name, mtu }) => `${name} ${mtu}`);
  const wide = tunnels.filter(({ name, mtu }) => mtu + OVERHEAD[name] > parent.mtu);
  if (wide.length > 0) {
    return wide.map(({ name, mtu }) =>
      check.problem(
        `${name} has ${mtu}, and its ${OVERHEAD[name]} octets of headers do not fit into the ${parent.mtu} of ${parent.name}`,
        {
          why: 'full packets of pods are fragmented or dropped: connections come up and then hang',
          todo: `leave FELIX_IPINIPMTU and FELIX_VXLANMTU at 0, or at most ${parent.mtu - OVERHEAD[name]}`,
          evidence,
        },
      ),
    );
  }
  const least = Math.min(...tunnels.map(({ mtu }) => mtu));
  const pods = facts.links.filter(({ name, mtu }) => name.startsWith('cali') && mtu > least);
  if (pods.length === 0) return [check.ok(`tunnels fit into ${parent.name}`, evidence)];
  return [
    check.warning(`${pods.length} pods have a larger MTU than the tunnel they may send through`, {
      why: 'their packets to some nodes are too big until path MTU discovery tells them, and never where ICMP is filtered',
      todo: 'start them anew: a pod takes the MTU of the moment it was made',
      evidence: [...evidence, ...pods.slice(0, 3).map(({ name, mtu }) => `${name} ${mtu}`)],
    }),
  ];
}

export function checkModules({ reader, cluster }: HostFacts): readonly Finding[] {
  const check = checkOf('kernel');
  const pools = 'unknown' in cluster ? [] : cluster.pools;
  const wants = (has: (pool: PoolFacts) => boolean, purpose: Purpose): readonly Purpose[] =>
    pools.some(has) ? [purpose] : [];
  const purposes = [...wants((p) => p.ipip, 'ipip'), ...wants((p) => p.vxlan, 'vxlan'), ...wants((p) => p.nat, 'nat')];
  const { kernel, features } = checkSystem(reader, { purposes });
  const wanted = features.filter(({ isRequired }) => isRequired);
  const missing = wanted.filter(({ verdict }) => verdict === 'missing');
  const unknown = wanted.filter(({ verdict }) => verdict === 'unknown').map(({ name }) => name);
  if (missing.length === 0 && unknown.length > 0) {
    return [check.unknown(`whether ${kernel} has ${unknown.join(', ')} cannot be told here`)];
  }
  if (missing.length === 0) return [check.ok(`${kernel} has what the pools of this cluster need`)];
  return missing.map(({ name, how, why }) =>
    check.problem(`has no ${name}`, {
      why: `it is for ${why}`,
      todo: 'calicoctl-ts node checksystem; another kernel, or another mode of the pool',
      evidence: [
        how,
        ...pools.map(
          ({ cidr, ipip, vxlan }) =>
            `pool ${formatPrefix(cidr)}: ${ipip ? 'IPIP' : vxlan ? 'VXLAN' : 'no encapsulation'}`,
        ),
      ],
    }),
  );
}

const FULL = 0.9;

export function checkConntrack(facts: HostFacts): readonly Finding[] {
  const check = checkOf('conntrack');
  const [count, max] = ['count', 'max'].map((what) => readSysctl(facts, `net/netfilter/nf_conntrack_${what}`));
  if (count === undefined || max === undefined) return [check.ok('connections are not tracked here')];
  const evidence = [`nf_conntrack_count = ${count}`, `nf_conntrack_max = ${max}`];
  if (Number(max) === 0 || Number(count) < Number(max) * FULL)
    return [check.ok(`${count} of ${max} entries are in use`, evidence)];
  return [
    check.problem(`${count} of ${max} entries are in use`, {
      why: 'when it is full new connections are dropped, with one line in the kernel log',
      todo: 'net.netfilter.nf_conntrack_max in /etc/sysctl.d, or find who opens so many: conntrack -L',
      evidence,
    }),
  ];
}

export function checkNodeAddress(facts: HostFacts): readonly Finding[] {
  const check = checkOf('node address');
  const { cluster } = facts;
  if ('unknown' in cluster) return [check.unknown(cluster.unknown)];
  const { self, others } = cluster;
  if (self === undefined) return [check.unknown('the datastore has no Node of this name with an IPv4 address')];
  const text = formatIpAddress(self.address.address);
  const twin = others.find(({ address }) => formatIpAddress(address.address) === text);
  if (twin !== undefined) {
    return [
      check.problem(`${text} is node ${twin.name}'s, too`, {
        why: 'the routes of one of them lead to the other',
        todo: `calicoctl-ts get node ${twin.name} -o yaml; set IP on the wrong one`,
      }),
    ];
  }
  const parent = parentOf(facts);
  if (parent?.up === true) return [check.ok(`${text} is on ${parent.name}`)];
  const where = parent === undefined ? 'on no interface of this host' : `on ${parent.name}, which is down`;
  return [
    check.problem(`${text} is ${where}`, {
      why: 'other nodes send packets of pods to it',
      todo: 'bring the interface up, or let the agent detect another address: IP=autodetect and a restart',
    }),
  ];
}
