/** What our table of nftables should hold: which packets leave this host under an address of its own, and why. */
import type { IpAddress, IpFamily, Prefix } from '../../src/model/ip.ts';
import { comparePrefixes, formatIpAddress, formatPrefix, hostPrefix, prefixContains } from '../../src/model/ip.ts';
import type { TunnelPlan } from '../calc/tunnels.ts';
import type { ClusterNode, DataplaneInputs, Pool } from '../inputs.ts';
import { addressOf } from '../inputs.ts';

/** Both ends belong to it. */
export interface PortRange {
  readonly from: number;
  readonly to: number;
}

/** FelixConfiguration's words; all absent is Calico's default. */
export interface NatSettings {
  /** natOutgoingExclusions: with `IPPoolsAndHostIPs` what goes to a node's address keeps its source, too. */
  readonly exclusions?: 'IPPoolsOnly' | 'IPPoolsAndHostIPs';
  /** natPortRange: the source ports that TCP and UDP may get. */
  readonly portRange?: PortRange;
  /** natOutgoingAddress: this IPv4 address in the place of the outgoing interface's. */
  readonly address?: IpAddress;
}

export interface NatSet {
  readonly name: string;
  readonly family: IpFamily;
  /** Sorted, none inside another: nftables refuses an interval that overlaps. */
  readonly prefixes: readonly Prefix[];
}

/** One rule of the postrouting chain; the first that matches decides. */
export interface NatRule {
  readonly family: IpFamily;
  readonly packets:
    /** From an address in the one set, to an address that is not in the other. */
    | { readonly kind: 'outgoing'; readonly sources: string; readonly inside: string }
    /** Out of `link`, from an address of this host that is not the link's own. */
    | { readonly kind: 'tunnel'; readonly link: string };
  /** IP protocol: only this one. */
  readonly protocol?: number;
  readonly ports?: PortRange;
  /** Absent: the address of the interface that the packet leaves by. */
  readonly address?: IpAddress;
  /** For whoever lists the table. */
  readonly comment: string;
}

export interface NatTable {
  readonly sets: readonly NatSet[];
  readonly rules: readonly NatRule[];
}

/** What somebody may ask about: a pool's natOutgoing, or a tunnel's masquerade. */
export interface NatSubject {
  readonly subject:
    | { readonly kind: 'pool'; readonly name: string; readonly cidr: Prefix }
    | { readonly kind: 'tunnel'; readonly link: string };
  readonly isWanted: boolean;
  readonly reason: string;
}

export interface NatPlan {
  /** Absent: nothing is to be translated, so there is to be no table. */
  readonly table?: NatTable;
  readonly subjects: readonly NatSubject[];
}

export const PROTOCOL = { tcp: 6, udp: 17 } as const;

export interface NatPlanSettings {
  readonly settings?: NatSettings | undefined;
  readonly vxlanPort: number;
  /**
   * Tunnels that nobody wants any more, whose rule is there: it stays. With the last rule the kernel would stop to track connections,
   * and when it begins again every flow is new to it, of whose bursts it may drop all but the first packet.
   */
  readonly keptLinks?: readonly string[];
}

/**
 * As Calico means it: the source is changed if and only if it is in a pool with natOutgoing and the destination is in no
 * pool at all, disabled pools included. And what this host itself sends into a tunnel under another of its addresses
 * gets the tunnel's: the answer would not come back through the tunnel otherwise.
 */
export function planNat(
  inputs: DataplaneInputs,
  tunnels: readonly TunnelPlan[],
  { settings = {}, vxlanPort, keptLinks = [] }: NatPlanSettings,
): NatPlan {
  const families = ([4, 6] as const).map((family) => planFamily(inputs, family, settings));
  const links = tunnels
    .filter(({ state }) => state !== 'unwanted')
    .map((plan) => (plan.state === 'wanted' ? plan.tunnel.name : plan.name));
  const sets = families.flatMap((family) => family.sets);
  const rules = [
    ...families.flatMap((family) => family.rules),
    ...[...links, ...keptLinks].flatMap((link) => tunnelRules(link, vxlanPort)),
  ];
  const subjects = [
    ...inputs.pools.toSorted((a, b) => (a.name < b.name ? -1 : 1)).map((pool) => poolSubject(pool, settings)),
    ...links.map(tunnelSubject),
  ];
  return { ...(rules.length > 0 && { table: { sets, rules } }), subjects };
}

