import type { RouteBody } from '../routes/kernel-route.ts';

/** Interface indexes below it make one number with an IPv4 gateway. */
const MAX_IFINDEX = 1 << 20;

/** What is equal but for the prefix, made once for a whole dump: a node has 100,000 routes and a few neighbours. */
export class SharedBodies {
  readonly #overHop = new Map<number, RouteBody[]>();

  /** Those so far over one IPv4 gateway (as one word) and link; `made` ones are to be added. */
  over(gateway: number, ifindex: number, onlink: boolean): RouteBody[] {
    if (ifindex >= MAX_IFINDEX) return [];
    const key = gateway + (ifindex * 2 + (onlink ? 1 : 0)) * 2 ** 32;
    const known = this.#overHop.get(key);
    if (known !== undefined) return known;
    const none: RouteBody[] = [];
    this.#overHop.set(key, none);
    return none;
  }
}
