/** What the agent's HTTP API says and the CLI reads; JSON over the unix socket. Addresses are text here: this is a border. */

export interface PeerStatus {
  readonly address: string;
  readonly port: number;
  /** `node-to-node mesh`, `node specific` or `global`: calicoctl's words. */
  readonly type: string;
  readonly origin: string;
  readonly remoteAsn: number;
  readonly localAsn: number;
  /** RFC 4271 §8.2.2. */
  readonly state: string;
  /** The operator holds it down, and with what words; absent where not. */
  readonly shutdown?: string;
  /** ISO 8601. */
  readonly since: string;
  readonly lastError?: string;
  readonly received: number;
  readonly accepted: number;
  readonly advertised: number;
  readonly flaps: number;
  readonly gracefulRestart?: {
    readonly negotiated: boolean;
    readonly peerRestarting: boolean;
    readonly staleRoutes: number;
    /** Families (4, 6) whose stale routes have outlived the restart time; absent where none has. */
    readonly longLived?: readonly number[];
  };
}

/** GET /v1/status of a speaker alone, and the first part of an agent's. */
export interface SpeakerStatus {
  /** The node's name; of a speaker alone the host's. */
  readonly node: string;
  readonly version: string;
  readonly pid: number;
  readonly startedAt: string;
  readonly bgp: {
    readonly asn: number;
    readonly bgpIdentifier: string;
    /** The node's; empty where there is no node. */
    readonly address: string;
    /** False while selection waits for End-of-RIB after a restart. */
    readonly converged: boolean;
    readonly peers: readonly PeerStatus[];
  };
  /** Of a speaker alone. */
  readonly configuration?: {
    readonly file: string;
    /** When what is in force was read, ISO 8601. */
    readonly readAt: string;
    /** Why what the file says now is not in force: one sentence for each problem. */
    readonly refused?: readonly string[];
  };
}

/** How the node came to its address of one family when the agent started. */
export interface AddressReport {
  /** `10.0.1.5/24 of eth1, by first-found` */
  readonly reason: string;
  readonly warnings: readonly string[];
  /** Others would do as well, and nobody chose. */
  readonly ambiguous: boolean;
  /** The one that was taken first, then the best; empty where nothing was looked for. */
  readonly candidates: readonly AddressCandidate[];
}

export interface AddressCandidate {
  readonly interface: string;
  /** `10.0.1.5/24`; absent where the interface has none of the family. */
  readonly address?: string;
  /** `taken`, `lower`, `left out` */
  readonly standing: string;
  /** `is a bridge` */
  readonly reason: string;
}

/** One part of the agent. */
export interface ReporterReport {
  /** `event loop`, `netlink`, `datastore`, `dataplane`, `bgp` */
  readonly name: string;
  /** False: a restart of the agent is the remedy. */
  readonly live: boolean;
  /** False: it does not do its work yet, or not now. */
  readonly ready: boolean;
  /** Why, in words, either way. */
  readonly detail: string;
}

/** What /liveness and /readiness go by. */
export interface HealthReport {
  readonly live: boolean;
  readonly ready: boolean;
  readonly reporters: readonly ReporterReport[];
}

/** GET /v1/status of an agent. */
export interface NodeStatus extends SpeakerStatus {
  /** IPv4 first. Absent before the node is registered, and where an older agent answers. */
  readonly addresses?: readonly AddressReport[];
  readonly datastore: {
    readonly type: string;
    readonly inSync: boolean;
    readonly revision: number;
    /** Why the view is stale, where it is. */
    readonly stale?: string;
    /** Since when, ISO 8601. Absent where an older agent answers. */
    readonly staleSince?: string;
    /** ClusterInformation says that it is, for a migration; absent where not. */
    readonly locked?: boolean;
  };
  readonly dataplane: {
    readonly routes: number;
    readonly pending: number;
    readonly failed: number;
    /** Since the start, what others had undone in the kernel and felix put right: by `route`, `link`, `address`, `neighbour`, `fdb`, `sysctl`, `nat`. */
    readonly repairs?: Readonly<Record<string, number>>;
    /** Who undoes it again and again: `route 192.168.2.0/26: 7 repairs, deleted by netlink port 812, process 812 (bird)`. */
    readonly fights?: readonly string[];
  };
  /** Absent where an older agent answers. */
  readonly nat?: readonly NatReport[];
  /** What resources ask of this node and do not get, a sentence each. Absent where an older agent answers. */
  readonly unmet?: readonly string[];
  /** What a FelixConfiguration says and is not in force, and what is in its place. Absent where an older agent answers. */
  readonly settingProblems?: readonly string[];
  /** Absent where nothing is collected, and where an older agent answers. */
  readonly leaks?: LeakReport;
  /** Absent where an older agent answers. */
  readonly health?: HealthReport;
}

