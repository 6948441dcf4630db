/** What the dataplane promises to whoever runs it, and what it asks for. */
import type { InterfaceAddress, IpAddress, Prefix } from '../src/model/ip.ts';
import type { RouteClass, RouteStatus } from './desired.ts';
import type { DataplaneInputs } from './inputs.ts';
import type { NatStatus } from './nat/nat-table.ts';
import type { NatSettings } from './nat/plan.ts';
import type { RepairKind } from './repairs.ts';

export interface DataplaneSettings {
  /** Full resync with the kernel, felix's RouteRefreshInterval; 0: none but the first. Default 90. */
  readonly resyncSeconds: number;
  /** 0: parent's MTU less the overhead. */
  readonly ipipMtu: number;
  readonly vxlanMtu: number;
  /** Of vxlan-v6.calico, which `vxlanMtu` says nothing of. Absent: 0. */
  readonly vxlanMtuV6?: number;
  readonly vxlanVni: number;
  readonly vxlanPort: number;
  readonly nat?: NatSettings;
  /** What Calico's BIRD and felix left in the kernel is ours too; ownership.ts says what that is. Default false. */
  readonly adoptCalicoRoutes?: boolean;
}

/** A pod's interface as the CNI plugin asks for it. */
export interface WorkloadInterface {
  /** Path of the pod's network namespace: `/var/run/netns/NAME`. */
  readonly netns: string;
  /** Inside the pod: `eth0`. */
  readonly containerInterface: string;
  /** On the host: `cali` and eleven more characters. */
  readonly hostInterface: string;
  readonly addresses: readonly IpAddress[];
  /** 0: what the tunnels of this host leave. */
  readonly mtu: number;
  /** The pod may pass packets on. Default false. */
  readonly allowIpForwarding?: boolean;
}

/** A pod's interface by its two names. */
export type WorkloadNames = Pick<WorkloadInterface, 'netns' | 'containerInterface' | 'hostInterface'>;

/** What the kernel has of a pod's interface at this moment. */
export interface WorkloadSight {
  /** Absent: no interface of that name. */
  readonly host?: {
    readonly mac: string;
    readonly up: boolean;
    /** Each side names the other as its peer. */
    readonly isPaired: boolean;
    /** For the IPv4 gateway, which nobody has. */
    readonly hasProxyArp: boolean;
    /** The IPv6 gateway. */
    readonly hasLinkLocal: boolean;
  };
  readonly pod?: {
    readonly mac: string;
    readonly mtu: number;
    readonly up: boolean;
    /** Those of global scope. */
    readonly addresses: readonly InterfaceAddress[];
    readonly routes: readonly { readonly prefix: Prefix; readonly gateway?: IpAddress }[];
  };
  /** Of the addresses asked for: which the host would send to this interface. */
  readonly reached: readonly IpAddress[];
}

export interface HostInterface {
  readonly name: string;
  readonly index: number;
  /** `veth`, `bridge`, `vxlan` …; absent on hardware and `lo`. */
  readonly kind?: string;
  readonly up: boolean;
  /** It can carry packets now: up, and a cable in it. */
  readonly running: boolean;
  readonly mtu: number;
  readonly mac: string;
  /** In the kernel's order. */
  readonly addresses: readonly HostAddress[];
}

export interface HostAddress extends InterfaceAddress {
  /** IPv4: came after another of its subnet. IPv6: temporary, RFC 8981. */
  readonly secondary?: boolean;
  /** To be gone soon, no new connection should begin with it: RFC 4862 §5.5.4. */
  readonly deprecated?: boolean;
}

/** What whoever watches over the dataplane needs to know. */
export interface DataplaneHealth {
  /** A pass over the inputs has read the kernel and ended: what is wanted is there, or its route says why not. */
  readonly hasReconciled: boolean;
  /** Since when the pass of this moment runs, the clock's milliseconds; absent between passes. */
  readonly passSince?: number;
  /** Why the last pass could not read the kernel. */
  readonly error?: string;
}

