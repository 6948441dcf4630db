/** Why a session that was Established ended, and whether its peer may only be restarting. Pure. RFC 4724 §4.2, RFC 8538 §4. */
import { isHardReset } from '../peer/fault.ts';
import type { Loss } from '../peer/vocabulary.ts';

/**
 * Without the N bit of both sides only a broken connection means a restart: after a NOTIFICATION, or silence until the
 * hold timer, the peer cannot be trusted to forward. With it everything does but a Hard Reset. What BFD found is no
 * matter of the control plane, so no restart explains it.
 */
export function mayBeRestart({ cause, notification }: Loss, notificationAgreed: boolean): boolean {
  switch (cause) {
    case 'connection':
      return true;
    case 'hold':
      return notificationAgreed;
    case 'notification':
      return notificationAgreed && notification !== undefined && !isHardReset(notification.code);
    case 'error':
    case 'stop':
    case 'bfd':
      return false;
  }
}
