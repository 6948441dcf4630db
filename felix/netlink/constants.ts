/** Numbers of linux/netlink.h, linux/rtnetlink.h and their neighbours, under the kernel's names without the prefix that the table's name gives. */

export const AF = { unspec: 0, inet: 2, bridge: 7, inet6: 10, netlink: 16 } as const;

/** NLMSG_* */
export const CONTROL = { noop: 1, error: 2, done: 3, overrun: 4 } as const;

/** NLM_F_*; some bits mean different things in requests and answers. */
export const FLAG = {
  request: 0x1,
  ack: 0x4,
  dump: 0x300,
  replace: 0x100,
  excl: 0x200,
  create: 0x400,
  /** Answer: the table changed while it was read. */
  dumpInterrupted: 0x10,
  /** Error: the request's payload is not repeated. */
  capped: 0x100,
  /** Error: attributes follow, among them the kernel's own sentence. */
  ackAttributes: 0x200,
} as const;

/** RTM_* */
export const RTM = {
  newLink: 16,
  delLink: 17,
  getLink: 18,
  setLink: 19,
  newAddress: 20,
  delAddress: 21,
  getAddress: 22,
  newRoute: 24,
  delRoute: 25,
  getRoute: 26,
  newNeighbour: 28,
  delNeighbour: 29,
  getNeighbour: 30,
  newRule: 32,
  delRule: 33,
  getRule: 34,
  newNetconf: 80,
} as const;

/** RTMGRP_*, the bits of sockaddr_nl; netconf's are those of RTNLGRP_IPV4_NETCONF and RTNLGRP_IPV6_NETCONF. */
export const GROUP = {
  link: 0x1,
  neighbour: 0x4,
  ipv4Address: 0x10,
  ipv4Route: 0x40,
  ipv6Address: 0x100,
  ipv6Route: 0x400,
  ipv4Netconf: 1 << 23,
  ipv6Netconf: 1 << 24,
} as const;

/** NLMSGERR_ATTR_* */
export const ERROR_ATTRIBUTE = { message: 1 } as const;

/** RTA_* */
export const RTA = {
  dst: 1,
  oif: 4,
  gateway: 5,
  priority: 6,
  prefSrc: 7,
  metrics: 8,
  multipath: 9,
  table: 15,
  via: 18,
} as const;

/** RTAX_*, inside RTA_METRICS. */
export const METRIC = { mtu: 2 } as const;

/** RTNH_F_* */
export const HOP_FLAG = { onlink: 4 } as const;

/** RTM_F_* */
export const ROUTE_FLAG = { cloned: 0x200 } as const;

/** IFLA_* */
export const IFLA = {
  address: 1,
  name: 3,
  mtu: 4,
  link: 5,
  linkInfo: 18,
  stats64: 23,
  group: 27,
  netnsFd: 28,
} as const;

/** IFLA_INFO_*, inside IFLA_LINKINFO. */
export const LINK_INFO = { kind: 1, data: 2 } as const;

/** VETH_INFO_* */
export const VETH = { peer: 1 } as const;

/** IFLA_VXLAN_* */
export const VXLAN = { id: 1, link: 3, local: 4, learning: 7, port: 15, local6: 17 } as const;

/** IFLA_IPTUN_* */
export const IPTUN = { pmtuDiscovery: 10 } as const;

/** IFF_* */
export const LINK_FLAG = { up: 0x1, running: 0x40 } as const;

/** IFA_* */
export const IFA = { address: 1, local: 2 } as const;

/** NDA_* */
export const NDA = { dst: 1, lladdr: 2, ifindex: 8 } as const;

/** NUD_* */
export const NEIGHBOUR_STATE = { reachable: 0x02, failed: 0x20, noArp: 0x40, permanent: 0x80 } as const;

/** NETCONFA_* */
export const NETCONF = { ifindex: 1, forwarding: 2, rpFilter: 3, proxyNeighbour: 5 } as const;

/** NTF_SELF: the entry is the link's own, not its bridge's. */
export const NEIGHBOUR_SELF = 0x02;

/** NLA_F_NESTED: netfilter's newer attributes are refused without it. */
export const NESTED = 0x8000;

/** IPCTNL_MSG_CT_* of NFNL_SUBSYS_CTNETLINK. */
export const CONNTRACK = { get: 0x101, delete: 0x102 } as const;

/** CTA_* */
export const CTA = { tupleOriginal: 1, tupleReply: 2, id: 12, zone: 18, filter: 25 } as const;

/** CTA_TUPLE_*, inside CTA_TUPLE_ORIG and CTA_TUPLE_REPLY. */
export const CTA_TUPLE = { ip: 1 } as const;

/** CTA_IP_* */
export const CTA_IP = { v4Source: 1, v6Source: 3 } as const;

/** CTA_FILTER_* */
export const CTA_FILTER = { originalFlags: 1, replyFlags: 2 } as const;

/** FRA_* */
export const FRA = {
  dst: 1,
  src: 2,
  priority: 6,
  mark: 10,
  suppressPrefixLength: 14,
  table: 15,
  markMask: 16,
  protocol: 21,
} as const;

/** FR_ACT_TO_TBL */
export const RULE_TO_TABLE = 1;
