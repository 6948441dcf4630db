import { describe, expect, test } from 'vitest';
import { InvalidResourceError, kindByAlias, kindTable, parseResource } from '../../../src/resources/index.ts';
import type { BgpFilter } from '../../../src/resources/index.ts';
import { manifest, resource } from '../../support/resources.ts';

const refusal = (spec: object): string => {
  try {
    parseResource(manifest('BGPFilter', 'f', spec));
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidResourceError);
    return (error as Error).message;
  }
  return 'accepted';
};

const FAMILIES = [
  {
    list: 'exportV4',
    owner: 'BGPFilterRuleV4',
    cidr: '77.0.0.0/16',
    foreign: 'fd00::/8',
    hostBits: '77.0.0.1/16',
    bare: '77.0.0.0',
    longest: 32,
    length: 16,
  },
  {
    list: 'importV6',
    owner: 'BGPFilterRuleV6',
    cidr: '9000::/64',
    foreign: '10.0.0.0/8',
    hostBits: '9000::1/64',
    bare: '9000::',
    longest: 128,
    length: 64,
  },
] as const;

describe.each(FAMILIES)('a rule in $list', ({ list, owner, cidr, foreign, hostBits, bare, longest, length }) => {
  const family = longest === 32 ? 4 : 6;
  const rule = (fields: object): string => refusal({ [list]: [{ action: 'Accept', ...fields }] });
  const at = `spec.${list}[0]`;
  const network = { cidr, matchOperator: 'In' };
  const operation = (...operations: readonly object[]) => ({ operations });

  test.each<[object, string]>([
    [{ cidr }, `${at}.cidr = '${cidr}': cidr and matchOperator must both be set or both be empty`],
    [{ matchOperator: 'In' }, `${at}.matchOperator = 'In': cidr and matchOperator must both be set or both be empty`],
    [{ ...network, matchOperator: 'in' }, `${at}.matchOperator = 'in': is not one of Equal, NotEqual, In, NotIn`],
    [{ ...network, cidr: foreign }, `${at}.cidr = '${foreign}': is not an IPv${family} network`],
    [{ ...network, cidr: bare }, `${at}.cidr = '${bare}': is not a CIDR: it has no prefix length`],
    [{ ...network, cidr: hostBits }, `${at}.cidr = '${hostBits}': has host bits set; the network is ${cidr}`],
    [{ prefixLength: { min: 8 } }, `${at}.prefixLength = '{"min":8}': cidr is required when prefixLength is set`],
    [
      { ...network, prefixLength: { max: longest + 1 } },
      `${at}.prefixLength.max = '${longest + 1}': is not a whole number between 0 and ${longest}`,
    ],
    [
      { ...network, prefixLength: { max: length - 1 } },
      `${at}.prefixLength = '{"max":${length - 1}}': leaves no prefix length within ${cidr}`,
    ],
    [
      { ...network, prefixLength: { minimum: 8 } },
      `${at}.prefixLength.minimum = '8': is not a field of ${owner}.prefixLength`,
    ],
    [{ source: 'Local' }, `${at}.source = 'Local': is not one of RemotePeers`],
    [{ interface: 'sixteen-letters-' }, `${at}.interface = 'sixteen-letters-': is not an interface name`],
    [{ interface: 'eth 0' }, `${at}.interface = 'eth 0': is not an interface name`],
    [{ peerType: 'ebgp' }, `${at}.peerType = 'ebgp': is not one of eBGP, iBGP`],
    [{ communities: {} }, `${at}.communities.values = '': is required`],
    [{ communities: { values: [] } }, `${at}.communities.values = '[]': must have exactly one value`],
    [
      { communities: { values: ['1:1', '1:2'] } },
      `${at}.communities.values = '["1:1","1:2"]': must have exactly one value`,
    ],
    [{ communities: { values: ['65536:1'] } }, `${at}.communities.values[0] = '65536:1': is not a community`],
    [{ asPathPrefix: [0] }, `${at}.asPathPrefix[0] = '0': is not an AS number between 1 and 4294967295`],
    [{ priority: 0 }, `${at}.priority = '0': is not a whole number between 1 and 2147483646`],
    [{ priority: 2_147_483_647 }, `${at}.priority = '2147483647': is not a whole number between 1 and 2147483646`],
    [{ action: 'Drop' }, `${at}.action = 'Drop': is not one of Accept, Reject`],
    [{ action: undefined }, `${at}.action = '': is not one of Accept, Reject`],
    [
      { action: 'Reject', ...operation({ setPriority: { value: 1 } }) },
      `${at}.operations = '[{"setPriority":{"value":1}}]': operations may only be used with action Accept`,
    ],
    [operation(), `${at}.operations = '[]': has no entry`],
    [operation(...Array<object>(11).fill({ setPriority: { value: 1 } })), 'has more than 10 entries'],
    [operation({}), `${at}.operations[0] = '{}': exactly one operation must be set`],
    [operation({ setPriority: { value: 1 }, addCommunity: { value: '1:1' } }), 'exactly one operation must be set'],
    [operation({ prependASPath: { prefix: [] } }), `${at}.operations[0].prependASPath.prefix = '[]': has no entry`],
    [operation({ prependASPath: { prefix: Array(11).fill(1) } }), 'has more than 10 entries'],
    [
      operation({ addCommunity: { value: '1:2:3:4' } }),
      `${at}.operations[0].addCommunity.value = '1:2:3:4': is not a community`,
    ],
    [
      operation({ setPriority: { value: 'high' } }),
      `${at}.operations[0].setPriority.value = 'high': is not a whole number between 1 and 2147483646`,
    ],
    [{ cidrr: 1 }, `${at}.cidrr = '1': is not a field of ${owner}; did you mean "cidr"?`],
    [{ asPathprefix: [1] }, `did you mean "asPathPrefix"?`],
    [
      operation({ addComunity: { value: '1:1' } }),
      `is not a field of ${owner}.operations; did you mean "addCommunity"?`,
    ],
  ])('%j is refused', (fields, expected) => {
    expect(rule(fields)).toContain(expected);
  });

  test('takes every condition and operation there is', () => {
    const full = {
      ...network,
      prefixLength: { min: length, max: longest },
      source: 'RemotePeers',
      interface: '*.calico',
      peerType: 'eBGP',
      communities: { values: ['4294967295:0:1'] },
      asPathPrefix: [65000, 4_200_000_000],
      priority: 1024,
      action: 'Accept',
      operations: [
        { addCommunity: { value: '65535:65535' } },
        { prependASPath: { prefix: [65000, 65000] } },
        { setPriority: { value: 2_147_483_646 } },
      ],
    };
    expect(resource('BGPFilter', 'f', { [list]: [full] }).spec[list]).toEqual([full]);
  });

  test('takes an empty text for an absent field, and an AS number in any form', () => {
    const written = { cidr: '', matchOperator: '', source: '', interface: '', peerType: '', action: 'Reject' };
    expect(resource('BGPFilter', 'f', { [list]: [written] }).spec[list]).toEqual([{ action: 'Reject' }]);
    const dotted = { action: 'Accept', asPathPrefix: ['1.10', '64512'] };
    expect(resource('BGPFilter', 'f', { [list]: [dotted] }).spec[list]?.[0]?.asPathPrefix).toEqual([65_546, 64_512]);
  });
});

