import type { FilterMatch, FilterOperation, FilterRule, RouteFilter } from '../../bird/index.ts';
import { parseCommunity } from '../model/community.ts';
import { addressBits, parsePrefix } from '../model/ip.ts';
import type { IpFamily } from '../model/ip.ts';
import type { BgpFilter, BgpFilterRule, IpPool } from '../resources/index.ts';
import { localPrefOf } from './route-priority.ts';

export type Direction = 'import' | 'export';

const LISTS = {
  import: { 4: 'importV4', 6: 'importV6' },
  export: { 4: 'exportV4', 6: 'exportV6' },
} as const satisfies Readonly<Record<Direction, Readonly<Record<IpFamily, keyof BgpFilter['spec']>>>>;

const OPERATORS = { Equal: 'equal', NotEqual: 'notEqual', In: 'in', NotIn: 'notIn' } as const;

/** BGPFilters in the speaker's words, in their order; those that have no rule for this direction and family are left out. */
export function routeFilters(
  filters: readonly BgpFilter[],
  direction: Direction,
  families: readonly IpFamily[],
): readonly RouteFilter[] {
  return filters
    .map(({ metadata, spec }) => ({
      name: `BGPFilter(${metadata.name})`,
      rules: families.flatMap((family) =>
        (spec[LISTS[direction][family]] ?? []).map((rule) => filterRule(rule, family)),
      ),
    }))
    .filter(({ rules }) => rules.length > 0);
}

function filterRule(rule: BgpFilterRule, family: IpFamily): FilterRule {
  return {
    family,
    action: rule.action === 'Accept' ? 'accept' : 'reject',
    match: filterMatch(rule, family),
    ...(rule.operations === undefined ? {} : { operations: rule.operations.map(filterOperation) }),
  };
}

function filterMatch(rule: BgpFilterRule, family: IpFamily): FilterMatch {
  const [community] = rule.communities?.values ?? [];
  return {
    ...prefixMatch(rule, family),
    ...(rule.source === undefined ? {} : { source: 'remotePeers' }),
    ...(rule.interface === undefined ? {} : { interface: rule.interface }),
    ...(rule.peerType === undefined ? {} : { peerType: rule.peerType }),
    ...(community === undefined ? {} : { community: parseCommunity(community) }),
    ...(rule.asPathPrefix === undefined ? {} : { asPathPrefix: rule.asPathPrefix }),
    ...(rule.priority === undefined ? {} : { localPref: localPrefOf(rule.priority) }),
  };
}

function prefixMatch({ cidr, matchOperator, prefixLength }: BgpFilterRule, family: IpFamily): FilterMatch {
  if (cidr === undefined || matchOperator === undefined) return {};
  const prefix = { cidr: parsePrefix(cidr), operator: OPERATORS[matchOperator] };
  if (prefixLength === undefined) return { prefix };
  const { min = prefix.cidr.length, max = addressBits(family) } = prefixLength;
  return { prefix: { ...prefix, lengths: [min, max] } };
}

function filterOperation(operation: NonNullable<BgpFilterRule['operations']>[number]): FilterOperation {
  const { addCommunity, prependASPath, setPriority } = operation;
  if (addCommunity !== undefined) return { do: 'addCommunity', community: parseCommunity(addCommunity.value) };
  if (prependASPath !== undefined) return { do: 'prependAsPath', asns: prependASPath.prefix };
  return { do: 'setLocalPref', localPref: localPrefOf(setPriority!.value) };
}

/**
 * What a route reflector tells the peers outside of its AS: the routes of all nodes, so far as they lie in pools that may
 * be exported. The nodes behind it have no other way to the ToR; anything else stays within the AS. The last step of
 * Calico's export filter, behind the BGPFilters.
 */
export function poolFilters(pools: Iterable<IpPool>, families: readonly IpFamily[]): readonly RouteFilter[] {
  const rules = [...pools]
    .filter(({ spec }) => !spec.disableBGPExport)
    .map(({ spec }) => parsePrefix(spec.cidr))
    .filter(({ address }) => families.includes(address.family))
    .map((cidr): FilterRule => ({
      family: cidr.address.family,
      action: 'accept',
      match: { prefix: { cidr, operator: 'in' }, source: 'remotePeers' },
    }));
  return rules.length === 0 ? [] : [{ name: 'the pools that a route reflector passes on', rules }];
}
