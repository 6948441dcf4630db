import type { Fault, Remedy } from '../error.ts';
import { updateError } from '../iana.ts';
import { asPath } from './as-path.ts';
import { nextHop } from './next-hop.ts';
import { origin } from './origin.ts';
import type { NextHopBytes, PathAttributes } from './path-attributes.ts';

/** What of an UPDATE asks for attributes. */
export interface ReachableNlri {
  /** The UPDATE's own NLRI field is not empty. */
  readonly hasIpv4Nlri: boolean;
  /** There is an MP_REACH_NLRI, and its NLRI are not empty. */
  readonly hasMpNlri: boolean;
  /** NEXT_HOP itself: MP_REACH's next hop is none for the UPDATE's own NLRI. */
  readonly ipv4NextHop: NextHopBytes | undefined;
}

/**
 * What RFC 7606 §5.2 makes of `remedy`: where an UPDATE has no reachable prefix, one cannot trust that none was lost,
 * and a treat-as-withdraw has nothing to withdraw. So it resets the session.
 */
export function effectiveRemedy(remedy: Remedy | undefined, reach: ReachableNlri): Remedy | undefined {
  if (remedy !== 'treat-as-withdraw') return remedy;
  return reach.hasIpv4Nlri || reach.hasMpNlri ? remedy : 'session-reset';
}

/**
 * The first well-known mandatory attribute that an UPDATE with reachable prefixes lacks, as 3/3 with its code as data.
 * The remedy is treat-as-withdraw. RFC 4271 §6.3, RFC 7606 §3 (d); LOCAL_PREF is not asked for.
 */
export function checkMandatory(attributes: PathAttributes, reach: ReachableNlri): Fault | undefined {
  if (!reach.hasIpv4Nlri && !reach.hasMpNlri) return undefined;
  if (attributes.origin === undefined) return missing(origin);
  if (attributes.asPath === undefined) return missing(asPath);
  return reach.hasIpv4Nlri && reach.ipv4NextHop === undefined ? missing(nextHop) : undefined;
}

const missing = ({ name, code }: { readonly name: string; readonly code: number }): Fault => ({
  text: `${name} is missing`,
  code: updateError.missingWellKnown,
  data: Uint8Array.of(code),
});
