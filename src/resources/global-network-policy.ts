import * as z from 'zod';
import type { Fault } from './fields.ts';
import { fields, obeys, plainSelector } from './fields.ts';
import type { KindSpec } from './kind.ts';
import { envelope, nameColumn } from './kind.ts';
import { orderColumn, selectorColumn, tierColumn } from './network-policy.ts';
import { once } from './once.ts';
import { directionFaults, each, policyShape, withTypes } from './policy.ts';
import type { Rule } from './policy-rule.ts';

const shape = once(() => ({
  ...policyShape(),
  namespaceSelector: plainSelector.exactOptional().describe('of which namespaces the endpoints are'),
  doNotTrack: z.boolean().exactOptional().describe('before connection tracking; host endpoints only'),
  preDNAT: z.boolean().exactOptional().describe('before DNAT; host endpoints and ingress only'),
  applyOnForward: z.boolean().exactOptional().describe('to forwarded packets as well; doNotTrack and preDNAT need it'),
}));

type Spec = z.output<z.ZodObject<ReturnType<typeof shape>>>;

function namespaceFaults({ ingress = [], egress = [] }: Spec): readonly Fault[] {
  const unplaced =
    (side: 'source' | 'destination') =>
    (rule: Rule): Fault | undefined => {
      const { services } = rule[side] ?? {};
      if (services === undefined || services.namespace !== undefined) return undefined;
      return [[side, 'services', 'namespace'], 'is required in a policy that has no namespace itself'];
    };
  return [...each(ingress, 'ingress', unplaced('source')), ...each(egress, 'egress', unplaced('destination'))];
}

function hostFaults(spec: Spec): readonly Fault[] {
  const { doNotTrack = false, preDNAT = false, applyOnForward = false, egress = [], types = [] } = spec;
  const rules: readonly (readonly [boolean, keyof Spec, string])[] = [
    [preDNAT && doNotTrack, 'preDNAT', 'cannot be true when doNotTrack is'],
    [preDNAT && egress.length > 0, 'egress', 'cannot have rules when preDNAT is true'],
    [preDNAT && types.includes('Egress'), 'types', 'cannot have Egress when preDNAT is true'],
    [(preDNAT || doNotTrack) && !applyOnForward, 'applyOnForward', 'must be true when preDNAT or doNotTrack is'],
  ];
  return rules.filter(([broken]) => broken).map(([, field, reason]) => [[field], reason]);
}

const spec = once(() =>
  fields('GlobalNetworkPolicy.spec', shape())
    .check(
      obeys((value): readonly Fault[] => [...directionFaults(value), ...namespaceFaults(value), ...hostFaults(value)]),
    )
    .transform(withTypes),
);

const schema = once(() => envelope('GlobalNetworkPolicy', false, spec()));

export type GlobalNetworkPolicy = z.output<ReturnType<typeof schema>>;

export const globalNetworkPolicy: KindSpec<GlobalNetworkPolicy> = {
  kind: 'GlobalNetworkPolicy',
  plural: 'globalnetworkpolicies',
  aliases: ['gnp', 'gnps'],
  namespaced: false,
  schema,
  inert: true,
  columns: [nameColumn, tierColumn],
  wideColumns: [nameColumn, tierColumn, orderColumn, selectorColumn],
};
