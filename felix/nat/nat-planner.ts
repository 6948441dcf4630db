import { isDeepStrictEqual } from 'node:util';
import type { TunnelPlan } from '../calc/tunnels.ts';
import type { DataplaneInputs } from '../inputs.ts';
import { planNat } from './plan.ts';
import type { NatPlan, NatPlanSettings } from './plan.ts';

/** What a plan follows from; of the inputs that which only another datastore changes. */
interface Basis extends Pick<DataplaneInputs, 'pools' | 'local' | 'nodes'> {
  readonly tunnels: readonly TunnelPlan[];
  readonly settings: NatPlanSettings;
}

/** planNat with a memory of one: of routes that come and go no NAT follows. */
export class NatPlanner {
  #last: { readonly basis: Basis; readonly plan: NatPlan } | undefined;

  /** The very same value as the last time where nothing changed. */
  plan(inputs: DataplaneInputs, tunnels: readonly TunnelPlan[], settings: NatPlanSettings): NatPlan {
    const { pools, local, nodes } = inputs;
    const basis = { pools, local, nodes, tunnels, settings };
    if (this.#last === undefined || !isSameBasis(this.#last.basis, basis)) {
      this.#last = { basis, plan: planNat(inputs, tunnels, settings) };
    }
    return this.#last.plan;
  }
}

/** Nodes may be a thousand, and pools and nodes are other objects where they changed: these are not looked into. */
const isSameBasis = (a: Basis, b: Basis): boolean =>
  a.pools === b.pools &&
  a.local === b.local &&
  a.nodes === b.nodes &&
  isDeepStrictEqual([a.tunnels, a.settings], [b.tunnels, b.settings]);
