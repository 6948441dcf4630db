import * as z from 'zod';
import type { Fault } from './fields.ts';
import { fields, obeys } from './fields.ts';
import type { KindSpec } from './kind.ts';
import { envelope, nameColumn } from './kind.ts';
import { once } from './once.ts';

export const DEFAULT_TIER = 'default';

/** Absent means the order of the default tier, too. */
const DEFAULT_ORDER = 1_000_000;

/** Tiers that Calico has without being told; their settings are fixed. */
const BUILT_IN: Readonly<Record<string, { readonly order: number; readonly defaultAction: 'Pass' | 'Deny' }>> = {
  [DEFAULT_TIER]: { order: DEFAULT_ORDER, defaultAction: 'Deny' },
  'kube-admin': { order: 1000, defaultAction: 'Pass' },
  'kube-baseline': { order: 10_000_000, defaultAction: 'Pass' },
};

export const isBuiltInTier = (name: string): boolean => Object.hasOwn(BUILT_IN, name);

const spec = once(() =>
  fields('Tier.spec', {
    order: z.number().default(DEFAULT_ORDER).describe('lower goes first; equals go by name'),
    defaultAction: z
      .enum(['Pass', 'Deny'])
      .default('Deny')
      .describe('for packets to or from an endpoint that policies of the tier select, where no rule decides'),
  }),
);

const schema = once(() =>
  envelope('Tier', false, spec()).check(
    obeys(({ metadata: { name }, spec: { order, defaultAction } }): readonly Fault[] => {
      const fixed = isBuiltInTier(name) ? BUILT_IN[name]! : { order, defaultAction };
      return [
        ...(/^[a-z0-9-]{1,63}$/.test(name)
          ? []
          : [[['metadata', 'name'], 'is not the name of a tier: at most 63 characters without a "."'] as const]),
        ...(order === fixed.order ? [] : [[['spec', 'order'], `must be ${fixed.order} in the tier ${name}`] as const]),
        ...(defaultAction === fixed.defaultAction
          ? []
          : [[['spec', 'defaultAction'], `must be ${fixed.defaultAction} in the tier ${name}`] as const]),
      ];
    }),
  ),
);

export type Tier = z.output<ReturnType<typeof schema>>;

const columns: KindSpec<Tier>['columns'] = [
  nameColumn,
  { heading: 'ORDER', value: ({ spec: { order } }) => String(order) },
];

export const tier: KindSpec<Tier> = {
  kind: 'Tier',
  plural: 'tiers',
  aliases: [],
  namespaced: false,
  schema,
  inert: true,
  columns,
  wideColumns: columns,
  compare: (a, b) => a.spec.order - b.spec.order,
  reserved: (name, operation) =>
    operation === 'delete' && isBuiltInTier(name) ? 'is a tier that cannot be deleted' : undefined,
};
