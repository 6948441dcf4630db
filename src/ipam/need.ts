import type { IpAddress, Prefix } from '../model/ip.ts';
import type { AllocationAttributes } from './block.ts';
import type { IpamPool } from './plan.ts';

export interface AssignRequest {
  readonly node: string;
  readonly count: number;
  readonly handleId: string;
  /** Kept with the address: pod, namespace, type. `node` and `timestamp` are added. */
  readonly attributes: Readonly<Record<string, string>>;
  /** All of one family, in order of preference. */
  readonly pools: readonly IpamPool[];
}

interface ClaimedBlock {
  readonly prefix: Prefix;
  /** Milliseconds since 1970. */
  readonly claimedAt: number;
}

export interface Assigned {
  readonly addresses: readonly IpAddress[];
  /** When a block was claimed for it, milliseconds since 1970; absent where there was room already. */
  readonly claimedAt?: number;
  /** Blocks that were claimed meanwhile and that it has addresses of. */
  readonly claimed: readonly ClaimedBlock[];
}

/** One request and what it has come to. */
export interface Need {
  readonly request: AssignRequest;
  readonly attributes: AllocationAttributes;
  readonly addresses: IpAddress[];
  readonly claimed: ClaimedBlock[];
  /** Its own, which no other request of the group shares. */
  failure?: unknown;
}

export const newNeed = (request: AssignRequest, timestamp: string): Need => {
  const secondary = { ...request.attributes, node: request.node, timestamp };
  return { request, attributes: { handleId: request.handleId, secondary }, addresses: [], claimed: [] };
};

export const isShort = ({ request, addresses, failure }: Need): boolean =>
  failure === undefined && addresses.length < request.count;
