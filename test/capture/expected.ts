import type { Family } from '../../bird/bgp-ts/index.ts';
import type { Expected, NlriText } from './fixture.ts';

/** The next hop of routes of the daemon's own. */
export const NEXT4 = { nextHop: '10.99.0.2' } as const;
export const NEXT6 = { nextHop: '2001:db8:99::2' } as const;

/** End-of-RIB of each family. */
export const ends = (...families: readonly Expected['family'][]): readonly Expected[] =>
  families.map((family) => ({ family, endOfRib: true }));

export const withdrawals = (family: Expected['family'], ...list: readonly NlriText[]): readonly Expected[] =>
  list.map((withdraw) => ({ family, withdraw }));

/** The families of IPv4 and IPv6 with these SAFIs. */
export const bothFamilies = (...safis: readonly number[]): readonly Family[] =>
  safis.flatMap((safi) => [
    { afi: 1, safi },
    { afi: 2, safi },
  ]);
