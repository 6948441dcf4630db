import type { Fault, Remedy } from '../error.ts';
import { updateError } from '../iana.ts';
import type { NextHopBytes, PathAttributes } from './path-attributes.ts';

/**
 * What RFC 7606 §5.2 makes of `remedy`: where an UPDATE has no reachable prefix, one cannot trust that none was lost,
 * and a treat-as-withdraw has nothing to withdraw. So anything above attribute-discard resets the session.
 */
export function effectiveRemedy(remedy: Remedy | undefined, reach: ReachableNlri): Remedy | undefined {
  if (remedy !== 'treat-as-withdraw') return remedy;
  return reach.hasIpv4Nlri || reach.hasMpReach ? remedy : 'session-reset';
}

export interface ReachableNlri {
  /** The UPDATE's own NLRI field is not empty. */
  readonly hasIpv4Nlri: boolean;
  readonly hasMpReach: boolean;
  /** The result's `ipv4NextHop`; asked for where an UPDATE has both kinds, as MP_REACH's next hop is none for IPv4 NLRI. */
  readonly ipv4NextHop?: NextHopBytes | undefined;
}

/**
 * The first well-known mandatory attribute that an UPDATE with reachable prefixes lacks, as 3/3 with its code as data.
 * The remedy is treat-as-withdraw. RFC 4271 §6.3, RFC 7606 §3 (d); LOCAL_PREF is not asked for.
 */
export function checkMandatory(attributes: PathAttributes, reach: ReachableNlri): Fault | undefined {
  if (!reach.hasIpv4Nlri && !reach.hasMpReach) return undefined;
  if (attributes.origin === undefined) return missing('ORIGIN', 1);
  if (attributes.asPath === undefined) return missing('AS_PATH', 2);
  const nextHop = reach.hasMpReach ? reach.ipv4NextHop : attributes.nextHop;
  if (reach.hasIpv4Nlri && nextHop === undefined) return missing('NEXT_HOP', 3);
  return undefined;
}

const missing = (name: string, code: number): Fault => ({
  text: `${name} is missing`,
  code: updateError.missingWellKnown,
  data: Uint8Array.of(code),
});
