/** What is tried with every daemon, in the order of the table. A feature is one row here and one test per daemon. */
export const FEATURES = {
  session: 'session up, iBGP and eBGP',
  ipv4: 'IPv4 routes both ways',
  ipv6: 'IPv6 routes both ways',
  withdraw: 'withdraw both ways',
  refresh: 'route refresh both ways',
  md5: 'TCP MD5 (RFC 2385)',
  gtsm: 'TTL security (RFC 5082)',
  'gr-helper': 'graceful restart, the daemon is killed: no route lost here',
  'gr-restarter': 'graceful restart, we are killed: no route lost there',
  'add-path': 'ADD-PATH both ways (RFC 7911)',
  communities: 'communities: standard, extended, large',
  as4: '4-octet AS numbers',
  'long-path': 'AS_PATH of 600 ASes',
  reflector: 'we are its route reflector, it is a client',
  limit: 'prefix limit: Cease 6/1 both ways',
  shutdown: 'shutdown text both ways (RFC 9003)',
  bfd: 'BFD (RFC 5880)',
  'extended-messages': 'extended messages (RFC 8654)',
  'link-local': 'peering over link-local addresses',
} as const;

export type Feature = keyof typeof FEATURES;

/**
 * `yes`: tried in this run and it works. Else what of it cannot be tried with this daemon, because its version lacks it;
 * `partly` where the rest was tried and works.
 */
export type Outcome = 'yes' | { readonly lacks: string; readonly partly?: true };

export interface DaemonColumn {
  /** `BIRD 2.0.12`: name and version, as the daemon itself says. */
  readonly daemon: string;
  readonly outcomes: Readonly<Partial<Record<Feature, Outcome>>>;
}
