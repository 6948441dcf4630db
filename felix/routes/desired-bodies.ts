import type { RoutePlan } from '../calc/route-plan.ts';
import type { ReadonlyEntries } from '../delta-tracker.ts';
import type { RouteBody } from './kernel-route.ts';
import type { RouteId } from './route-id.ts';
import type { KernelWords } from './route-words.ts';

/** What the kernel should have: the plan in the kernel's words, worked out when asked, so that a full table is in memory once. */
export class DesiredBodies implements ReadonlyEntries<RouteId, RouteBody> {
  readonly #programmed: RoutePlan['programmed'];
  readonly #words: KernelWords;
  readonly #exceptions: ReadonlyMap<RouteId, RouteBody>;

  /** `exceptions`: what counts in the plan's stead. */
  constructor(
    { programmed }: Pick<RoutePlan, 'programmed'>,
    words: KernelWords,
    exceptions: ReadonlyMap<RouteId, RouteBody> = new Map(),
  ) {
    this.#programmed = programmed;
    this.#words = words;
    this.#exceptions = exceptions;
  }

  get size(): number {
    return this.#programmed.size;
  }

  get(id: RouteId): RouteBody | undefined {
    const course = this.#programmed.get(id);
    if (course === undefined) return undefined;
    return this.#exceptions.get(id) ?? this.#words.bodyOf(id, course.route.target);
  }

  has(id: RouteId): boolean {
    return this.#programmed.has(id);
  }

  keys(): Iterable<RouteId> {
    return this.#programmed.keys();
  }

  *[Symbol.iterator](): Generator<[RouteId, RouteBody]> {
    for (const [id, course] of this.#programmed) {
      yield [id, this.#exceptions.get(id) ?? this.#words.bodyOf(id, course.route.target)];
    }
  }
}
