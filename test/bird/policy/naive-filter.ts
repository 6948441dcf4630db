/** BGPFilter's meaning once more, slow and without sharing code with bird/policy: prefixes are text of ones and zeros. */
import type { FilterMatch, FilterRule, RouteFilter } from '../../../bird/policy/filter.ts';
import type { PathAttributes } from '../../../bird/wire.ts';
import type { IpFamily, Prefix } from '../../../src/model/ip.ts';

export interface NaiveRoute {
  readonly family: IpFamily;
  readonly prefix: Prefix;
  readonly attributes: PathAttributes;
  readonly source: 'remotePeers' | 'local';
  readonly isExternal: boolean;
  readonly interface?: string;
}

export interface NaiveOutcome {
  readonly rule: string;
  readonly attributes: PathAttributes | 'rejected';
}

/** Undefined where no rule matches. */
export function judgeNaively(filters: readonly RouteFilter[], route: NaiveRoute): NaiveOutcome | undefined {
  for (const filter of filters) {
    for (let i = 0; i < filter.rules.length; i++) {
      const rule = filter.rules[i]!;
      if (rule.family !== route.family || !matches(rule.match, route)) continue;
      const attributes = rule.action === 'accept' ? changed(rule, route.attributes) : 'rejected';
      return { rule: `rule ${i + 1} of ${filter.name}`, attributes };
    }
  }
  return undefined;
}

const bits = ({ address, length }: Prefix): string =>
  address.words
    .map((word) => word.toString(2).padStart(32, '0'))
    .join('')
    .slice(0, length);

function matches(match: FilterMatch, route: NaiveRoute): boolean {
  const { attributes } = route;
  if (match.prefix !== undefined && !matchesPrefix(match.prefix, route.prefix)) return false;
  if (match.source !== undefined && match.source !== route.source) return false;
  if (match.peerType === 'eBGP' && !route.isExternal) return false;
  if (match.peerType === 'iBGP' && route.isExternal) return false;
  if (match.interface !== undefined && !globs(match.interface, route.interface)) return false;
  if (match.localPref !== undefined && match.localPref !== (attributes.localPref ?? 100)) return false;
  if (match.community !== undefined) {
    const wanted = JSON.stringify(match.community);
    const all = [...(attributes.communities ?? []), ...(attributes.largeCommunities ?? [])];
    if (!all.some((one) => JSON.stringify(one) === wanted)) return false;
  }
  if (match.asPathPrefix === undefined) return true;
  const shown = (attributes.asPath ?? []).map(({ type, asns }) => (type === 'sequence' ? asns.join(' ') : '{}'));
  return `${shown.join(' ')} `.startsWith(`${match.asPathPrefix.join(' ')} `);
}

function matchesPrefix({ cidr, operator, lengths }: NonNullable<FilterMatch['prefix']>, own: Prefix): boolean {
  const isWithin = bits(own).startsWith(bits(cidr));
  const isFitting =
    lengths === undefined
      ? operator === 'in' || operator === 'notIn' || own.length === cidr.length
      : own.length >= lengths[0] && own.length <= lengths[1];
  return operator.startsWith('not') ? !(isWithin && isFitting) : isWithin && isFitting;
}

function globs(pattern: string, name: string | undefined): boolean {
  if (name === undefined) return false;
  if (pattern === '') return name === '';
  if (pattern.startsWith('*')) return globs(pattern.slice(1), name) || (name !== '' && globs(pattern, name.slice(1)));
  return name.startsWith(pattern.charAt(0)) && globs(pattern.slice(1), name.slice(1));
}

function changed({ operations = [] }: FilterRule, before: PathAttributes): PathAttributes {
  const after: { -readonly [K in keyof PathAttributes]: PathAttributes[K] } = { ...before };
  for (const operation of operations) {
    if (operation.do === 'setLocalPref') after.localPref = operation.localPref;
    if (operation.do === 'prependAsPath') {
      const [first, ...rest] = after.asPath ?? [];
      after.asPath =
        first?.type === 'sequence'
          ? [{ type: 'sequence', asns: [...operation.asns, ...first.asns] }, ...rest]
          : [{ type: 'sequence', asns: [...operation.asns] }, ...(after.asPath ?? [])];
    }
    if (operation.do !== 'addCommunity') continue;
    const { community } = operation;
    if (typeof community === 'number') after.communities = [...new Set([...(after.communities ?? []), community])];
    else if (!(after.largeCommunities ?? []).some((one) => String(one) === String(community))) {
      after.largeCommunities = [...(after.largeCommunities ?? []), community];
    }
  }
  return after;
}
