import { setImmediate as nextTurn } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { DataplaneInputs } from '../inputs.ts';
import type { HostView } from '../calc/host-view.ts';
import type { Judgement } from '../calc/learned-routes.ts';
import { PlanMemory } from '../calc/plan-memory.ts';
import type { RoutePlan } from '../calc/route-plan.ts';
import { planRoutesInSteps } from '../calc/routes.ts';

/**
 * planRoutes with a memory of one, in turns that are short. The plan is a function of its arguments, so the same inputs on the same
 * host have the plan that they had, and a periodic resync need not work out 100,000 routes to find that nothing changed.
 */
export class RoutePlanner {
  /** Inputs that nobody else has any more are not to be kept: their routes are many. */
  #last: { readonly inputs: WeakRef<DataplaneInputs>; readonly host: HostView; readonly plan: RoutePlan } | undefined;

  readonly #memory = new PlanMemory<Judgement>();

  /** The very same value as the last time where nothing changed. */
  async plan(inputs: DataplaneInputs, host: HostView): Promise<RoutePlan> {
    const last = this.#last;
    if (last?.inputs.deref() === inputs && isDeepStrictEqual(last.host, host)) return last.plan;
    const steps = planRoutesInSteps(inputs, host, this.#memory);
    for (;;) {
      const step = steps.next();
      if (step.done === true) {
        this.#last = { inputs: new WeakRef(inputs), host, plan: step.value };
        return step.value;
      }
      await nextTurn();
    }
  }
}
