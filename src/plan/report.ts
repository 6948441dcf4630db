/** What a plan says, as `calicoctl-ts plan -o json` prints it. Addresses are text here: this is a border. */

export interface PlanReport {
  readonly summary: PlanSummary;
  /** `IPPool(pods): spec.ipipMode Always → CrossSubnet`, `BGPPeer(tor) is created` */
  readonly resources: readonly string[];
  /** What an operator should know before applying, a sentence each. */
  readonly warnings: readonly string[];
  /** What is the same for all nodes: tunnels, the MTU of new pods. */
  readonly cluster: readonly string[];
  /** Nodes that change, those that change alike together. */
  readonly groups: readonly NodeGroup[];
  /** What cannot be known from the datastore. */
  readonly unknown: readonly string[];
}

export interface PlanSummary {
  readonly nodes: number;
  readonly changedNodes: number;
  /** Of nodes with each other and with others; each counted once, though it has two ends. */
  readonly sessions: {
    readonly come: number;
    readonly go: number;
    /** Closed and opened anew with other settings. */
    readonly reset: number;
    /** Go on with other settings. */
    readonly change: number;
  };
  /** Of all nodes together. */
  readonly routes: {
    readonly come: number;
    /** Whoever had them has them no more: node or block are gone, or are not announced. */
    readonly go: number;
    /** Announced still, and not heard of any more. */
    readonly lost: number;
    /** Another interface, another tunnel, another next hop. */
    readonly changeWay: number;
  };
}

export interface NodeGroup {
  /** What stands below of single peers and routes is of the first of them. */
  readonly nodes: readonly string[];
  /** What is of the node and not of one peer or route: its AS, what it announces. */
  readonly node: readonly string[];
  readonly peers: readonly PeerRow[];
  readonly routes: readonly RouteRow[];
}

/** Peers of a node that change alike. */
export interface PeerRow {
  readonly change: 'comes' | 'goes' | 'is reset' | 'changes';
  /** `BGPPeer(tor)`, `BGPConfiguration(default)` */
  readonly origin: string;
  readonly type: string;
  readonly asn: number;
  /** `remoteAsn 64512 → 64513`; empty where it comes or goes. */
  readonly fields: readonly string[];
  readonly count: number;
  /** `172.16.0.3 (node-c)` */
  readonly peers: readonly string[];
}

/** Routes of a node that change alike. */
export interface RouteRow {
  readonly change: 'comes' | 'goes' | 'is lost' | 'changes way';
  readonly pool?: string;
  /** `direct`, `tunl0`, `vxlan.calico`, `vxlan-v6.calico` */
  readonly from?: string;
  readonly to?: string;
  readonly count: number;
  /** To so many nodes. */
  readonly remotes: number;
  /** Some of them; all, where there are few. */
  readonly examples: readonly RouteExample[];
}

export interface RouteExample {
  readonly prefix: string;
  /** The next hop, before where there is none any more: `172.16.0.3 (node-c)`. */
  readonly via: string;
  readonly viaBefore?: string;
  readonly reason: string;
}