/** Addresses that pods of this node left behind. */
export interface LeakReport {
  /** They look leaked: no endpoint has them. */
  readonly suspected: number;
  /** Given back since the start. */
  readonly released: number;
  /** For so long an address must look leaked before it is given back. */
  readonly graceSeconds: number;
}

/** Whether what a pool's natOutgoing or a tunnel asks for is in nftables, and why. */
export interface NatReport {
  /** `ippool blue (10.48.0.0/16)`, `vxlan.calico` */
  readonly subject: string;
  /** `in force`, `pending`, `failed`, or `off` where nobody asks for it. */
  readonly state: string;
  readonly reason: string;
  readonly error?: string;
}

/** GET /v1/settings: one setting of the agent, and who decided about it. */
export interface SettingReport {
  /** The variable; of a field of FelixConfiguration that nothing goes by the field's name. */
  readonly name: string;
  /** Of FelixConfiguration, where it has one for it. */
  readonly field?: string;
  /** As it would be written; empty where nothing that can be written means what holds. */
  readonly value: string;
  /** `environment`, `FelixConfiguration(node.a)`, `default` */
  readonly origin: string;
  /** Who says something else and is not heard, what cannot be used, or that nothing comes of it. */
  readonly note?: string;
}

/** GET /v1/routes: what felix wants in the kernel, and why. */
export interface RouteReport {
  readonly prefix: string;
  readonly class: string;
  /** As `ip route` would say it: `via 172.30.2.11 dev tunl0 onlink`, `dev cali0a1b2c3d4e5 scope link`, `blackhole`. */
  readonly target: string;
  readonly state: string;
  readonly reason: string;
  readonly pool?: string;
  readonly error?: string;
  /** Somebody keeps undoing it: how often it was put right, and who it is as far as the kernel tells. */
  readonly fight?: string;
}

/** GET /v1/bgp/routes: every path bird knows, and why it is best or not. */
export interface PathReport {
  readonly prefix: string;
  readonly best: boolean;
  readonly reason: string;
  readonly from: string;
  /** Of several that one peer sent for the prefix, RFC 7911. */
  readonly pathId?: number;
  readonly nextHop?: string;
  readonly asPath: string;
  readonly origin: string;
  readonly localPref?: number;
  readonly med?: number;
  readonly communities: readonly string[];
  readonly stale: boolean;
}

/** POST /v1/pods: what a CNI ADD says. */
export interface PodRequest {
  readonly containerId: string;
  readonly netns: string;
  /** Inside the pod: `eth0`. */
  readonly interfaceName: string;
  readonly podNamespace: string;
  readonly podName: string;
}

/** What a CNI ADD answers with; the plugin turns it into the spec's result. */
export interface PodResult {
  readonly hostInterface: string;
  readonly mac: string;
  readonly addresses: readonly string[];
  /** Wall-clock times for the demo's measurement, milliseconds since 1970. */
  readonly timings: { readonly blockClaimedAt?: number; readonly routeProgrammedAt: number };
}

/** Whoever wants to wait longer has forgotten that he waits. */
export const MAX_DRAIN_SECONDS = 3600;

/** POST /v1/drain: leave, but have the peers take other ways first (RFC 8326). */
export interface DrainRequest {
  /** Told to the peers (RFC 9003). */
  readonly message: string;
  /** Between the news and the end of the sessions. */
  readonly waitSeconds: number;
}

/** Every error answer: one sentence, the field and the value in it. */
export interface Problem {
  readonly statusCode: number;
  readonly error: string;
  readonly message: string;
}
