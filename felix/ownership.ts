import type { KernelRoute } from './kernel.ts';

/**
 * The mark by which a process with an empty memory knows its routes: rtnetlink's `protocol`, 80 as in felix.
 * Routes with any other protocol are not ours: never deleted, and replaced only by a route that an IP pool asks for.
 */
export const OUR_PROTOCOL = 80;

export const isOurs = ({ protocol }: Pick<KernelRoute, 'protocol'>): boolean => protocol === OUR_PROTOCOL;