/** Somebody undoes again and again what we put right. */
export interface FightStatus {
  readonly kind: RepairKind;
  /** `192.168.2.0/26`, `vxlan.calico`, `net/ipv4/ip_forward`, `table inet calico-ts` */
  readonly name: string;
  /** Since it began. */
  readonly repairs: number;
  /** As far as the kernel tells: `replaced by a route of protocol 12 (bird) by netlink port 812, process 812 (bird)`. */
  readonly by: string;
}

export interface RepairStatus {
  /** Since the start, what others had undone and we put right. */
  readonly counts: Readonly<Record<RepairKind, number>>;
  readonly fights: readonly FightStatus[];
}

/** How many routes of one class are in one state; none of a class and state that nobody is in. */
export interface RouteCount {
  readonly class: RouteClass;
  readonly state: RouteStatus['state'];
  readonly count: number;
}

/** A tunnel's link, where the host has one. */
export interface TunnelStatus {
  /** `tunl0`, `vxlan.calico`, `vxlan-v6.calico` */
  readonly name: string;
  readonly up: boolean;
  readonly mtu: number;
}

/** Since the start. */
export interface PassCounts {
  readonly ended: number;
  /** Of these: the kernel could not be read, or refused something that will be tried again. */
  readonly failed: number;
  /** How long they took altogether. */
  readonly totalMs: number;
  /** Passes before which all of the kernel was read again because it was time to, felix's RouteRefreshInterval. */
  readonly full: number;
  /** When the last of these began, the clock's milliseconds. */
  readonly lastFullAt?: number;
}

/** What there is of everything, counted. */
export interface DataplaneTally {
  readonly routes: readonly RouteCount[];
  readonly tunnels: readonly TunnelStatus[];
  /** Interfaces of pods on this host. */
  readonly workloadInterfaces: number;
  readonly passes: PassCounts;
}

export interface Dataplane {
  /** Opens netlink and reads the kernel's state; throws one sentence without root or CAP_NET_ADMIN. Writes nothing. */
  start(): Promise<void>;
  /** How many routes of ours the kernel already had at start(): more than none means that we took over from an earlier process. */
  adoptedRoutes(): number;
  /** Other settings than it was made with: the next pass goes by them. What is as they say already is not touched. */
  configure(settings: DataplaneSettings): void;
  /** The whole desired input; the first call means that the datastore is in sync. Programs soon, many calls at once. */
  update(inputs: DataplaneInputs): void;
  /** Resolves when a pass over the inputs as they are now has ended; the pass's failures stay pending and are in routes(). */
  settled(): Promise<void>;
  /** Resolves when a pass over new inputs would begin at once. Inputs that change all the time are best made then, and not before. */
  ready(): Promise<void>;
  routes(): readonly RouteStatus[];
  /** Counted in turns of the event loop that are short; a pass meanwhile may have a few routes counted as they were before it. */
  tally(): Promise<DataplaneTally>;
  /** Each pool's natOutgoing and each tunnel's masquerade, as far as nftables has them. */
  nat(): readonly NatStatus[];
  /** What others undid of ours, and with whom we fight over it. */
  repairs(): RepairStatus;
  health(): DataplaneHealth;
  /** One round trip to the kernel, through the netlink thread as everything else; rejects with one sentence. */
  heartbeat(): Promise<void>;
  interfaces(): Promise<readonly HostInterface[]>;
  /** Makes the veth pair, addresses, routes inside the pod and sysctls; idempotent. Returns the pod side's MAC and MTU. */
  addWorkloadInterface(workload: WorkloadInterface): Promise<{ readonly mac: string; readonly mtu: number }>;
  /** Reads the kernel and changes nothing; rejects with KernelError where the pod's namespace may not be entered. */
  lookAtWorkloadInterface(workload: WorkloadNames, addresses: readonly IpAddress[]): Promise<WorkloadSight>;
  /** Removes the veth pair; success where there is none. */
  removeWorkloadInterface(hostInterface: string): Promise<void>;
  /** Called after each pass that changed something or failed. Returns the way to stop it. */
  onChange(listener: () => void): () => void;
  /** Stops and closes the kernel's port; every route and link stays. */
  close(): Promise<void>;
}
