import type { IpAddress, Prefix } from './ip.ts';

/** What bird learned and chose, as the agent carries it to felix: several next hops are one multipath route. */
export interface LearnedRoute {
  readonly prefix: Prefix;
  readonly nextHops: readonly IpAddress[];
  /** The link of each next hop, in the same order, where one is link-local; absent where none is. */
  readonly interfaces?: readonly (string | undefined)[];
  /** The peer that the best route came from, in words for people: `172.30.1.12 (node-to-node mesh)`. */
  readonly learnedFrom: string;
}
