import { isDeepStrictEqual } from 'node:util';
import type { DataplaneInputs } from '../inputs.ts';
import type { HostView } from './host-view.ts';
import type { PlannedRoute } from './planned-route.ts';
import { planRoutes } from './routes.ts';

/**
 * planRoutes with a memory of one. The plan is a function of its arguments, so the same inputs on the same host have the plan
 * that they had, and a periodic resync need not work out 100,000 routes to find that nothing changed.
 */
export class RoutePlanner {
  #last:
    | { readonly inputs: DataplaneInputs; readonly host: HostView; readonly planned: readonly PlannedRoute[] }
    | undefined;

  /** The very same value as the last time where nothing changed. */
  plan(inputs: DataplaneInputs, host: HostView): readonly PlannedRoute[] {
    const last = this.#last;
    if (last?.inputs === inputs && isDeepStrictEqual(last.host, host)) return last.planned;
    const planned = planRoutes(inputs, host);
    this.#last = { inputs, host, planned };
    return planned;
  }
}
