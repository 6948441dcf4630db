/** Rules of the file as bird's filters. Pure. */
import type { FilterMatch, FilterOperation, FilterRule, RouteFilter } from '../../bird/index.ts';
import type { IpFamily } from '../model/ip.ts';
import { addressBits } from '../model/ip.ts';
import type { Operation, Rule } from './filter-schema.ts';
import { problem } from './problems.ts';

/** Calico's bird: `LOCAL_PREF = 2147483647 − priority`. */
const PRIORITY_TOP = 2_147_483_647;

const BOTH: readonly IpFamily[] = [4, 6];

const OPERATORS = { Equal: 'equal', NotEqual: 'notEqual', In: 'in', NotIn: 'notIn' } as const;

const SOURCES = { RemotePeers: 'remotePeers', Local: 'local' } as const;

/** A filter by its name; a rule without a family stands in it once for each. */
export function routeFilter(name: string, rules: readonly Rule[]): RouteFilter {
  return {
    name,
    rules: rules.flatMap((rule, i) =>
      familiesOf(rule).map((family): FilterRule => {
        const operations = rule.operations?.map(filterOperation);
        return {
          name: `rule ${i + 1}`,
          family,
          action: rule.action === 'Accept' ? 'accept' : 'reject',
          match: filterMatch(rule),
          ...(operations !== undefined && { operations }),
        };
      }),
    ),
  };
}

const familiesOf = ({ cidr, family }: Rule): readonly IpFamily[] => {
  const one = cidr?.address.family ?? family;
  return one === undefined ? BOTH : [one];
};

function filterMatch(rule: Rule): FilterMatch {
  const { cidr, matchOperator, prefixLength, source, peerType, communities, asPathPrefix } = rule;
  const localPref = rule.priority === undefined ? rule.localPref : PRIORITY_TOP - rule.priority;
  return {
    ...(cidr !== undefined &&
      matchOperator !== undefined && {
        prefix: {
          cidr,
          operator: OPERATORS[matchOperator],
          ...(prefixLength !== undefined && {
            lengths: [prefixLength.min ?? cidr.length, prefixLength.max ?? addressBits(cidr.address.family)] as const,
          }),
        },
      }),
    ...(source !== undefined && { source: SOURCES[source] }),
    ...(rule.interface !== undefined && { interface: rule.interface }),
    ...(peerType !== undefined && { peerType }),
    ...(communities !== undefined && { community: communities }),
    ...(asPathPrefix !== undefined && { asPathPrefix }),
    ...(localPref !== undefined && { localPref }),
  };
}

function filterOperation({ addCommunity, prependASPath, setPriority, setLocalPref }: Operation): FilterOperation {
  if (addCommunity !== undefined) return { do: 'addCommunity', community: addCommunity };
  if (prependASPath !== undefined) return { do: 'prependAsPath', asns: prependASPath };
  return {
    do: 'setLocalPref',
    localPref: setPriority === undefined ? (setLocalPref ?? 0) : PRIORITY_TOP - setPriority,
  };
}

/** What no schema sees: fields of a rule that do not go together. */
export function ruleProblems(rule: Rule, path: readonly PropertyKey[]): readonly string[] {
  const { cidr, family, matchOperator, prefixLength, operations, action, priority, localPref } = rule;
  const found: string[] = [];
  const wrong = (field: keyof Rule, value: unknown, reason: string): void =>
    void found.push(problem([...path, field], value, reason));
  if (cidr === undefined && matchOperator !== undefined) wrong('matchOperator', matchOperator, 'needs a cidr');
  if (cidr !== undefined && matchOperator === undefined) {
    found.push(problem([...path, 'matchOperator'], undefined, ''));
  }
  if (cidr === undefined && prefixLength !== undefined) wrong('prefixLength', prefixLength, 'needs a cidr');
  if (cidr !== undefined && prefixLength !== undefined) {
    const most = addressBits(cidr.address.family);
    const { min = cidr.length, max = most } = prefixLength;
    if (min > max || max > most) wrong('prefixLength', prefixLength, `is no range from 0 to ${most}`);
  }
  if (cidr !== undefined && family !== undefined && family !== cidr.address.family) {
    wrong('family', `ipv${family}`, 'is not the family of the cidr');
  }
  if (operations !== undefined && action === 'Reject') wrong('operations', operations, 'go with action Accept alone');
  if (priority !== undefined && localPref !== undefined) {
    wrong('localPref', localPref, 'is what priority says already: only one of them can hold');
  }
  return found;
}
