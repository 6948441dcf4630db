/** RFC 9494 §4.6: its route is one that a peer that restarts left behind, past the time of RFC 4724. */
export const LLGR_STALE = 0xffff_0006;
/** RFC 9494 §4.6: the route must not be kept for long. */
export const NO_LLGR = 0xffff_0007;
