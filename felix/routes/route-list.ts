/** Routes as the kernel listed them: 100,000 in three columns, made into objects one by one where somebody wants to see them. */
import type { KernelRoute, RouteBody } from './kernel-route.ts';
import { prefixOfId, routeId } from './route-id.ts';
import type { RouteId } from './route-id.ts';

const FIRST_ROOM = 64;

/** In the kernel's order; of one key there may be several (`ip route append`). */
export class RouteList implements Iterable<KernelRoute> {
  /** A number is the id itself; a negative one stands for the text at place -1 - number. */
  #ids = new Float64Array(FIRST_ROOM);
  readonly #texts: string[] = [];
  readonly #bodies: RouteBody[] = [];

  static of(routes: Iterable<KernelRoute>): RouteList {
    const list = new RouteList();
    for (const { prefix, ...body } of routes) list.add(routeId({ prefix, ...body }), body);
    return list;
  }

  get size(): number {
    return this.#bodies.length;
  }

  add(id: RouteId, body: RouteBody): void {
    const place = this.#bodies.push(body) - 1;
    if (place === this.#ids.length) {
      const larger = new Float64Array(place * 2);
      larger.set(this.#ids);
      this.#ids = larger;
    }
    this.#ids[place] = typeof id === 'number' ? id : -this.#texts.push(id);
  }

  append(others: RouteList): void {
    for (const [id, body] of others.entries()) this.add(id, body);
  }

  *entries(): Generator<[RouteId, RouteBody]> {
    for (let place = 0; place < this.#bodies.length; place++) yield [this.#idAt(place), this.#bodies[place]!];
  }

  /** Those of which it is not true, as objects: routes of others are few on most hosts. */
  without(isLeftOut: (body: RouteBody) => boolean): readonly KernelRoute[] {
    const left: KernelRoute[] = [];
    for (const [id, body] of this.entries()) if (!isLeftOut(body)) left.push(routeOf(id, body));
    return left;
  }

  *[Symbol.iterator](): Generator<KernelRoute> {
    for (const [id, body] of this.entries()) yield routeOf(id, body);
  }

  #idAt(place: number): RouteId {
    const id = this.#ids[place]!;
    return id < 0 ? this.#texts[-1 - id]! : id;
  }
}

export const routeOf = (id: RouteId, body: RouteBody): KernelRoute => ({ prefix: prefixOfId(id), ...body });
