import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compilePolicy, NO_RULE } from '../../../bird/policy/compiled.ts';
import type { FilteredRoute } from '../../../bird/policy/compiled.ts';
import type { FilterMatch, FilterOperation, FilterRule, RouteFilter } from '../../../bird/policy/filter.ts';
import { packPrefix } from '../../../bird/rib/prefix-table.ts';
import type { AsSegment, PathAttributes } from '../../../bird/wire.ts';
import type { IpFamily, Prefix } from '../../../src/model/ip.ts';
import { addressBits, parsePrefix, prefixOf } from '../../../src/model/ip.ts';
import { judgeNaively } from './naive-filter.ts';
import type { NaiveRoute } from './naive-filter.ts';

const route = (naive: NaiveRoute): FilteredRoute => ({ ...naive, prefix: packPrefix(naive.prefix) });

/** Where words begin and end, and one place within. */
const length = (family: IpFamily): fc.Arbitrary<number> =>
  fc.constantFrom(0, 1, 9, 31, 32, 33, 64, 65, 96, 97, 127, 128).map((bits) => Math.min(bits, addressBits(family)));

/** Few bits in few places, so that prefixes often hold each other. */
const prefix = (family: IpFamily): fc.Arbitrary<Prefix> => {
  const word = fc.constantFrom(0, 0, 1, 2 ** 31, 2 ** 23);
  const words = fc.array(word, { minLength: addressBits(family) / 32, maxLength: addressBits(family) / 32 });
  return fc.tuple(words, length(family)).map(([list, bits]) => prefixOf({ family, words: list }, bits));
};

/** The same address, or all but one bit of it. */
const near = ({ address: { family, words } }: Prefix): fc.Arbitrary<Prefix> =>
  fc
    .tuple(fc.option(fc.constantFrom(0, 8, 31, 32, 33, 63, 64, 65, 95, 96, 97, 127)), length(family))
    .map(([bit, bits]) => {
      const flipped = words.map((word, i) =>
        bit !== null && bit >>> 5 === i ? (word ^ (1 << (31 - (bit & 31)))) >>> 0 : word,
      );
      return prefixOf({ family, words: flipped }, bits);
    });

const community = fc.oneof(fc.constantFrom(1, 2, 65_536), fc.constantFrom([1, 2, 3] as const, [1, 2, 4] as const));
const asns = fc.array(fc.constantFrom(1, 2, 12), { minLength: 1, maxLength: 3 });
const localPref = fc.constantFrom(100, 200, 2_147_482_623);

const operation: fc.Arbitrary<FilterOperation> = fc.oneof(
  community.map((value) => ({ do: 'addCommunity', community: value }) as const),
  asns.map((list) => ({ do: 'prependAsPath', asns: list }) as const),
  localPref.map((value) => ({ do: 'setLocalPref', localPref: value }) as const),
);

const optional = { requiredKeys: [] };

const prefixMatch = (family: IpFamily): fc.Arbitrary<NonNullable<FilterMatch['prefix']>> =>
  fc
    .record({
      cidr: prefix(family),
      operator: fc.constantFrom('equal', 'notEqual', 'in', 'notIn'),
      lengths: fc.option(fc.tuple(length(family), length(family))),
    })
    .map(({ cidr, operator, lengths }) => ({ cidr, operator, ...(lengths === null ? {} : { lengths }) }));

const match = (family: IpFamily): fc.Arbitrary<FilterMatch> =>
  fc.record(
    {
      prefix: prefixMatch(family),
      source: fc.constantFrom('remotePeers', 'local'),
      interface: fc.constantFrom('eth0', 'eth*', '*', '*.cali', 'e*0*', 'et.0'),
      peerType: fc.constantFrom('eBGP', 'iBGP'),
      community,
      asPathPrefix: asns,
      localPref,
    },
    optional,
  );

const rule = fc.constantFrom<IpFamily>(4, 6).chain((family) =>
  fc
    .tuple(match(family), fc.constantFrom('accept', 'reject'), fc.array(operation, { maxLength: 3 }))
    .map(([conditions, action, operations]): FilterRule => ({
      family,
      action,
      match: conditions,
      ...(action === 'reject' ? {} : { operations }),
    })),
);

