/** What BGPFilters make of a route between two nodes, as far as it can be known without the route's attributes. Pure. */
import type { FilterRule, RouteFilter } from '../../bird/index.ts';
import { addressBits, prefixContains, samePrefix } from '../model/ip.ts';
import type { Prefix } from '../model/ip.ts';

export interface Passing {
  readonly prefix: Prefix;
  /** On export: the route is the node's own. On import it never is. */
  readonly isOwn: boolean;
  readonly isExternal: boolean;
}

/** `unknown`: a rule that might match asks for communities, the AS_PATH, an interface or a priority. */
export type Verdict = 'accept' | 'reject' | 'no rule' | 'unknown';

/** The first rule that matches decides, over all filters in their order. */
export function verdictOf(filters: readonly RouteFilter[] = [], passing: Passing): Verdict {
  for (const { rules } of filters) {
    for (const rule of rules) {
      const match = matches(rule, passing);
      if (match === 'unknown') return 'unknown';
      if (match) return rule.action;
    }
  }
  return 'no rule';
}

function matches({ family, match }: FilterRule, { prefix, isOwn, isExternal }: Passing): boolean | 'unknown' {
  if (family !== prefix.address.family) return false;
  if (match.source !== undefined && (match.source === 'local') !== isOwn) return false;
  if (match.peerType !== undefined && (match.peerType === 'eBGP') !== isExternal) return false;
  if (match.prefix !== undefined && !matchesPrefix(match.prefix, prefix)) return false;
  const { interface: link, community, asPathPrefix, localPref } = match;
  const asksMore = [link, community, asPathPrefix, localPref].some((each) => each !== undefined);
  return asksMore ? 'unknown' : true;
}

type PrefixMatch = NonNullable<FilterRule['match']['prefix']>;

/** As the speaker's own: bird/policy. */
function matchesPrefix({ cidr, operator, lengths }: PrefixMatch, prefix: Prefix): boolean {
  const [min, max] = lengths ?? [cidr.length, addressBits(prefix.address.family)];
  const isEqual = samePrefix(cidr, prefix);
  const isIn = prefixContains(cidr, prefix);
  const hasLength = lengths === undefined || (prefix.length >= min && prefix.length <= max);
  switch (operator) {
    case 'equal':
      return lengths === undefined ? isEqual : isIn && hasLength;
    case 'notEqual':
      return lengths === undefined ? !isEqual : !(isIn && hasLength);
    case 'in':
      return isIn && hasLength;
    case 'notIn':
      return !(isIn && hasLength);
  }
}
