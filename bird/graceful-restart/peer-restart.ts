/** What a peer promised of its restarts when the session came up, family by family. Pure. RFC 4724 §3, RFC 9494 §4.2. */
import type { IpFamily } from '../../src/model/ip.ts';
import type { Negotiated } from '../peer/negotiate.ts';
import { ipFamilyOf } from '../peer/negotiate.ts';

export interface FamilyRestart {
  readonly family: IpFamily;
  /** 0 where the capability does not list the family: nothing of it is kept. RFC 9494 §4.2. */
  readonly restartSeconds: number;
  /** The F bit. */
  readonly forwardingPreserved: boolean;
  /** How long stale routes are kept after the restart time; 0: not at all. */
  readonly longLivedSeconds: number;
  /** The F bit of the long-lived capability. */
  readonly longLivedPreserved: boolean;
}

export interface PeerRestart {
  /** The R bit: the peer has just restarted. */
  readonly restarting: boolean;
  /** Both sides sent the N bit. RFC 8538 §2. */
  readonly notification: boolean;
  readonly restartSeconds: number;
  /** Its capability lists no family: it keeps no routes of its own over a restart, and helps others alone. */
  readonly helpsOnly: boolean;
  /** Those of the session. */
  readonly families: readonly FamilyRestart[];
}

/** Undefined where the session has no graceful restart. */
export function peerRestart({ gracefulRestart, families }: Negotiated): PeerRestart | undefined {
  if (gracefulRestart === undefined) return undefined;
  const { restarting, notification, restartSeconds, longLived } = gracefulRestart;
  return {
    restarting,
    notification,
    restartSeconds,
    helpsOnly: gracefulRestart.families.length === 0,
    families: families.map((family) => {
      const listed = gracefulRestart.families.findLast((each) => ipFamilyOf(each.family) === family);
      const long = longLived.findLast((each) => ipFamilyOf(each.family) === family);
      return {
        family,
        restartSeconds: listed === undefined ? 0 : restartSeconds,
        forwardingPreserved: listed?.forwardingPreserved ?? false,
        longLivedSeconds: long?.staleSeconds ?? 0,
        longLivedPreserved: long?.forwardingPreserved ?? false,
      };
    }),
  };
}
