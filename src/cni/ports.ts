import type { WorkloadInterface } from '../../felix/index.ts';
import type { IpAddress } from '../model/ip.ts';

/** What an address assignment brought. */
export interface Assignment {
  readonly addresses: readonly IpAddress[];
  /** When a block was claimed for it, milliseconds since 1970; absent where the node's blocks had room. */
  readonly blockClaimedAt?: number;
}

/** A pod's endpoint as the CNI verbs write and find it. */
export interface Endpoint {
  readonly namespace: string;
  readonly pod: string;
  readonly containerId: string;
  readonly containerInterface: string;
  readonly hostInterface: string;
  readonly mac: string;
  readonly addresses: readonly IpAddress[];
}

/** A pod by name; the one for which a handle holds addresses is known although its ADD did not come as far as its endpoint. */
export interface Holder {
  readonly namespace: string;
  readonly pod: string;
}

/** What the verbs need of the agent; each call is idempotent. */
export interface PodPorts {
  readonly node: string;
  now(): number;
  /** Runs `work` when all earlier work on the host interface of this name has ended: two sandboxes of one pod share it. */
  inTurn<T>(hostInterface: string, work: () => Promise<T>): Promise<T>;
  /** Throws InvalidValueError with the path where there is no network namespace. */
  requireNamespace(netns: string): Promise<void>;
  /** Undefined where the handle holds nothing. */
  held(handleId: string): Promise<Holder | undefined>;
  assign(handleId: string, attributes: Readonly<Record<string, string>>): Promise<Assignment>;
  release(handleId: string): Promise<void>;
  /** Replaces a pair of that name that leads elsewhere; one that it made and could not finish is gone again. */
  addInterface(workload: WorkloadInterface): Promise<{ readonly mac: string }>;
  removeInterface(hostInterface: string): Promise<void>;
  /** Takes the place of an older sandbox's endpoint: endpoints are named by pod. */
  putEndpoint(endpoint: Endpoint): Promise<void>;
  /** Those of a pod's name on this node. */
  endpointsOf(pod: Holder): Promise<readonly Endpoint[]>;
  /** Those of all pods of this node; dear, since all of the cluster are read for it. */
  endpoints(): Promise<readonly Endpoint[]>;
  /** Only while it is still this container's. */
  removeEndpoint(endpoint: Endpoint): Promise<void>;
  /** Resolves once the kernel has the route of every address; rejects with the reason where it will not. */
  routed(addresses: readonly IpAddress[]): Promise<void>;
}
