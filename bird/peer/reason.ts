/** Why a connection did not come about, or ended: one record for the log, the view and the operator. Pure. */
import type { PeerIncident } from '../view.ts';
import { errorName } from '../wire.ts';
import type { ErrorCode, Fault } from '../wire.ts';
import { insideHardReset } from './fault.ts';
import type { CloseReason } from './transport.ts';

export interface Reason {
  readonly kind: PeerIncident['kind'];
  readonly class: ReasonClass;
  /** One sentence. */
  readonly text: string;
  readonly errno?: string;
  readonly notification?: {
    readonly direction: 'sent' | 'received';
    readonly code: ErrorCode;
    readonly data: Uint8Array;
  };
}

/** Who or what did it, for those who filter logs. `notification`: one of the peer's, or one that its fault deserved. */
export type ReasonClass =
  'local' | 'remote' | 'notification' | 'hold' | 'send-hold' | 'socket' | 'config' | 'limit' | 'bfd';

export const notConnected = (reason: CloseReason): Reason => ({ ...ofSocket(reason), kind: 'connection failed' });

/** One that stood. An orderly end without a NOTIFICATION has no errno and is the peer's own doing. */
export const lost = (reason: CloseReason): Reason => ({
  ...ofSocket(reason),
  kind: lostKind(reason),
  class: reason.errno === undefined && reason.refusal === undefined ? 'remote' : 'socket',
});

/** TCP stood, but not for us where we did not let it in. */
function lostKind({ refusal }: CloseReason): Reason['kind'] {
  if (refusal === undefined) return 'connection lost';
  return refusal === 'too far away' ? refusal : 'connection failed';
}

export const received = ({ text, code, data }: Fault): Reason => ({
  kind: 'notification received',
  class: 'notification',
  text,
  notification: { direction: 'received', code, data },
});

export const sent = (fault: Fault): Reason => ({ ...ofOurs(fault), kind: 'notification sent' });

/** We ended it on purpose; `farewell` where a NOTIFICATION said so. */
export const administrative = (text: string, farewell?: Fault): Reason =>
  farewell === undefined
    ? { kind: 'administrative', class: 'local', text }
    : { ...ofOurs(farewell), kind: 'administrative', text };

export const settingsChanged = (text: string): Reason => ({ kind: 'administrative', class: 'config', text });

export const byBfd = (farewell: Fault): Reason => ({ ...ofOurs(farewell), kind: 'bfd', class: 'bfd' });

export const silence = (text: string): Reason => ({ kind: 'silence', class: 'remote', text });

export const noOpen = (text: string): Reason => ({ kind: 'no OPEN', class: 'remote', text });

export const refusedByUs = (farewell: Fault): Reason => ({ ...ofOurs(farewell), kind: 'connection refused by us' });

/** A fault that no NOTIFICATION could tell, since no OPEN was sent. */
export const hungUpOn = ({ text }: Fault): Reason => ({ kind: 'connection lost', class: 'local', text });

/** Two connections became one: no failure, and no reason to alarm anybody. RFC 4271 §6.8. */
export const isCollision = ({ notification }: Reason): boolean =>
  notification !== undefined && notification.code.join('/') === '6/7';

/** As engineers read it behind `Down - `: `NOTIFICATION sent: Hold Timer Expired (nothing heard for 90 s)`. */
export function downText({ text, notification }: Reason): string {
  if (notification?.direction !== 'sent') return text;
  const inner = insideHardReset(notification);
  const hard = inner === notification.code ? '' : ', Hard Reset';
  return `NOTIFICATION sent: ${errorName(inner)}${hard} (${text})`;
}

const ofSocket = ({ text, errno }: CloseReason): Omit<Reason, 'kind'> => ({
  class: 'socket',
  text,
  ...(errno !== undefined && { errno }),
});

function ofOurs({ text, code, data }: Fault): Omit<Reason, 'kind'> {
  const inner = insideHardReset({ code, data });
  return {
    class: CLASSES[inner.join('/')] ?? CLASSES[`${inner[0]}`] ?? 'notification',
    text,
    notification: { direction: 'sent', code, data },
  };
}

/** Of NOTIFICATIONs that we send. RFC 4486, RFC 9687, RFC 9384. */
const CLASSES: Readonly<Record<string, ReasonClass>> = {
  '4': 'hold',
  '6': 'local',
  '6/1': 'limit',
  '6/3': 'config',
  '6/6': 'config',
  '6/10': 'bfd',
  '8': 'send-hold',
};
