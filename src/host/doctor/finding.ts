/** What one check of the doctor says. */

export interface Finding {
  /** Which check: `ip_forward`, `NetworkManager` … */
  readonly check: string;
  /** `problem`: packets are lost, or will be; `warning`: may be; `unknown`: could not be looked at. */
  readonly verdict: 'ok' | 'warning' | 'problem' | 'unknown';
  /** What is so, in one sentence. */
  readonly what: string;
  /** Why it hurts. */
  readonly why?: string;
  /** What to do. */
  readonly todo?: string;
  /** How we know: the files and values, the packets sent and answered. */
  readonly evidence?: readonly string[];
}

type More = Omit<Finding, 'check' | 'verdict' | 'what'>;

/** The findings of one check. */
export interface Check {
  ok(what: string, evidence?: readonly string[]): Finding;
  warning(what: string, more: More): Finding;
  problem(what: string, more: More): Finding;
  unknown(what: string, more?: More): Finding;
}

export const checkOf = (check: string): Check => ({
  ok: (what, evidence) => ({ check, verdict: 'ok', what, ...(evidence && { evidence }) }),
  warning: (what, more) => ({ check, verdict: 'warning', what, ...more }),
  problem: (what, more) => ({ check, verdict: 'problem', what, ...more }),
  unknown: (what, more = {}) => ({ check, verdict: 'unknown', what, ...more }),
});
