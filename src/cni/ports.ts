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

/** What the verbs need of the agent; each call is idempotent. */
export interface PodPorts {
  readonly node: string;
  now(): number;
  assign(handleId: string, attributes: Readonly<Record<string, string>>): Promise<Assignment>;
  release(handleId: string): Promise<void>;
  addInterface(workload: WorkloadInterface): Promise<{ readonly mac: string }>;
  removeInterface(hostInterface: string): Promise<void>;
  putEndpoint(endpoint: Endpoint): Promise<void>;
  findEndpoint(containerId: string): Promise<Endpoint | undefined>;
  removeEndpoint(endpoint: Endpoint): Promise<void>;
  /** Resolves once the kernel has the route of every address; rejects with the reason where it will not. */
  routed(addresses: readonly IpAddress[]): Promise<void>;
}
