import * as z from 'zod';
import type { Fault } from './fields.ts';
import { distinct, plainSelector, resourceName } from './fields.ts';
import { once } from './once.ts';
import type { Rule } from './policy-rule.ts';
import { ruleList } from './policy-rule.ts';
import { DEFAULT_TIER } from './tier.ts';

/** What NetworkPolicy and GlobalNetworkPolicy have in common. */
export const policyShape = once(() => ({
  tier: resourceName.default(DEFAULT_TIER).describe('must be there when the policy is written'),
  order: z.number().exactOptional().describe('lower goes first; absent: after all others. Equals go by name'),
  selector: plainSelector.exactOptional().describe('which endpoints; absent: all'),
  serviceAccountSelector: plainSelector.exactOptional().describe('which service accounts the endpoints have'),
  types: distinct(z.enum(['Ingress', 'Egress']))
    .exactOptional()
    .describe('absent: `Ingress`, `Egress` where there are only egress rules, both where there are both'),
  ingress: ruleList().describe('in order; the first that matches decides'),
  egress: ruleList().describe('in order; the first that matches decides'),
  performanceHints: distinct(z.enum(['AssumeNeededOnEveryNode'])).exactOptional(),
}));

type Shaped = z.output<z.ZodObject<ReturnType<typeof policyShape>>>;
type PolicyType = 'Ingress' | 'Egress';

/** Calico stores the types of every policy. */
export function withTypes<T extends Shaped>(spec: T): T & { readonly types: readonly PolicyType[] } {
  const { types = [], ingress = [], egress = [] } = spec;
  if (types.length > 0) return { ...spec, types };
  const derived: readonly PolicyType[] =
    egress.length === 0 ? ['Ingress'] : ingress.length === 0 ? ['Egress'] : ['Ingress', 'Egress'];
  return { ...spec, types: derived };
}

/** Rules that depend on the direction. */
export function directionFaults({ ingress = [], egress = [] }: Shaped): readonly Fault[] {
  return [
    ...each(egress, 'egress', ({ source }) =>
      source?.services === undefined
        ? undefined
        : [['source', 'services'], 'cannot be set in the source of an egress rule'],
    ),
    ...each(egress, 'egress', ({ http }) => (http === undefined ? undefined : [['http'], 'is only for ingress rules'])),
    ...each(ingress, 'ingress', ({ destination }) =>
      destination?.services === undefined
        ? undefined
        : [['destination', 'services'], 'cannot be set in the destination of an ingress rule'],
    ),
  ];
}

export const each = (
  rules: readonly Rule[],
  list: 'ingress' | 'egress',
  fault: (rule: Rule) => Fault | undefined,
): readonly Fault[] =>
  rules.flatMap((rule, i) => {
    const [path, reason] = fault(rule) ?? [];
    return path === undefined || reason === undefined ? [] : [[[list, i, ...path], reason] as const];
  });
