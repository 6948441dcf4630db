import * as z from 'zod';
import { InvalidValueError } from '../model/invalid.ts';
import type { IpFamily } from '../model/ip.ts';
import { formatPrefix, parsePrefix } from '../model/ip.ts';
import { parseSelector } from '../model/selector.ts';
import type { Fault } from './fields.ts';
import {
  checkedText,
  distinct,
  fields,
  holdsGlobal,
  obeys,
  plainSelector,
  resourceName,
  text,
  wholeNumber,
} from './fields.ts';
import { annotations } from './metadata.ts';
import { once } from './once.ts';
import { hasPorts, port, protocol, protocolNumber } from './traffic-fields.ts';

/** Rules of policies and profiles. All conditions of one hold together; the entries of one list are alternatives. */

const cidr = once(() =>
  text((value) => {
    if (!value.includes('/')) throw new InvalidValueError('', value, 'is not a CIDR: it has no prefix length');
    return formatPrefix(parsePrefix(value));
  }).meta({ samples: ['10.0.0.0/8'] }),
);

const nets = once(() => distinct(cidr()).max(256, 'has more than 256 entries').exactOptional());
const ports = once(() => z.array(port).max(50, 'has more than 50 entries').exactOptional());

const namespaceSelector = once(() =>
  checkedText((value) => {
    const selector = parseSelector(value);
    if (selector.op === 'global' || !holdsGlobal(selector)) return;
    throw new InvalidValueError('', value, 'combines global() with another selector');
  }).meta({ samples: ['all()', 'global()'] }),
);

const entityShape = once(() => ({
  nets: nets().describe('CIDRs'),
  notNets: nets().describe('CIDRs'),
  selector: plainSelector
    .exactOptional()
    .describe(
      'endpoints and network sets; in a NetworkPolicy those of its namespace, where there is no namespaceSelector',
    ),
  notSelector: plainSelector.exactOptional(),
  namespaceSelector: namespaceSelector()
    .exactOptional()
    .describe('of which namespaces; `global()`: of none, such as host endpoints'),
  services: fields('EntityRule.services', {
    name: resourceName,
    namespace: resourceName.exactOptional().describe("absent: the policy's"),
  })
    .exactOptional()
    .describe('the endpoints and ports of a Service, instead of nets, selectors, service accounts and ports'),
  ports: ports().describe('for protocols that have ports'),
  notPorts: ports().describe('for protocols that have ports'),
  serviceAccounts: fields('EntityRule.serviceAccounts', {
    names: distinct(z.string()).exactOptional(),
    selector: plainSelector.exactOptional(),
  }).exactOptional(),
}));

type EntityRule = z.output<z.ZodObject<ReturnType<typeof entityShape>>>;

const isSet = (value: unknown): boolean =>
  value !== undefined && value !== '' && !(Array.isArray(value) && value.length === 0);

const BESIDE_SERVICES = ['namespaceSelector', 'selector', 'notSelector', 'serviceAccounts', 'nets', 'notNets'] as const;

function entityFaults(entity: EntityRule): readonly Fault[] {
  const others = BESIDE_SERVICES.filter((field) => isSet(entity[field]));
  if (entity.services === undefined || others.length === 0) return [];
  return [[['services'], `cannot be set beside ${others.join(', ')}`]];
}

const entityRule = once(() =>
  fields('EntityRule', entityShape()).check(obeys(entityFaults)).meta({ id: 'EntityRule' }),
);

const icmp = once(() =>
  fields('ICMPFields', {
    type: wholeNumber(0, 254).exactOptional(),
    code: wholeNumber(0, 255).exactOptional(),
  }).check(
    obeys(({ type, code }): readonly Fault[] =>
      code === undefined || type !== undefined ? [] : [[['code'], 'cannot be set without type']],
    ),
  ),
);

