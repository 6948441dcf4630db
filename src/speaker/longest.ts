import type { Prefix } from '../model/ip.ts';
import { prefixContains } from '../model/ip.ts';

/** The longest prefix that holds `asked`, as a router looks up an address; undefined where none does. Pure. */
export function longestAround<T extends { readonly prefix: Prefix }>(
  routes: Iterable<T>,
  asked: Prefix,
): T | undefined {
  let best: T | undefined;
  for (const route of routes) {
    const isLonger = best === undefined || route.prefix.length > best.prefix.length;
    if (isLonger && prefixContains(route.prefix, asked)) best = route;
  }
  return best;
}
