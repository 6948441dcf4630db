/** What can be seen on this host alone. */
import { TUNNEL_LINKS } from '../../../felix/index.ts';
import type { Pool } from '../../../felix/index.ts';
import type { IpFamily } from '../../model/ip.ts';
import { formatPrefix } from '../../model/ip.ts';
import { checkSystem } from '../checksystem.ts';
import type { Purpose } from '../kernel-features.ts';
import type { Finding } from './finding.ts';
import { checkOf } from './finding.ts';
import type { HostFacts } from './host-facts.ts';
import { agentPid, parentOf, readSysctl } from './host-facts.ts';

const FORWARDING: Readonly<Record<IpFamily, string>> = {
  4: 'net/ipv4/ip_forward',
  6: 'net/ipv6/conf/all/forwarding',
};

/** IPv6 where some pool is. */
export function checkForwarding(facts: HostFacts): readonly Finding[] {
  const { cluster } = facts;
  const hasIpv6 = !('unknown' in cluster) && cluster.pools.some(({ cidr }) => cidr.address.family === 6);
  return [...judgeForwarding(facts, 4), ...(hasIpv6 ? judgeForwarding(facts, 6) : [])];
}

function judgeForwarding(facts: HostFacts, family: IpFamily): readonly Finding[] {
  const check = checkOf('ip_forward');
  const path = FORWARDING[family];
  const value = readSysctl(facts, path);
  const name = path.replaceAll('/', '.');
  if (value === undefined) return [check.unknown(`${name} cannot be read`)];
  if (value !== '0') return [check.ok(`this host forwards IPv${family}`)];
  const more = {
    why: 'packets of pods to other nodes, and of other nodes to pods here, are dropped',
    evidence: [`${name} = 0`],
  };
  if (agentPid(facts) === undefined) {
    return [
      check.warning(`this host does not forward IPv${family}`, {
        ...more,
        todo: 'nothing, if no agent runs here: it switches it on',
      }),
    ];
  }
  const todo = 'the agent sets it back: look who turns it off (sysctl.d, NetworkManager, a hardening script)';
  return [check.problem(`this host does not forward IPv${family}, although an agent runs`, { ...more, todo })];
}

/** Of IPv4 alone; what counts is the larger of `all` and the interface's own. */
export function checkReversePath(facts: HostFacts): readonly Finding[] {
  const check = checkOf('rp_filter');
  const names = new Set<string | undefined>([TUNNEL_LINKS.ipip, TUNNEL_LINKS.vxlan, parentOf(facts)?.name]);
  const links = facts.links.filter(({ name }) => names.has(name));
  const all = Number(readSysctl(facts, 'net/ipv4/conf/all/rp_filter') ?? 0);
  const own = (name: string): number => Number(readSysctl(facts, `net/ipv4/conf/${name}/rp_filter`) ?? 0);
  const strict = links.filter(({ name }) => Math.max(all, own(name)) === 1).map(({ name }) => name);
  if (links.length === 0) return [check.unknown('none of the interfaces that carry packets of pods is there yet')];
  if (strict.length === 0) return [check.ok(`is not strict on ${links.map(({ name }) => name).join(', ')}`)];
  return [
    check.warning(`is strict on ${strict.join(', ')}`, {
      why: 'a packet is dropped, without a trace, where its answer would leave by another interface: several uplinks, ECMP, or two nodes that do not agree on encapsulation for a moment',
      todo: 'net.ipv4.conf.all.rp_filter = 2 (loose) in /etc/sysctl.d/99-calico.conf, then sysctl --system: the larger of all and the interface counts',
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
      todo: 'install and start one: chrony, or systemctl enable --now systemd-timesyncd',
      evidence,
    }),
  ];
}

const modesOf = ({ cidr, ipipMode, vxlanMode, natOutgoing }: Pool): string => {
  const tunnel =
    ipipMode !== 'Never' ? `IPIP ${ipipMode}` : vxlanMode !== 'Never' ? `VXLAN ${vxlanMode}` : 'no encapsulation';
  return `pool ${formatPrefix(cidr)}: ${tunnel}${natOutgoing ? ', natOutgoing' : ''}`;
};

export function checkModules({ reader, cluster }: HostFacts): readonly Finding[] {
  const check = checkOf('kernel');
  const pools = 'unknown' in cluster ? [] : cluster.pools;
  const wants = (has: (pool: Pool) => boolean, purpose: Purpose): readonly Purpose[] =>
    pools.some(has) ? [purpose] : [];
  const purposes = [
    ...wants(({ ipipMode }) => ipipMode !== 'Never', 'ipip'),
    ...wants(({ vxlanMode }) => vxlanMode !== 'Never', 'vxlan'),
    ...wants(({ natOutgoing }) => natOutgoing, 'nat'),
  ];
  const { kernel, features } = checkSystem(reader, { purposes });
  const wanted = features.filter(({ isRequired }) => isRequired);
  const missing = wanted.filter(({ verdict }) => verdict === 'missing');
  const unknown = wanted.filter(({ verdict }) => verdict === 'unknown').map(({ name }) => name);
  if (missing.length === 0 && unknown.length > 0) {
    return [
      check.unknown(`whether ${kernel} has ${unknown.join(', ')} cannot be told here`, {
        todo: "calicoctl-ts node checksystem -f FILE, with this kernel's configuration",
      }),
    ];
  }
  if (missing.length === 0) return [check.ok(`${kernel} has what the pools of this cluster need`)];
  return missing.map(({ name, how, why, todo }) =>
    check.problem(`has no ${name}`, { why: `it is for ${why}`, todo, evidence: [how, ...pools.map(modesOf)] }),
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
      todo: 'a larger net.netfilter.nf_conntrack_max in /etc/sysctl.d, or find who opens so many: conntrack -L',
      evidence,
    }),
  ];
}
