import { cease, fsmError, holdTimerExpired, openError } from '../wire.ts';
import type { ErrorCode, Fault } from '../wire.ts';

/** The NOTIFICATIONs that a speaker itself decides on. Faults in the bytes come from the codec. */
const CODES = {
  unsupportedVersion: openError.unsupportedVersion,
  badPeerAs: openError.badPeerAs,
  badBgpIdentifier: openError.badBgpIdentifier,
  unacceptableHoldTime: openError.unacceptableHoldTime,
  unsupportedCapability: openError.unsupportedCapability,
  holdTimerExpired,
  unexpectedInOpenSent: fsmError.unexpectedInOpenSent,
  unexpectedInOpenConfirm: fsmError.unexpectedInOpenConfirm,
  unexpectedInEstablished: fsmError.unexpectedInEstablished,
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
const MAX_TEXT_OCTETS = 255;

export const isCease = ([code]: ErrorCode): boolean => code === CEASE;

/** Cease/Administrative Shutdown with a text for the peer's operator, cut to 255 octets of UTF-8. RFC 9003 §2. */
export function shutdownFault(message: string): Fault {
  const utf8 = new TextEncoder().encode(message);
  let end = Math.min(utf8.length, MAX_TEXT_OCTETS);
  // Never cut a character in two: continuation octets are 10xxxxxx.
  while (end < utf8.length && end > 0 && (utf8[end]! & 0xc0) === 0x80) end--;
  const data = new Uint8Array(1 + end);
  data[0] = end;
  data.set(utf8.subarray(0, end), 1);
  return fault('administrativeShutdown', message === '' ? 'shut down' : message, data);
}

/**
 * What the operator of the peer wrote into Administrative Shutdown or Reset, control characters made harmless
 * (a text from outside goes into logs and terminals). RFC 9003 §2; undefined where there is none.
 */
export function shutdownText(code: number, subcode: number, data: Uint8Array): string | undefined {
  const length = data[0] ?? 0;
  if (code !== CEASE || (subcode !== 2 && subcode !== 4) || length === 0 || length > data.length - 1) return undefined;
  const text = new TextDecoder('utf-8', { fatal: false }).decode(data.subarray(1, 1 + length));
  // eslint-disable-next-line no-control-regex -- the control characters are the point
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, '?');
}
