/** What holds where the file says nothing: the timers of Calico's BIRD, and what a peer of it sees. */
export const PEER_DEFAULTS = {
  port: 179,
  passive: false,
  holdSeconds: 240,
  connectDelaySeconds: 2,
  connectRetrySeconds: 5,
  errorWaitSeconds: [5, 30],
  gracefulRestartSeconds: 120,
  nextHop: 'auto',
  routeReflectorClient: false,
  allowOwnAsn: 0,
} as const;

export const DYNAMIC_LIMIT = 100;

/** FRR's default; the 300 ms of RFC 5880's users everywhere. */
export const BFD_DEFAULTS = { transmitMs: 300, receiveMs: 300, multiplier: 3 } as const;

/** In percent of the maximum. */
export const WARN_PERCENT = 75;
