import { cease, encodeShutdownText, errorName, fsmError, holdTimerExpired, openError, shutdownText } from '../wire.ts';
import type { ErrorCode, Fault, Notification } from '../wire.ts';

/** The NOTIFICATIONs that a speaker itself decides on. Faults in the bytes come from the codec. */
const CODES = {
  unsupportedVersion: openError.unsupportedVersion,
  badPeerAs: openError.badPeerAs,
  badBgpIdentifier: openError.badBgpIdentifier,
  unacceptableHoldTime: openError.unacceptableHoldTime,
  unsupportedCapability: openError.unsupportedCapability,
  roleMismatch: openError.roleMismatch,
  holdTimerExpired,
  unexpectedInOpenSent: fsmError.unexpectedInOpenSent,
  unexpectedInOpenConfirm: fsmError.unexpectedInOpenConfirm,
  unexpectedInEstablished: fsmError.unexpectedInEstablished,
  maximumPrefixes: cease.maximumPrefixes,
  administrativeShutdown: cease.administrativeShutdown,
  peerDeconfigured: cease.peerDeconfigured,
  otherConfigurationChange: cease.otherConfigurationChange,
  collisionResolution: cease.connectionCollision,
  sendHoldTimerExpired: [8, 0], // RFC 9687 §4
} as const satisfies Record<string, ErrorCode>;

export type FaultName = keyof typeof CODES;

const NOTHING = new Uint8Array();

export const fault = (name: FaultName, text: string, data: Uint8Array = NOTHING): Fault => ({
  text,
  code: CODES[name],
  data,
});

const [CEASE] = cease.administrativeShutdown;
export const isCease = ([code]: ErrorCode): boolean => code === CEASE;

/** Cease/Administrative Shutdown with a text for the peer's operator. RFC 9003 §2. */
export const shutdownFault = (message: string): Fault =>
  fault('administrativeShutdown', message === '' ? 'shut down' : message, encodeShutdownText(message));

/** A NOTIFICATION that came, in words: `NOTIFICATION received: Cease / Administrative Shutdown: "maintenance"`. */
export function notificationText(notification: Notification): string {
  const { code, subcode } = notification;
  const said = shutdownText(notification);
  return `NOTIFICATION received: ${errorName([code, subcode])}${said === undefined ? '' : `: "${harmless(said)}"`}`;
}

/** A text from outside goes into logs and terminals, so control characters must not survive. */
const harmless = (text: string): string => text.replaceAll(/\p{Cc}/gu, '?');
