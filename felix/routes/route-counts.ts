import type { RouteCount } from '../contract.ts';

/** Routes by class and state, counted one by one. */
export class RouteCounts {
  readonly #counts = new Map<RouteCount['class'], Map<RouteCount['state'], number>>();

  add(routeClass: RouteCount['class'], state: RouteCount['state']): void {
    let states = this.#counts.get(routeClass);
    if (states === undefined) this.#counts.set(routeClass, (states = new Map<RouteCount['state'], number>()));
    states.set(state, (states.get(state) ?? 0) + 1);
  }

  list(): readonly RouteCount[] {
    return [...this.#counts].flatMap(([routeClass, states]) =>
      [...states].map(([state, count]) => ({ class: routeClass, state, count })),
    );
  }
}