test('a list of rules under a wrong name is told the right one', () => {
  expect(refusal({ exportv4: [] })).toBe(
    `error with field spec.exportv4 = '[]': is not a field of BGPFilter.spec; did you mean "exportV4"?`,
  );
  expect(refusal({ exportV4: { action: 'Accept' } })).toContain(
    'spec.exportV4 = \'{"action":"Accept"}\': is not an array',
  );
});

test('filter_names: a name of any length that a resource may have', () => {
  for (const length of [45, 46, 65, 253]) {
    const name = 'f'.repeat(length);
    expect(resource('BGPFilter', name).metadata.name).toBe(name);
  }
});

test('calicoctl knows it by all its names and prints the number of its rules', () => {
  for (const word of ['bgpfilter', 'BGPFilters', 'bgpf', 'bgpfs', 'bf', 'bfs']) {
    expect(kindByAlias(word)).toBe('BGPFilter');
  }
  const rule = { action: 'Accept' };
  const filter: BgpFilter = resource('BGPFilter', 'f', { exportV4: [rule, rule], importV6: [rule] });
  const { columns, wideColumns } = kindTable.BGPFilter;
  expect(columns.map(({ heading, value }) => `${heading} ${value(filter, { globalAsn: 1 })}`)).toEqual([
    'NAME f',
    'NUMEXPORTV4 2',
    'NUMIMPORTV4 0',
    'NUMEXPORTV6 0',
    'NUMIMPORTV6 1',
  ]);
  expect(wideColumns).toEqual(columns);
});
