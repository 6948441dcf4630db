import type { WorkloadInterface, WorkloadNames, WorkloadSight } from '../../felix/index.ts';
import type { IpAddress } from '../model/ip.ts';
import type { Attachment, Workload } from './attachment.ts';

/** What an address assignment brought, IPv4 first. */
export interface Assignment {
  readonly addresses: readonly IpAddress[];
  /** When a block was claimed for it, milliseconds since 1970; absent where the node's blocks had room. */
  readonly blockClaimedAt?: number;
}

/** A pod's endpoint as the CNI verbs write and find it. */
export interface Endpoint {
  readonly workload: Workload;
  /** Absent: another than we wrote it, or an older agent. */
  readonly network?: string;
  readonly containerId: string;
  readonly containerInterface: string;
  readonly hostInterface: string;
  readonly mac: string;
  readonly addresses: readonly IpAddress[];
}

/** What a handle holds. The pod's name is kept with its addresses, and so is known although its ADD did not come as far as its endpoint. */
export interface Held {
  readonly addresses: readonly IpAddress[];
  /** Absent: of a container without a pod. */
  readonly pod?: { readonly namespace: string; readonly name: string };
}

/** One that holds addresses for this node. */
export interface HeldHandle extends Held {
  readonly handleId: string;
  /** As it was kept with the address, where the handle alone does not tell. */
  readonly network?: string;
}

/** What the verbs need of the agent; each call is idempotent. */
export interface PodPorts {
  readonly node: string;
  now(): number;
  /** Runs `work` when all earlier work on the thing of this name has ended: two sandboxes of one pod share a host interface. */
  inTurn<T>(name: string, work: () => Promise<T>): Promise<T>;
  /** Throws InvalidValueError with the path where there is no network namespace. */
  requireNamespace(netns: string): Promise<void>;
  /** Undefined where the handle holds nothing. */
  held(handleId: string): Promise<Held | undefined>;
  /** All that holds addresses for this node; dear, since all blocks of the cluster are read for it. */
  heldHere(): Promise<readonly HeldHandle[]>;
  /** All addresses that the attachment asks for, or a rejection: then the handle may hold some of them. */
  assign(attachment: Attachment): Promise<Assignment>;
  release(handleId: string): Promise<void>;
  /**
   * The pair and the host's routes over it, which the kernel has when this resolves. Replaces a pair of that name that leads elsewhere; one that
   * it made and could not finish is gone again.
   */
  addInterface(workload: WorkloadInterface): Promise<{ readonly mac: string; readonly mtu: number }>;
  removeInterface(hostInterface: string): Promise<void>;
  /** What the kernel has of it now. */
  look(names: WorkloadNames, addresses: readonly IpAddress[]): Promise<WorkloadSight>;
  /** Names of the host's veths, without those of other orchestrators. */
  veths(): Promise<readonly string[]>;
  /** Takes the place of an older sandbox's endpoint: endpoints are named by pod. */
  putEndpoint(endpoint: Endpoint): Promise<void>;
  /** Those of a workload's name on this node. */
  endpointsOf(workload: Workload): Promise<readonly Endpoint[]>;
  /** Those of all pods of this node; dear, since all of the cluster are read for it. */
  endpoints(): Promise<readonly Endpoint[]>;
  /** Only while it is still this container's. */
  removeEndpoint(endpoint: Endpoint): Promise<void>;
}
