/** What calico-ts asks of a kernel, and what becomes of us without it. */

/** What the cluster wants of this host; `base` is wanted of every one. */
export const PURPOSES = ['base', 'ipip', 'vxlan', 'nat'] as const;
export type Purpose = (typeof PURPOSES)[number];

export interface KernelFeature {
  /** The module's name; of what can be no module, a name for people. */
  readonly name: string;
  /** In the kernel's configuration. */
  readonly option: string;
  /** It can be a module. */
  readonly isModule: boolean;
  /** Absent: nobody must have it. */
  readonly purpose?: Purpose;
  /** What is for it. */
  readonly why: string;
  /** What to do where no kernel with it can be had: `pools with vxlanMode in its place`. */
  readonly instead?: string;
}

type Some = Pick<KernelFeature, 'purpose' | 'why' | 'instead'>;

const module = (name: string, option: string, some: Some): KernelFeature => ({
  ...{ name, option, isModule: true },
  ...some,
});

const NAT: Some = { purpose: 'nat', why: 'natOutgoing of pools', instead: 'natOutgoing: false of the pools' };
const NAT_MODULES = [
  ['nf_tables', 'CONFIG_NF_TABLES'],
  ['nft_chain_nat', 'CONFIG_NFT_NAT'],
  ['nft_masq', 'CONFIG_NFT_MASQ'],
  ['nft_fib_inet', 'CONFIG_NFT_FIB_INET'],
  ['nf_conntrack', 'CONFIG_NF_CONNTRACK'],
] as const;

export const KERNEL_FEATURES: readonly KernelFeature[] = [
  module('veth', 'CONFIG_VETH', { purpose: 'base', why: "pods' interfaces" }),
  {
    ...{ name: 'network namespaces', option: 'CONFIG_NET_NS', isModule: false, purpose: 'base' },
    why: 'pods',
  },
  module('ipip', 'CONFIG_NET_IPIP', {
    ...{ purpose: 'ipip', why: 'tunl0, of pools with ipipMode Always or CrossSubnet' },
    instead: 'pools with vxlanMode in its place',
  }),
  module('vxlan', 'CONFIG_VXLAN', {
    ...{ purpose: 'vxlan', why: 'vxlan.calico and vxlan-v6.calico, of pools with vxlanMode Always or CrossSubnet' },
    instead: 'pools with ipipMode in its place, which are IPv4',
  }),
  ...NAT_MODULES.map(([name, option]) => module(name, option, NAT)),
  module('nf_conntrack_netlink', 'CONFIG_NF_CT_NETLINK', { why: 'flushing connections of an address that moves' }),
  {
    ...{ name: 'multipath routes', option: 'CONFIG_IP_ROUTE_MULTIPATH', isModule: false },
    why: 'ECMP over several next hops',
  },
  { ...{ name: 'TCP MD5 signatures', option: 'CONFIG_TCP_MD5SIG', isModule: false }, why: 'passwords of BGP peers' },
  module('ipv6', 'CONFIG_IPV6', { why: 'IPv6 peers and pools' }),
];

/** Older ones lack what netlink and Node.js need (extended acknowledgements, statx). */
export const MINIMUM_KERNEL: readonly [number, number] = [4, 18];
/** The first whose `inet` tables do NAT. */
export const NAT_KERNEL: readonly [number, number] = [5, 2];

/** Whether `6.1.0-18-amd64` is at least this version; undefined: it is no version. */
export function isAtLeast(release: string, [major, minor]: readonly [number, number]): boolean | undefined {
  const [, haveMajor, haveMinor] = /^(\d+)\.(\d+)/.exec(release) ?? [];
  if (haveMajor === undefined || haveMinor === undefined) return undefined;
  return Number(haveMajor) > major || (Number(haveMajor) === major && Number(haveMinor) >= minor);
}