function planFamily({ pools, local, nodes }: DataplaneInputs, family: IpFamily, settings: NatSettings): NatTable {
  const ofFamily = ({ address }: Prefix): boolean => address.family === family;
  const sources = separate(pools.filter(({ natOutgoing }) => natOutgoing).map(({ cidr }) => cidr)).filter(ofFamily);
  if (sources.length === 0) return { sets: [], rules: [] };
  const hosts = settings.exclusions === 'IPPoolsAndHostIPs' ? [local, ...nodes] : [];
  const inside = [...pools.map(({ cidr }) => cidr), ...hosts.flatMap((host) => hostPrefixes(host, family))];
  const names = { sources: `nat-outgoing-ipv${family}`, inside: `inside-ipv${family}` };
  return {
    sets: [
      { name: names.sources, family, prefixes: sources },
      { name: names.inside, family, prefixes: separate(inside.filter(ofFamily)) },
    ],
    rules: outgoingRules({ family, packets: { kind: 'outgoing', ...names }, comment: 'natOutgoing' }, settings),
  };
}

const hostPrefixes = (host: ClusterNode, family: IpFamily): readonly Prefix[] => {
  const own = addressOf(host, family);
  return own === undefined ? [] : [hostPrefix(own.address)];
};

/** Ports exist in TCP and UDP alone, so a range needs a rule for each and one for all the rest. */
function outgoingRules(rule: NatRule, { portRange, address }: NatSettings): readonly NatRule[] {
  const plain = { ...rule, ...(address?.family === rule.family && { address }) };
  if (portRange === undefined) return [plain];
  return [...Object.values(PROTOCOL).map((protocol) => ({ ...plain, protocol, ports: portRange })), plain];
}

/** Tunnels are IPv4. A receiver takes a UDP packet from VXLAN's own port for VXLAN, so no source port may be that one. */
function tunnelRules(link: string, vxlanPort: number): readonly NatRule[] {
  const rule: NatRule = {
    family: 4,
    packets: { kind: 'tunnel', link },
    comment: 'from this host into a tunnel',
  };
  return [{ ...rule, protocol: PROTOCOL.udp, ports: portsBeside(vxlanPort) }, rule];
}

/** The wider of the two ranges beside a port. */
export function portsBeside(port: number): PortRange {
  const below = { from: 1024, to: port - 1 };
  const above = { from: Math.max(1024, port + 1), to: 65_535 };
  return above.to - above.from > below.to - below.from ? above : below;
}

function poolSubject({ name, cidr, natOutgoing }: Pool, { exclusions, address }: NatSettings): NatSubject {
  const subject = { kind: 'pool', name, cidr } as const;
  if (!natOutgoing) return { subject, isWanted: false, reason: 'the pool has natOutgoing false' };
  const as = address?.family === cidr.address.family ? `as ${formatIpAddress(address)}` : "as this host's address";
  const beside = exclusions === 'IPPoolsAndHostIPs' ? ' and is no node' : '';
  return { subject, isWanted: true, reason: `leaves ${as} where the destination is in no ippool${beside}` };
}

const tunnelSubject = (link: string): NatSubject => ({
  subject: { kind: 'tunnel', link },
  isWanted: true,
  reason: "what this host itself sends through it leaves as the tunnel's address",
});

/** Sorted, and without those that lie inside another. */
export function separate(prefixes: readonly Prefix[]): readonly Prefix[] {
  const sorted = prefixes.toSorted(comparePrefixes);
  const kept: Prefix[] = [];
  for (const prefix of sorted) {
    const last = kept.at(-1);
    if (last === undefined || !prefixContains(last, prefix)) kept.push(prefix);
  }
  return kept;
}

export const subjectText = ({ subject }: Pick<NatSubject, 'subject'>): string =>
  subject.kind === 'tunnel' ? subject.link : `ippool ${subject.name} (${formatPrefix(subject.cidr)})`;
