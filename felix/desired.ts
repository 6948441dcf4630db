import type { IpAddress, Prefix } from '../src/model/ip.ts';

/** Where two of our routes want the same prefix, the class named first wins. */
export const ROUTE_CLASSES = [
  'local-workload',
  'local-block',
  'peer-gateway',
  'same-subnet',
  'vxlan',
  'ipip',
  'no-encap',
  'external',
] as const;
export type RouteClass = (typeof ROUTE_CLASSES)[number];

export interface Hop {
  readonly gateway: IpAddress;
  readonly interfaceName: string;
  readonly onlink: boolean;
}

export type RouteTarget =
  | { readonly kind: 'link'; readonly interfaceName: string }
  | { readonly kind: 'blackhole' }
  | { readonly kind: 'via'; readonly hops: readonly Hop[] };

/** A route that this host should have, in our words; the kernel's words are in route-table.ts. */
export interface DesiredRoute {
  readonly prefix: Prefix;
  readonly class: RouteClass;
  readonly target: RouteTarget;
  /** Why, in one sentence: `ippool p1 is IPIP CrossSubnet and 172.30.1.11/24 does not contain 172.30.2.11: tunl0`. */
  readonly reason: string;
  readonly pool?: string;
}

/** A route as `calicoctl-ts routes` shows it. */
export interface RouteStatus {
  readonly route: DesiredRoute;
  /** `programmed`; `pending`: the next pass will write it; `failed`: the kernel refused, `error` says why; `retained`: in the kernel, not wanted as far as we know yet, and kept until all is in sync; `unresolved`: wanted but its next hop or link is missing, `error` says which. */
  readonly state: 'programmed' | 'pending' | 'failed' | 'retained' | 'unresolved';
  readonly error?: string;
  /** Somebody keeps undoing it; who, and how often we have put it right. */
  readonly fight?: string;
}
