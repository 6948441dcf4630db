import * as z from 'zod';
import { parseCommunity } from '../model/community.ts';
import { InvalidValueError } from '../model/invalid.ts';
import type { IpFamily } from '../model/ip.ts';
import { addressBits, formatPrefix, parsePrefix } from '../model/ip.ts';
import { asNumber, checkedText, fields, routePriority, text, wholeNumber } from './fields.ts';
import type { KindSpec } from './kind.ts';
import { envelope, nameColumn } from './kind.ts';
import { once } from './once.ts';

const cidr = (family: IpFamily) =>
  text((value) => {
    if (!value.includes('/')) throw new InvalidValueError('', value, 'is not a CIDR: it has no prefix length');
    const prefix = parsePrefix(value);
    if (prefix.address.family !== family) throw new InvalidValueError('', value, `is not an IPv${family} network`);
    return formatPrefix(prefix);
  });

const community = once(() =>
  checkedText((value) => parseCommunity(value)).meta({ samples: ['64512:100', '64512:1:2'] }),
);

/** Texts that Calico writes nowhere but takes for absent where somebody did. */
const EMPTY_IS_ABSENT = ['cidr', 'matchOperator', 'source', 'interface', 'peerType'];

const withoutEmptyTexts = (value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).filter(([name, own]) => own !== '' || !EMPTY_IS_ABSENT.includes(name)))
    : value;

function operation(owner: string) {
  const single = <S extends z.ZodRawShape>(name: string, shape: S) => fields(`${owner}.${name}`, shape).exactOptional();
  const asns = z.array(asNumber).min(1, 'has no entry').max(10, 'has more than 10 entries');
  return fields(owner, {
    addCommunity: single('addCommunity', { value: community() }),
    prependASPath: single('prependASPath', { prefix: asns.describe('the first becomes the nearest AS') }),
    setPriority: single('setPriority', { value: routePriority }),
  }).check((ctx) => {
    if (Object.keys(ctx.value).length === 1) return;
    ctx.issues.push({ code: 'custom', input: ctx.value, message: 'exactly one operation must be set' });
  });
}

const shapeOf = (family: IpFamily, owner: string) => ({
  cidr: cidr(family).exactOptional().describe('with matchOperator'),
  matchOperator: z.enum(['Equal', 'NotEqual', 'In', 'NotIn']).exactOptional(),
  prefixLength: fields(`${owner}.prefixLength`, {
    min: wholeNumber(0, addressBits(family)).exactOptional().describe('absent: the length of the cidr'),
    max: wholeNumber(0, addressBits(family)).exactOptional().describe('absent: that of one address'),
  }).exactOptional(),
  source: z.enum(['RemotePeers']).exactOptional(),
  interface: z
    .string()
    .regex(/^[a-zA-Z0-9_.*-]{1,15}$/, 'is not an interface name of at most 15 characters, "*" for any run of them')
    .exactOptional(),
  peerType: z.enum(['eBGP', 'iBGP']).exactOptional(),
  communities: fields(`${owner}.communities`, {
    values: z.array(community()).length(1, 'must have exactly one value'),
  }).exactOptional(),
  asPathPrefix: z.array(asNumber).exactOptional().describe('the nearest AS first'),
  priority: routePriority.exactOptional().describe('in the units of the route priorities in BGPConfiguration'),
  action: z.enum(['Accept', 'Reject']),
  operations: z
    .array(operation(`${owner}.operations`))
    .min(1, 'has no entry')
    .max(10, 'has more than 10 entries')
    .exactOptional()
    .describe('with `Accept`; each is one of the three'),
});

type Rule = z.output<z.ZodObject<ReturnType<typeof shapeOf>>>;

function faults(rule: Rule): readonly (readonly [keyof Rule, string])[] {
  const { cidr: network, matchOperator, prefixLength, operations, action } = rule;
  const rules: readonly (readonly [boolean, keyof Rule, string])[] = [
    [
      (network === undefined) !== (matchOperator === undefined),
      network === undefined ? 'matchOperator' : 'cidr',
      'cidr and matchOperator must both be set or both be empty',
    ],
    [network === undefined && prefixLength !== undefined, 'prefixLength', 'cidr is required when prefixLength is set'],
    [operations !== undefined && action !== 'Accept', 'operations', 'operations may only be used with action Accept'],
    [isEmptyRange(rule), 'prefixLength', `leaves no prefix length within ${network ?? ''}`],
  ];
  return rules.filter(([broken]) => broken).map(([, field, reason]) => [field, reason] as const);
}

/** Calico would write it into BIRD's configuration, which BIRD then refuses as a whole. */
function isEmptyRange({ cidr: network, prefixLength }: Rule): boolean {
  if (network === undefined || prefixLength?.max === undefined) return false;
  return prefixLength.max < Math.max(parsePrefix(network).length, prefixLength.min ?? 0);
}

function ruleList(family: IpFamily) {
  const owner = `BGPFilterRuleV${family}`;
  const rule = fields(owner, shapeOf(family, owner)).check((ctx) => {
    for (const [field, message] of faults(ctx.value)) {
      ctx.issues.push({ code: 'custom', path: [field], input: ctx.value[field], message });
    }
  });
  return z.array(z.preprocess(withoutEmptyTexts, rule.meta({ id: owner }))).exactOptional();
}

/** Ordered rules; all conditions of one hold together, and the first that matches decides. */
const schema = once(() => {
  const [rulesV4, rulesV6] = [ruleList(4), ruleList(6)];
  const lists = { exportV4: rulesV4, importV4: rulesV4, exportV6: rulesV6, importV6: rulesV6 };
  return envelope('BGPFilter', false, fields('BGPFilter.spec', lists));
});

export type BgpFilter = z.output<ReturnType<typeof schema>>;
export type BgpFilterRule = NonNullable<BgpFilter['spec']['exportV4']>[number];

const LISTS = ['exportV4', 'importV4', 'exportV6', 'importV6'] as const;

const columns: KindSpec<BgpFilter>['columns'] = [
  nameColumn,
  ...LISTS.map((list) => ({
    heading: `NUM${list.toUpperCase()}`,
    value: ({ spec }: BgpFilter) => String(spec[list]?.length ?? 0),
  })),
];

export const bgpFilter: KindSpec<BgpFilter> = {
  kind: 'BGPFilter',
  plural: 'bgpfilters',
  aliases: ['bgpf', 'bgpfs', 'bf', 'bfs'],
  namespaced: false,
  schema,
  columns,
  wideColumns: columns,
};
