/** What the API says of BGP when it is asked why; JSON over the unix socket. */

/** GET /v1/bgp/peers/{address}/explain */
export interface PeerExplainReport {
  readonly address: string;
  /** False: the address is no peer here. */
  readonly isConfigured: boolean;
  readonly type?: string;
  readonly origin?: string;
  readonly description?: string;
  readonly state?: string;
  /** ISO 8601, of the last change of state. */
  readonly since?: string;
  /** A word for programs: `wrong AS`, `nobody listens`. */
  readonly cause: string;
  /** One sentence. */
  readonly verdict: string;
  readonly evidence: readonly string[];
  /** What to look at, the likeliest first. */
  readonly next: readonly string[];
}
