/** Roles and the Only to Customer attribute: routes go up to providers only from below. Pure. RFC 9234 §5. */
import type { PeerRole } from '../settings.ts';

/** What comes from a provider, a peer or a route server must go down only, and is marked where its sender did not. */
export const mustComeMarked = (own: PeerRole): boolean => own === 'customer' || own === 'peer' || own === 'rs-client';

/** A marked route from a customer or a client went down before it came up; from a peer, it was somebody else's who marked it. */
export function isLeak(
  onlyToCustomer: number | undefined,
  { own, peerAsn }: { readonly own: PeerRole; readonly peerAsn: number },
): boolean {
  if (onlyToCustomer === undefined) return false;
  if (own === 'provider' || own === 'rs') return true;
  return own === 'peer' && onlyToCustomer !== peerAsn;
}

/** Marked routes do not go up, nor across. */
export const refusesMarked = (own: PeerRole): boolean => own === 'customer' || own === 'peer' || own === 'rs-client';

/** Whom we tell gets a route that may go down only from there. */
export const mustGoMarked = (own: PeerRole): boolean => own === 'provider' || own === 'peer' || own === 'rs';
