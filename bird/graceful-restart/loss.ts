/** Why a session that was Established ended, and whether its peer may only be restarting. Pure. RFC 4724 §4.2, RFC 8538 §4. */
import { isHardReset } from './hard-reset.ts';

/**
 * `connection`: TCP broke. `hold`: the peer fell silent. `stop`: we ended it for good. `bfd`: the path to the peer is
 * dead. `notification`: one side said why. `error`: any other.
 */
export type SessionLoss =
  | { readonly cause: 'connection' | 'hold' | 'error' | 'stop' | 'bfd' }
  | {
      readonly cause: 'notification';
      readonly direction: 'sent' | 'received';
      readonly code: number;
      readonly subcode: number;
    };

/**
 * Without the N bit of both sides only a broken connection means a restart: after a NOTIFICATION, or silence until the
 * hold timer, the peer cannot be trusted to forward. With it everything does but a Hard Reset. What BFD found is no
 * matter of the control plane, so no restart explains it.
 */
export function mayBeRestart(loss: SessionLoss, notificationAgreed: boolean): boolean {
  switch (loss.cause) {
    case 'connection':
      return true;
    case 'hold':
      return notificationAgreed;
    case 'notification':
      return notificationAgreed && !isHardReset([loss.code, loss.subcode]);
    case 'error':
    case 'stop':
    case 'bfd':
      return false;
  }
}
