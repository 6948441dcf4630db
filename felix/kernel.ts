/**
 * The kernel as the reconciler sees it: a port in the kernel's own words.
 * `linux-kernel.ts` is the real one, `test/support/fake-kernel.ts` the one in memory; `test/compliance/kernel.ts` holds both to this page.
 */
import { formatPrefix } from '../src/model/ip.ts';
import type { InterfaceAddress, IpAddress, IpFamily, Prefix } from '../src/model/ip.ts';
import type { KernelRoute, RouteChange, RouteType } from './routes/kernel-route.ts';
import type { RouteList } from './routes/route-list.ts';

export interface VxlanSettings {
  readonly vni: number;
  readonly port: number;
  readonly learning: boolean;
  /** The link that carries the outer packets; 0: whatever routing says. */
  readonly parentIndex: number;
  readonly local?: IpAddress;
}

export interface KernelLink {
  readonly index: number;
  readonly name: string;
  /** `veth`, `ipip`, `vxlan`, `dummy`, `bridge` ...; absent on hardware and `lo`. */
  readonly kind?: string;
  readonly mtu: number;
  /** IFF_UP: it was switched on. */
  readonly up: boolean;
  /** IFF_RUNNING: it can carry packets now. */
  readonly running: boolean;
  /** `aa:bb:cc:dd:ee:ff`; empty where the link has no Ethernet address (tunl0). */
  readonly mac: string;
  /** Of a veth: its peer's index, in the peer's namespace. */
  readonly peerIndex?: number;
  readonly vxlan?: VxlanSettings;
  /** Of an ipip link: whether outer headers have Don't Fragment whatever the inner ones say. */
  readonly pmtuDiscovery?: boolean;
  /** Of an ipip or vxlan link: packets that came out of it since it was made. */
  readonly received?: number;
}

/** A link to make. It starts down, with the kernel's MTU and MAC where none is given. */
export type NewLink = { readonly name: string; readonly mtu?: number; readonly mac?: string } & (
  | { readonly kind: 'ipip' | 'dummy' }
  | { readonly kind: 'vxlan'; readonly vxlan: VxlanSettings }
  | { readonly kind: 'veth'; readonly peer: VethPeer }
);

export interface VethPeer {
  readonly name: string;
  readonly mac?: string;
  /** Path of the network namespace that the peer is born in; absent: this one. */
  readonly netns?: string;
}

export interface LinkChange {
  /** Renames it; up or in use it may be refused (EBUSY). */
  readonly name?: string;
  /** Of an ipip link. */
  readonly pmtuDiscovery?: boolean;
  readonly up?: boolean;
  readonly mtu?: number;
  readonly mac?: string;
}

export interface KernelAddress {
  readonly ifindex: number;
  readonly address: InterfaceAddress;
  readonly scope: number;
  /** IFA_F_SECONDARY, as listed only: IPv4, it came after another of its subnet; IPv6, it is a temporary one (the same bit). */
  readonly secondary?: boolean;
  /** IFA_F_DEPRECATED, as listed only. */
  readonly deprecated?: boolean;
}

export type KernelNeighbour =
  /** ARP or NDP: `address` has `mac`. */
  | {
      readonly kind: 'neighbour';
      readonly ifindex: number;
      readonly address: IpAddress;
      readonly mac: string;
      readonly permanent: boolean;
    }
  /** A VXLAN link's forwarding entry: frames for `mac` go to the host `remote`. */
  | {
      readonly kind: 'fdb';
      readonly ifindex: number;
      readonly mac: string;
      readonly remote: IpAddress;
      readonly permanent: boolean;
    };

/** Which packets are looked up in which table; all that is named must match. */
export interface KernelRule {
  readonly family: IpFamily;
  /** The lowest is asked first; Linux's own are 0 (local), 32766 (main) and 32767 (default). */
  readonly priority: number;
  readonly table: number;
  /** Who made it, as with routes. */
  readonly protocol: number;
  readonly from?: Prefix;
  readonly to?: Prefix;
  /** Of the packet's mark, the bits of the mask have this value. */
  readonly mark?: { readonly value: number; readonly mask: number };
}

/** `net/ipv4/conf/tunl0/rp_filter` below /proc/sys, and what it is to say. */
export interface SysctlChange {
  readonly path: string;
  readonly value: string;
}

/** How the kernel would reach an address now. */
export interface Resolution {
  readonly type: RouteType;
  readonly ifindex: number;
  /** Absent: on the link itself, or ours. */
  readonly gateway?: IpAddress;
  /** The source that the kernel prefers. */
  readonly source?: IpAddress;
}

/**
 * Who did it, where the kernel tells: the netlink port of the writer's socket, which `processOfPort` resolves. Linux tells it
 * of routes, of ARP and NDP entries and of IPv4 addresses; never of links, IPv6 addresses, forwarding entries and sysctls.
 */
interface Authored {
  readonly by?: number;
}

/** The sysctls below net/ipv4/conf and net/ipv6/conf that the kernel tells of when they change. */
export type WatchedSysctl = 'forwarding' | 'rp_filter' | 'proxy_arp' | 'proxy_ndp';