const filters: fc.Arbitrary<readonly RouteFilter[]> = fc
  .array(fc.array(rule, { maxLength: 4 }), { maxLength: 3 })
  .map((lists) => lists.map((rules, i) => ({ name: `BGPFilter(f${i})`, rules })));

const segment: fc.Arbitrary<AsSegment> = fc.record({ type: fc.constantFrom('sequence', 'sequence', 'set'), asns });
const attributes: fc.Arbitrary<PathAttributes> = fc.record(
  {
    asPath: fc.array(segment, { maxLength: 2 }),
    localPref,
    communities: fc.uniqueArray(fc.constantFrom(1, 2, 3, 65_536), { minLength: 1 }),
    largeCommunities: fc.constantFrom([[1, 2, 3]] as const, [[1, 2, 5]] as const),
  },
  optional,
);

const routeOf = (family: IpFamily): fc.Arbitrary<NaiveRoute> =>
  fc.record(
    {
      family: fc.constant(family),
      prefix: prefix(family),
      attributes,
      source: fc.constantFrom('remotePeers', 'local'),
      isExternal: fc.boolean(),
      interface: fc.constantFrom('eth0', 'eth1', 'bpf1.cali', 'et.0'),
    },
    { requiredKeys: ['family', 'prefix', 'attributes', 'source', 'isExternal'] },
  );

const anyRoute = fc.constantFrom<IpFamily>(4, 6).chain(routeOf);

describe('for all filters and routes', () => {
  test('the compiled filters decide as BGPFilter is read aloud', () => {
    fc.assert(
      fc.property(filters, fc.array(anyRoute, { minLength: 1, maxLength: 4 }), (list, routes) => {
        const policy = compilePolicy(list);
        for (const one of routes) {
          const expected = judgeNaively(list, one);
          const number = policy.ruleFor(route(one));
          if (expected === undefined) {
            expect(number).toBe(NO_RULE);
            continue;
          }
          expect(policy.nameOf(number)).toBe(expected.rule);
          expect(policy.apply(number, one.attributes) ?? 'rejected').toEqual(expected.attributes);
        }
      }),
      { numRuns: 1500 },
    );
  });

  test.each<IpFamily>([4, 6])('so do single conditions on prefixes, at every border of a word, IPv%i', (family) => {
    const asked = prefixMatch(family).chain((condition) =>
      fc.tuple(fc.constant(condition), fc.array(near(condition.cidr), { minLength: 6, maxLength: 6 })),
    );
    fc.assert(
      fc.property(asked, ([condition, prefixes]) => {
        const list: readonly RouteFilter[] = [
          { name: 'f', rules: [{ family, action: 'accept', match: { prefix: condition } }] },
        ];
        const policy = compilePolicy(list);
        for (const own of prefixes) {
          const one: NaiveRoute = { family, prefix: own, attributes: {}, source: 'local', isExternal: false };
          expect(policy.ruleFor(route(one)) !== NO_RULE).toBe(judgeNaively(list, one) !== undefined);
        }
      }),
      { numRuns: 1500 },
    );
  });

  test('where the filters do not look at prefixes, the prefix decides nothing', () => {
    const simple = fc
      .array(fc.oneof(fc.record({ prefix: prefixMatch(4) }), fc.record({ localPref }), fc.constant({})), {
        maxLength: 3,
      })
      .map((matches) => matches.map((conditions): FilterRule => ({ family: 4, action: 'accept', match: conditions })));
    fc.assert(
      fc.property(simple, routeOf(4), fc.array(prefix(4)), (rules, one, others) => {
        const policy = compilePolicy([{ name: 'f', rules }]);
        if (policy.looksAtPrefix) return;
        for (const other of others) {
          expect(policy.ruleFor(route({ ...one, prefix: other }))).toBe(policy.ruleFor(route(one)));
        }
      }),
      { numRuns: 500 },
    );
  });

  test('a rule that changes nothing leaves the very object', () => {
    fc.assert(
      fc.property(attributes, match(4), (held, conditions) => {
        const policy = compilePolicy([{ name: 'f', rules: [{ family: 4, action: 'accept', match: conditions }] }]);
        expect(policy.apply(0, held)).toBe(held);
      }),
    );
  });
});

