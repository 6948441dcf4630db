/** Filters made ready to be asked many times: which rule decides about a route, and what it makes of the attributes. Pure. */
import type { IpFamily } from '../../src/model/ip.ts';
import { packPrefix } from '../rib/prefix-table.ts';
import type { PackedPrefix } from '../rib/prefix-table.ts';
import { DEFAULT_LOCAL_PREF } from '../rib/quality.ts';
import type { PathAttributes } from '../wire.ts';
import { prependAsns, startsWithAsns } from './as-path.ts';
import { addCommunity, carriesCommunity } from './attributes.ts';
import type { FilterMatch, FilterOperation, FilterRule, RouteFilter } from './filter.ts';
import { isInside, isSamePrefix } from './packed.ts';

/** The route as rules see it. */
export interface FilteredRoute {
  readonly family: IpFamily;
  readonly prefix: PackedPrefix;
  readonly attributes: PathAttributes;
  readonly source: 'remotePeers' | 'local';
  /** Of the peer whose filters these are. */
  readonly isExternal: boolean;
  /** The interface of the next hop, where it is known. */
  readonly interface?: string;
}

/** No rule matches: what stands beside the filters decides. */
export const NO_RULE = -1;

export interface CompiledPolicy {
  /** Whether routes with equal attributes can meet different rules. */
  readonly looksAtPrefix: boolean;
  /** The number of the first rule that matches, in the order of the filters; or NO_RULE. */
  ruleFor(route: FilteredRoute): number;
  /** The attributes as that rule leaves them, the same object where it changes nothing; undefined: it rejects the route. */
  apply(rule: number, attributes: PathAttributes): PathAttributes | undefined;
  /** `rule 2 of BGPFilter(no-default)`, for people. */
  nameOf(rule: number): string;
}

type Predicate = (route: FilteredRoute) => boolean;

interface CompiledRule {
  readonly name: string;
  readonly rule: FilterRule;
  readonly matches: Predicate;
}

export function compilePolicy(filters: readonly RouteFilter[] = []): CompiledPolicy {
  const rules = filters.flatMap(({ name, rules: own }) =>
    own.map((rule, i): CompiledRule => ({
      name: `${rule.name ?? `rule ${i + 1}`} of ${name}`,
      rule,
      matches: predicate(rule),
    })),
  );
  const families = new Set(rules.map(({ rule }) => rule.family));
  return {
    looksAtPrefix: families.size > 1 || rules.some(({ rule }) => rule.match.prefix !== undefined),
    ruleFor: (route) => rules.findIndex(({ matches }) => matches(route)),
    apply: (rule, attributes) => applied(rules[rule]!.rule, attributes),
    nameOf: (rule) => rules[rule]?.name ?? 'no rule',
  };
}

function applied({ action, operations = [] }: FilterRule, attributes: PathAttributes): PathAttributes | undefined {
  return action === 'reject' ? undefined : operations.reduce(operated, attributes);
}

function operated(attributes: PathAttributes, operation: FilterOperation): PathAttributes {
  switch (operation.do) {
    case 'addCommunity':
      return addCommunity(attributes, operation.community);
    case 'prependAsPath':
      return { ...attributes, asPath: prependAsns(attributes.asPath ?? [], operation.asns) };
    case 'setLocalPref':
      return { ...attributes, localPref: operation.localPref };
  }
}

/** All conditions of a rule; what it does not name is not looked at. */
function predicate({ family, match }: FilterRule): Predicate {
  const conditions = [prefixCondition(match), ...routeConditions(match)].filter((each) => each !== undefined);
  return (route) => route.family === family && conditions.every((holds) => holds(route));
}

function prefixCondition({ prefix }: FilterMatch): Predicate | undefined {
  if (prefix === undefined) return undefined;
  const cidr = packPrefix(prefix.cidr);
  const { operator, lengths } = prefix;
  const isNegated = operator === 'notEqual' || operator === 'notIn';
  // A range of lengths turns an exact match into a match of what lies inside, as BIRD's prefix sets have it.
  const isExact = (operator === 'equal' || operator === 'notEqual') && lengths === undefined;
  const [least, most] = lengths ?? [cidr.length, 128];
  const from = Math.max(least, cidr.length);
  return ({ prefix: own }) => {
    const holds = isExact ? isSamePrefix(cidr, own) : own.length >= from && own.length <= most && isInside([cidr], own);
    return holds !== isNegated;
  };
}

function routeConditions(match: FilterMatch): readonly (Predicate | undefined)[] {
  const { source, interface: pattern, peerType, community, asPathPrefix, localPref } = match;
  const named = pattern === undefined ? undefined : wildcard(pattern);
  return [
    source === undefined ? undefined : (route) => route.source === source,
    named === undefined ? undefined : (route) => route.interface !== undefined && named.test(route.interface),
    peerType === undefined ? undefined : ({ isExternal }) => isExternal === (peerType === 'eBGP'),
    community === undefined ? undefined : ({ attributes }) => carriesCommunity(attributes, community),
    asPathPrefix === undefined ? undefined : ({ attributes }) => startsWithAsns(attributes.asPath ?? [], asPathPrefix),
    localPref === undefined
      ? undefined
      : ({ attributes }) => (attributes.localPref ?? DEFAULT_LOCAL_PREF) === localPref,
  ];
}

const wildcard = (pattern: string): RegExp =>
  new RegExp(`^${pattern.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`);
