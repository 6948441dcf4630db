/** Filters as Calico's BGPFilter has them: ordered rules, the first that matches decides. */
import type { Community } from '../../src/model/community.ts';
import type { IpFamily, Prefix } from '../../src/model/ip.ts';

export interface RouteFilter {
  /** For people, and in every reason that names it. */
  readonly name: string;
  readonly rules: readonly FilterRule[];
}

/** All conditions hold together; a rule without any matches every route of its family. */
export interface FilterRule {
  /** For people; default: its place in the filter. */
  readonly name?: string;
  readonly family: IpFamily;
  readonly action: 'accept' | 'reject';
  readonly match: FilterMatch;
  /** In order; only with `accept`. */
  readonly operations?: readonly FilterOperation[];
}

export interface FilterMatch {
  readonly prefix?: {
    readonly cidr: Prefix;
    readonly operator: 'equal' | 'notEqual' | 'in' | 'notIn';
    /** Lengths of the route's prefix, both ends included; absent: that of the operator alone. */
    readonly lengths?: readonly [minimum: number, maximum: number];
  };
  /** `remotePeers`: learned by BGP; `local`: originated by this node. */
  readonly source?: 'remotePeers' | 'local';
  /** The interface of the next hop, with `*` for any run of characters. A route whose interface is not known does not match. */
  readonly interface?: string;
  readonly peerType?: 'eBGP' | 'iBGP';
  /** One standard (`aa:nn`, high half AS) or large community that the route must carry. */
  readonly community?: Community;
  /** How the AS_PATH must begin, nearest AS first. */
  readonly asPathPrefix?: readonly number[];
  readonly localPref?: number;
}

export type FilterOperation =
  | { readonly do: 'addCommunity'; readonly community: Community }
  /** The first of `asns` becomes the nearest. */
  | { readonly do: 'prependAsPath'; readonly asns: readonly number[] }
  | { readonly do: 'setLocalPref'; readonly localPref: number };
