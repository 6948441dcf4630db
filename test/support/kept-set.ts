import type { KeptSet } from '../../bird/rib/kept-set.ts';

/** A set that stands alone. */
export const keptSet = (octets: Uint8Array): KeptSet => ({ octets, start: 0, end: octets.length });