/** Two networks inside each other, and one beside them. */
const NETWORKS = {
  4: { outer: '77.0.0.0/16', inner: '77.0.5.0/24', beside: '77.1.0.0/16' },
  6: { outer: '9000::/64', inner: '9000::5:0/112', beside: '9000:1::/64' },
} as const;

describe.each<IpFamily>([4, 6])('precedence, IPv%i', (family) => {
  const { outer, inner, beside } = NETWORKS[family];
  const longest = addressBits(family);
  type Operator = NonNullable<FilterMatch['prefix']>['operator'];
  const on = (
    cidr: string,
    operator: Operator,
    lengths?: readonly [number, number],
  ): NonNullable<FilterMatch['prefix']> => ({
    cidr: parsePrefix(cidr),
    operator,
    ...(lengths === undefined ? {} : { lengths }),
  });
  const accept = (condition?: FilterMatch['prefix']): FilterRule => ({
    family,
    action: 'accept',
    match: condition === undefined ? {} : { prefix: condition },
  });
  const reject = (condition?: FilterMatch['prefix']): FilterRule => ({ ...accept(condition), action: 'reject' });
  const filter = (name: string, ...rules: readonly FilterRule[]): RouteFilter => ({ name, rules });
  const decide = (list: readonly RouteFilter[], text: string): string => {
    const policy = compilePolicy(list);
    const number = policy.ruleFor({
      family,
      prefix: packPrefix(parsePrefix(text)),
      attributes: {},
      source: 'local',
      isExternal: false,
    });
    if (number === NO_RULE) return 'no rule';
    return `${policy.apply(number, {}) === undefined ? 'reject' : 'accept'} by ${policy.nameOf(number)}`;
  };

  test.each<[Operator, readonly [number, number] | undefined, readonly string[]]>([
    ['equal', undefined, ['outer']],
    ['notEqual', undefined, ['inner', 'beside']],
    ['in', undefined, ['outer', 'inner']],
    ['notIn', undefined, ['beside']],
    ['in', [0, longest], ['outer', 'inner']],
    ['in', [parsePrefix(inner).length, longest], ['inner']],
    ['in', [0, parsePrefix(outer).length], ['outer']],
    ['notIn', [parsePrefix(inner).length, longest], ['outer', 'beside']],
    ['equal', [parsePrefix(inner).length, longest], ['inner']],
    ['notEqual', [parsePrefix(inner).length, longest], ['outer', 'beside']],
  ])('%s with lengths %j matches %j', (operator, lengths, expected) => {
    const list = [filter('f', accept(on(outer, operator, lengths)))];
    const names = ['outer', 'inner', 'beside'] as const;
    expect(names.filter((name) => decide(list, NETWORKS[family][name]) !== 'no rule')).toEqual(expected);
  });

  test('within a filter the first rule that matches decides', () => {
    expect(decide([filter('f', reject(on(inner, 'equal')), accept(on(outer, 'in')))], inner)).toBe(
      'reject by rule 1 of f',
    );
    expect(decide([filter('f', accept(on(outer, 'in')), reject(on(inner, 'equal')))], inner)).toBe(
      'accept by rule 1 of f',
    );
  });

  test('a filter without a match hands over to the next; the first that matches decides', () => {
    const first = filter('first', accept(on(beside, 'equal')));
    const second = filter('second', reject(on(outer, 'in')));
    const third = filter('third', accept());
    expect(decide([first, second, third], inner)).toBe('reject by rule 1 of second');
    expect(decide([first, third, second], inner)).toBe('accept by rule 1 of third');
    expect(decide([first, second, third], beside)).toBe('accept by rule 1 of first');
    expect(decide([second, first], family === 4 ? '10.0.0.0/8' : 'fd00::/8')).toBe('no rule');
  });

  test('rules of the other family are passed over', () => {
    const other: FilterRule = { family: family === 4 ? 6 : 4, action: 'reject', match: {} };
    expect(decide([filter('f', other, accept())], inner)).toBe('accept by rule 2 of f');
    expect(decide([filter('f', other)], inner)).toBe('no rule');
  });
});
