import { samePrefix } from './ip.ts';
import type { IpAddress, Prefix } from './ip.ts';
import { isSame } from './same.ts';

/** What bird learned and chose, as the agent carries it to felix: several next hops are one multipath route. */
export interface LearnedRoute {
  readonly prefix: Prefix;
  readonly nextHops: readonly IpAddress[];
  /** The link of each next hop, in the same order, where one is link-local; absent where none is. */
  readonly interfaces?: readonly (string | undefined)[];
  /** The peer that the best route came from, in words for people: `172.30.1.12 (node-to-node mesh)`. */
  readonly learnedFrom: string;
}

/**
 * Whether two lists say the same, in the same order. Routes that came one after the other share what tells their way, so of a million it
 * is compared a few times.
 */
export function sameRoutes(a: readonly LearnedRoute[], b: readonly LearnedRoute[]): boolean {
  if (a.length !== b.length) return false;
  let mine: LearnedRoute | undefined;
  let theirs: LearnedRoute | undefined;
  for (let i = 0; i < a.length; i++) {
    const one = a[i]!;
    const other = b[i]!;
    if (!samePrefix(one.prefix, other.prefix)) return false;
    const isAsBefore = mine !== undefined && hasWayOf(one, mine) && theirs !== undefined && hasWayOf(other, theirs);
    if (!isAsBefore && !isSame({ ...one, prefix: 0 }, { ...other, prefix: 0 })) return false;
    mine = one;
    theirs = other;
  }
  return true;
}

/** By the objects themselves. */
const hasWayOf = (a: LearnedRoute, b: LearnedRoute): boolean =>
  a.nextHops === b.nextHops && a.interfaces === b.interfaces && a.learnedFrom === b.learnedFrom;
