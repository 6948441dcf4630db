import type { z } from 'zod';
import { fields, obeys } from './fields.ts';
import type { KindSpec } from './kind.ts';
import { envelope, nameColumn, orDash } from './kind.ts';
import { once } from './once.ts';
import { directionFaults, policyShape, withTypes } from './policy.ts';

const spec = once(() => fields('NetworkPolicy.spec', policyShape()).check(obeys(directionFaults)).transform(withTypes));

const schema = once(() => envelope('NetworkPolicy', true, spec()));

export type NetworkPolicy = z.output<ReturnType<typeof schema>>;

export const tierColumn = { heading: 'TIER', value: (r: Tiered) => r.spec.tier };
export const orderColumn = { heading: 'ORDER', value: (r: Tiered) => orDash(r.spec.order) };
export const selectorColumn = { heading: 'SELECTOR', value: (r: Tiered) => r.spec.selector ?? '' };

interface Tiered {
  readonly spec: { readonly tier: string; readonly order?: number; readonly selector?: string };
}

/** What Calico's controllers copy from Kubernetes, in a store of their own. */
const FROM_KUBERNETES = 'knp.default.';

export const networkPolicy: KindSpec<NetworkPolicy> = {
  kind: 'NetworkPolicy',
  plural: 'networkpolicies',
  aliases: ['policy', 'policies', 'np', 'nps', 'pol', 'pols'],
  namespaced: true,
  schema,
  inert: true,
  columns: [nameColumn, tierColumn],
  wideColumns: [nameColumn, tierColumn, orderColumn, selectorColumn],
  reserved: (name) =>
    name.startsWith(FROM_KUBERNETES)
      ? 'is a copy of a policy of Kubernetes, which is managed through the Kubernetes API'
      : undefined,
};
