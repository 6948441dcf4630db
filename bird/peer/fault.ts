import {
  cease,
  encodeMessage,
  encodeShutdownText,
  errorName,
  fsmError,
  holdTimerExpired,
  openError,
  sendHoldTimerExpired,
  shutdownText,
} from '../wire.ts';
import type { CodecContext, ErrorCode, Fault, Notification } from '../wire.ts';

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
  administrativeReset: cease.administrativeReset,
  connectionRejected: cease.connectionRejected,
  otherConfigurationChange: cease.otherConfigurationChange,
  collisionResolution: cease.connectionCollision,
  outOfResources: cease.outOfResources,
  hardReset: cease.hardReset,
  bfdDown: cease.bfdDown,
  sendHoldTimerExpired,
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

/** The peer says that it does not speak our version: Event 24. RFC 4271 §8.1.5. */
export const isVersionError = (code: ErrorCode): boolean => code.join() === openError.unsupportedVersion.join();

/** Cease/Administrative Shutdown with a text for the peer's operator. RFC 9003 §2. */
export const shutdownFault = (message: string): Fault => withMessage('administrativeShutdown', 'shut down', message);

/** Cease/Administrative Reset with a text for the peer's operator. RFC 9003 §2. */
export const resetFault = (message: string): Fault => withMessage('administrativeReset', 'reset', message);

const withMessage = (name: FaultName, what: string, message: string): Fault =>
  fault(name, `administratively ${what}${message === '' ? '' : `: ${harmless(message)}`}`, encodeShutdownText(message));

export const isHardReset = (code: ErrorCode): boolean => code.join() === cease.hardReset.join();

/** Cease/Hard Reset around what there is to say: the peer is not to keep our routes. RFC 8538 §3.1. */
export const hardReset = ({ text, code, data }: Fault): Fault =>
  fault('hardReset', text, Uint8Array.of(...code, ...data));

/** The code of what a Hard Reset is about; of any other NOTIFICATION its own. */
export const insideHardReset = ({ code, data }: Pick<Fault, 'code' | 'data'>): ErrorCode =>
  isHardReset(code) && data.length >= 2 ? [data[0]!, data[1]!] : code;

/** What a Hard Reset is about; any other NOTIFICATION as it is. RFC 8538 §3.1. */
export function unwrapHardReset(notification: Notification): Notification {
  const { code, subcode, data } = notification;
  if (!isHardReset([code, subcode]) || data.length < 2) return notification;
  return { type: 'notification', code: data[0]!, subcode: data[1]!, data: data.subarray(2) };
}

/** A NOTIFICATION that came, in words: `NOTIFICATION received: Cease / Administrative Shutdown: "maintenance"`. */
export function notificationText(notification: Notification): string {
  const inner = unwrapHardReset(notification);
  const hard = inner === notification ? '' : ' (Hard Reset)';
  const said = operatorsText(notification);
  return `NOTIFICATION received: ${errorName([inner.code, inner.subcode])}${said === undefined ? '' : `: "${said}"`}${hard}`;
}

/** What the operator who shut down or reset wrote, fit for a terminal. RFC 9003 §2. */
export function operatorsText(notification: Notification): string | undefined {
  const said = shutdownText(unwrapHardReset(notification));
  return said === undefined ? undefined : harmless(said);
}

/** What both sides know before an OPEN: nothing. */
export const PLAIN: CodecContext = {
  fourOctetAs: true,
  addPath: new Set(),
  extendedNextHop: new Set(),
  extendedMessage: false,
  external: true,
};

export const encodeNotification = ({ code: [code, subcode], data }: Fault): Uint8Array =>
  encodeMessage({ type: 'notification', code, subcode, data }, PLAIN);

/** A text from outside goes into logs and terminals: neither control characters nor those that turn the direction of writing. */
export const harmless = (text: string): string => text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu, '?');