const httpPath = once(() =>
  z
    .string()
    .max(1024, 'has more than 1024 characters')
    .regex(/^\/[^? #]*$/, 'is not the path of a URL: it begins with "/" and has no "?", "#" or blank')
    .exactOptional(),
);

const http = once(() =>
  fields('HTTPMatch', {
    methods: distinct(z.string()).max(20, 'has more than 20 entries').exactOptional(),
    paths: z
      .array(
        fields('HTTPPath', { exact: httpPath(), prefix: httpPath() }).check(
          obeys((path): readonly Fault[] =>
            Object.keys(path).length === 1 ? [] : [[[], 'has neither or both of exact and prefix']],
          ),
        ),
      )
      .max(20, 'has more than 20 entries')
      .exactOptional(),
  }),
);

const ruleShape = once(() => ({
  action: z
    .enum(['Allow', 'Deny', 'Log', 'Pass'])
    .describe('`Log` goes on with the next rule, `Pass` with the next tier or the profiles'),
  ipVersion: z.literal([4, 6]).exactOptional(),
  protocol: protocol.exactOptional(),
  notProtocol: protocol.exactOptional(),
  icmp: icmp().exactOptional().describe('with the protocol ICMP or ICMPv6'),
  notICMP: icmp().exactOptional(),
  source: entityRule().exactOptional(),
  destination: entityRule().exactOptional(),
  http: http().exactOptional().describe('for Allow in ingress; application layer policy'),
  metadata: fields('RuleMetadata', { annotations: annotations.exactOptional() }).exactOptional(),
}));

export type Rule = z.output<z.ZodObject<ReturnType<typeof ruleShape>>>;

const SIDES = ['source', 'destination'] as const;

function portFaults(rule: Rule): readonly Fault[] {
  const set = SIDES.flatMap((side) =>
    (['ports', 'notPorts'] as const)
      .filter((field) => isSet(rule[side]?.[field]))
      .map((field) => ({ path: [side, field], beside: rule[side]?.services !== undefined && side === 'destination' })),
  );
  const unknown = rule.protocol === undefined || !hasPorts(rule.protocol);
  return set.flatMap(({ path, beside }): readonly Fault[] => [
    ...(unknown ? [[path, 'needs a protocol that has ports: TCP, UDP or SCTP'] as const] : []),
    ...(beside ? [[path, 'cannot be set beside services, which have ports of their own'] as const] : []),
  ]);
}

/** The IP version that each of the two ICMPs goes with, by its number. */
const ICMP_VERSION: Readonly<Record<number, IpFamily>> = { 1: 4, 58: 6 };

function icmpFaults({ icmp: fieldsOfIcmp, protocol: own, notProtocol, ipVersion }: Rule): readonly Fault[] {
  const version = (one: Rule['protocol']) => (one === undefined ? undefined : ICMP_VERSION[protocolNumber(one)]);
  const wrong = [own, notProtocol].find((one) => (version(one) ?? ipVersion) !== ipVersion);
  return [
    ...(fieldsOfIcmp !== undefined && version(own) === undefined
      ? [[['icmp'], 'needs the protocol ICMP or ICMPv6'] as const]
      : []),
    ...(ipVersion !== undefined && wrong !== undefined
      ? [[['ipVersion'], `must be ${version(wrong)!} with the protocol ${wrong}`] as const]
      : []),
  ];
}

/** Calico renders a rule for one IP version. */
function versionFaults(rule: Rule): readonly Fault[] {
  const all = SIDES.flatMap((side) =>
    (['nets', 'notNets'] as const).flatMap((field) =>
      (rule[side]?.[field] ?? []).map((net, i) => ({
        path: [side, field, i],
        net,
        version: parsePrefix(net).address.family,
      })),
    ),
  );
  if (rule.ipVersion !== undefined) {
    return all
      .filter(({ version }) => version !== rule.ipVersion)
      .map(({ path }) => [path, `is not of the rule's ipVersion, ${rule.ipVersion!}`]);
  }
  const other = all.find(({ version }) => version !== all[0]!.version);
  return other === undefined ? [] : [[other.path, `is not of the IP version of ${all[0]!.net} in the same rule`]];
}

function httpFaults({ http: match, action, protocol: own }: Rule): readonly Fault[] {
  if (match === undefined) return [];
  return [
    ...(action === 'Allow' ? [] : [[['http'], 'is only for rules that Allow'] as const]),
    ...(own === undefined || protocolNumber(own) === 6
      ? []
      : [[['protocol'], 'must be TCP or absent in a rule with http'] as const]),
  ];
}

const rule = once(() =>
  fields('Rule', ruleShape())
    .check(
      obeys((value): readonly Fault[] => [
        ...portFaults(value),
        ...icmpFaults(value),
        ...versionFaults(value),
        ...httpFaults(value),
      ]),
    )
    .meta({ id: 'Rule' }),
);

export const ruleList = once(() => z.array(rule()).max(1024, 'has more than 1024 entries').exactOptional());