export type KernelEvent =
  | ({ readonly kind: 'link'; readonly change: 'set' | 'removed'; readonly link: KernelLink } & Authored)
  | ({ readonly kind: 'address'; readonly change: 'set' | 'removed'; readonly address: KernelAddress } & Authored)
  /** Table main only. The kernel sends no `removed` for routes that go with their link: on a link event, list again. */
  | ({ readonly kind: 'route'; readonly change: 'set' | 'removed'; readonly route: KernelRoute } & Authored)
  /** `mac` of a `removed` ARP or NDP entry may be empty; a removal may be told twice. */
  | ({ readonly kind: 'neighbour'; readonly change: 'set' | 'removed'; readonly neighbour: KernelNeighbour } & Authored)
  | {
      readonly kind: 'sysctl';
      readonly family: IpFamily;
      readonly ifindex: number | 'all' | 'default';
      readonly name: WatchedSysctl;
      readonly value: number;
    }
  /** Events were lost, because they came faster than we read them: list everything again. */
  | { readonly kind: 'overrun' };

/** The kernel refused. `message` is a sentence that names the object; `code` is errno's name: `EEXIST`, `ENETDOWN`. */
export class KernelError extends Error {
  override readonly name = 'KernelError';
  readonly code: string;

  constructor(message: string, code: string) {
    super(message);
    this.code = code;
  }
}

/** Every method rejects with KernelError, and with InvalidValueError for a name or MAC that is none. What concerns one network namespace stays in the one it was opened in. */
export interface Kernel {
  /** All IPv4 and IPv6 routes of a table, of main where none is named; clones (learned path MTUs) left out. */
  listRoutes(table?: number): Promise<RouteList>;
  /**
   * In order, as one batch; result i belongs to change i: undefined is success. One refusal stops no other change. The changes may
   * be walked more than once.
   */
  writeRoutes(changes: Iterable<RouteChange>): Promise<readonly (KernelError | undefined)[]>;

  listLinks(): Promise<readonly KernelLink[]>;
  /** By name; undefined where there is none. Costs the same however many links there are. */
  getLink(name: string): Promise<KernelLink | undefined>;
  /** EEXIST where the name is taken; except `ipip`, where an ipip link of that name (the kernel makes tunl0 by itself) is a success. */
  createLink(link: NewLink): Promise<void>;
  setLink(ifindex: number, change: LinkChange): Promise<void>;
  /** By name; success where there is none. Removes a veth's peer too, and all routes over it. */
  deleteLink(name: string): Promise<void>;

  listAddresses(): Promise<readonly KernelAddress[]>;
  /** Success where it is there already. */
  addAddress(address: KernelAddress): Promise<void>;
  /** Success where it is not there. */
  removeAddress(address: KernelAddress): Promise<void>;

  /** ARP, NDP and forwarding entries of one link; those that are permanent and those that were learned. */
  listNeighbours(ifindex: number): Promise<readonly KernelNeighbour[]>;
  /** Made, or replaced under the same key: the address, or the forwarding entry's MAC. */
  replaceNeighbour(neighbour: KernelNeighbour): Promise<void>;
  /** Success where it is not there. */
  removeNeighbour(neighbour: KernelNeighbour): Promise<void>;

  /** Those that lead to a table; what has conditions beyond those of KernelRule is left out. */
  listRules(): Promise<readonly KernelRule[]>;
  /** Success where it is there already. */
  addRule(rule: KernelRule): Promise<void>;
  /** Success where it is not there. */
  removeRule(rule: KernelRule): Promise<void>;

  /** Undefined where no route leads there. */
  resolve(address: IpAddress): Promise<Resolution | undefined>;

  /**
   * Resolves once subscribed; from then on the listener hears of every change, ours too, until the signal aborts. Only of
   * what this port's writeRoutes does it hears nothing: the results tell.
   */
  watch(listener: (event: KernelEvent) => void, signal: AbortSignal): Promise<void>;

  /** The process behind an event's `by`; undefined where it has ended or is not to be seen from here. */
  processOfPort(port: number): Promise<{ readonly pid: number; readonly name: string } | undefined>;

  /**
   * Forgets connections, of all protocols, whose original or whose reply comes from one of the addresses; all others stay.
   * How many they were: 0 where there are none.
   */
  flushConntrack(addresses: readonly IpAddress[]): Promise<number>;

  /** `net/ipv4/conf/tunl0/rp_filter`; without the newline. */
  readSysctl(path: string): Promise<string>;
  writeSysctl(path: string, value: string): Promise<void>;
  /** Several at once; result i belongs to path i, and one that cannot be read stops no other. */
  readSysctls(paths: readonly string[]): Promise<readonly (string | KernelError)[]>;
  /** In order, as one; result i belongs to change i: undefined is success. One refusal stops no other change. */
  writeSysctls(changes: readonly SysctlChange[]): Promise<readonly (KernelError | undefined)[]>;

  /** Ends the watches too; changes nothing in the kernel. */
  close(): Promise<void>;
}

/** In the manner of `ip rule`: `IPv4 rule 100: from 10.0.0.0/8 mark 0x1/0xff lookup 7`. */
export function formatRule({ family, priority, table, from, to, mark }: KernelRule): string {
  const conditions = [
    from && `from ${formatPrefix(from)}`,
    to && `to ${formatPrefix(to)}`,
    mark && `mark 0x${mark.value.toString(16)}/0x${mark.mask.toString(16)}`,
  ];
  return [`IPv${family} rule ${priority}:`, ...conditions, `lookup ${table}`].filter(Boolean).join(' ');
}
