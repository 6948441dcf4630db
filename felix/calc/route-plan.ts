/** All routes of this host and what becomes of each: those for the kernel, and those that cannot be there now. */
import { prefixOfId } from '../routes/route-id.ts';
import type { RouteId } from '../routes/route-id.ts';
import { RouteMap } from '../routes/route-map.ts';
import type { HostView } from './host-view.ts';
import type { Course, PlannedRoute } from './planned-route.ts';
import { precedence } from './precedence.ts';

type Entry = readonly [RouteId, Course];

export class RoutePlan implements Iterable<PlannedRoute> {
  /** For the kernel: at most one per prefix. */
  readonly programmed: RouteMap<Course>;
  /** Each with `unresolved`; of one prefix there may be several. */
  readonly unresolved: readonly Entry[];
  /** Something in it stays as it was while the other end is not ready. */
  readonly hasMeanwhile: boolean;

  constructor({ programmed, unresolved, hasMeanwhile }: Pick<RoutePlan, 'programmed' | 'unresolved' | 'hasMeanwhile'>) {
    this.programmed = programmed;
    this.unresolved = unresolved;
    this.hasMeanwhile = hasMeanwhile;
  }

  /** In no particular order. */
  *[Symbol.iterator](): Generator<PlannedRoute> {
    for (const [id, course] of this.programmed) yield plannedRoute(id, course);
    for (const [id, course] of this.unresolved) yield plannedRoute(id, course);
  }
}

const plannedRoute = (id: RouteId, { route, ...others }: Course): PlannedRoute => ({
  route: { prefix: prefixOfId(id), ...route },
  ...others,
});

/** Settles who gets a prefix that several want. */
export class RoutePlanBuilder {
  readonly #host: HostView;
  readonly #winners = new RouteMap<Course>();
  readonly #losers: Entry[] = [];
  readonly #unresolved: Entry[] = [];
  #hasMeanwhile = false;

  constructor(host: HostView) {
    this.#host = host;
  }

  add(id: RouteId, course: Course): void {
    if (course.unresolved !== undefined) {
      this.#unresolved.push([id, course]);
      return;
    }
    this.#hasMeanwhile ||= course.meanwhile !== undefined;
    const holder = this.#winners.get(id);
    const isWinner = holder === undefined || precedence(course, holder, this.#host) < 0;
    if (isWinner) this.#winners.set(id, course);
    if (holder !== undefined) this.#losers.push([id, isWinner ? holder : course]);
  }

  build(): RoutePlan {
    const [programmed, hasMeanwhile] = [this.#winners, this.#hasMeanwhile];
    // Only now, when every contender was seen: what a loser says must not depend on whom it met first.
    const losers = this.#losers.map(([id, course]): Entry => {
      const { route } = programmed.get(id)!;
      return [id, { ...course, unresolved: `loses to ${route.class}: ${route.reason}` }];
    });
    return new RoutePlan({ programmed, unresolved: [...this.#unresolved, ...losers], hasMeanwhile });
  }
}
