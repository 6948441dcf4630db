/** A route with an AS_PATH of 600 ASes: more than two segments hold. */
const asns = Array.from({ length: 600 }, (_, i) => (i % 2 === 0 ? 64500 + (i % 7) : 4200000100 + i));

export const LONG_PATH = {
  prefix: '10.60.0.0/16',
  /** Of the speaker that tells it, the first of the path. */
  asn: asns[0]!,
  asns,
  /** As ExaBGP wants it. */
  route: (nextHop: string): string => `10.60.0.0/16 next-hop ${nextHop} as-path [ ${asns.join(' ')} ]`,
} as const;
